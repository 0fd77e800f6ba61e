//! Pools as users hold them: typed entries, snapshots and events.

use std::borrow::Cow;

use futures::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use server_pool::{Config, ContributeError, Entry, Event, Events, JsonKey, Key};
use server_pool::{Pool, Pools, Reason, ViewState};

use crate::bus::Stage;
use crate::fleet::secs;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Player {
    name: String,
    level: u32,
}

fn player(name: &str, level: u32) -> Player {
    Player { name: name.to_owned(), level }
}

/// Two servers with the same pool open.
fn two(stage: &mut Stage) -> ([Pools; 2], [Pool<Player>; 2]) {
    let pools = [stage.server("a"), stage.server("b")];
    let opened = pools.each_ref().map(|pools| stage.now(pools.open("players")).expect("the bus subscribes"));
    stage.run(secs(1));
    (pools, opened)
}

/// The events that wait, in short.
fn drain(events: &mut Events<Player>) -> Vec<String> {
    let waiting = std::iter::from_fn(|| events.next().now_or_never().flatten());
    let short = |entry: &Entry<Player>| format!("{}={}@{}", entry.key, entry.value.level, entry.owner);
    let name = |event: Event<Player>| match event {
        Event::Added(entry) => format!("+{}", short(&entry)),
        Event::Changed { entry, previous, reason } => {
            format!("{}>{} {reason:?}", short(&previous), short(&entry))
        }
        Event::Removed { entry, reason } => format!("-{} {reason:?}", short(&entry)),
        Event::Lagged { missed } => format!("lagged {missed}"),
        _ => "unknown".to_owned(),
    };
    waiting.map(name).collect()
}

#[test]
fn events_tell_what_happened_with_owner_and_reason() {
    let mut stage = Stage::new();
    let (pools, [here, there]) = two(&mut stage);
    let mut events = there.events();
    here.contribute("x", &player("x", 1)).unwrap();
    stage.run(secs(1));
    here.contribute("x", &player("x", 2)).unwrap();
    stage.run(secs(1));
    there.contribute("x", &player("x", 3)).unwrap();
    here.contribute("y", &player("y", 1)).unwrap();
    here.contribute("z", &player("z", 1)).unwrap();
    stage.run(secs(1));
    assert!(here.withdraw("y"));
    stage.run(secs(1));
    stage.now(pools[0].close());
    stage.run(secs(1));
    let expected = ["+x=1@a", "x=1@a>x=2@a Updated", "x=2@a>x=3@b Overtaken", "+y=1@a", "+z=1@a"];
    let more = ["-y=1@a Withdrawn", "-z=1@a Left"];
    assert_eq!(drain(&mut events), [&expected[..], &more[..]].concat());
}

#[test]
fn a_snapshot_and_the_events_behind_it_leave_no_hole() {
    let mut stage = Stage::new();
    let (_pools, [here, there]) = two(&mut stage);
    here.contribute("x", &player("x", 1)).unwrap();
    stage.run(secs(1));
    let (snapshot, mut events) = there.watch();
    here.contribute("y", &player("y", 1)).unwrap();
    stage.run(secs(1));
    assert_eq!(snapshot.iter().map(|entry| &*entry.key).collect::<Vec<_>>(), ["x"]);
    assert_eq!(drain(&mut events), ["+y=1@a"]);
}

#[test]
fn a_slow_reader_is_told_how_much_it_missed() {
    let mut stage = Stage::new();
    let mut config = Config::new("a");
    config.event_capacity = 4;
    let pools = stage.server_with(config);
    let pool: Pool<Player> = stage.now(pools.open("players")).unwrap();
    let mut events = pool.events();
    (0..6).for_each(|level| pool.contribute("x", &player("x", level)).unwrap());
    assert_eq!(drain(&mut events), ["lagged 5", "x=4@a>x=5@a Updated"]);
    assert_eq!(pool.snapshot()[0].value.level, 5);
}

#[test]
fn events_wake_whoever_waits_and_end_with_the_pools() {
    let mut stage = Stage::new();
    let (pools, [here, there]) = two(&mut stage);
    let mut events = there.events();
    here.contribute("x", &player("x", 1)).unwrap();
    stage.timer.advance(secs(1));
    assert!(matches!(stage.now(events.next()), Some(Event::Added(_))));
    stage.now(pools[1].close());
    assert!(stage.now(events.next()).is_none());
    assert!(stage.now(there.events().next()).is_none(), "later streams end at once");
}

#[test]
fn reads_by_key_by_owner_and_in_order() {
    let mut stage = Stage::new();
    let (_pools, [here, there]) = two(&mut stage);
    here.contribute("b", &player("b", 1)).unwrap();
    there.contribute("a", &player("a", 2)).unwrap();
    here.contribute("c", &player("c", 3)).unwrap();
    stage.run(secs(1));
    assert_eq!(there.iter().map(|entry| entry.value.level).collect::<Vec<_>>(), [2, 1, 3]);
    assert_eq!(there.by_owner("a").iter().map(|entry| &*entry.key).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(there.snapshot(), here.snapshot());
    assert_eq!(here.get("a").as_deref(), Some(&player("a", 2)));
    assert_eq!((here.get("none"), there.len()), (None, 3));
}

#[test]
fn synced_waits_for_what_the_others_have() {
    let mut stage = Stage::new();
    let (_pools, [here, _there]) = two(&mut stage);
    here.contribute("x", &player("x", 1)).unwrap();
    stage.run(secs(1));
    let late = stage.server("late");
    let pool: Pool<Player> = stage.now(late.open("players")).unwrap();
    assert!(pool.synced().now_or_never().is_none());
    stage.run(secs(4));
    assert_eq!(pool.synced().now_or_never(), Some(true));
    assert_eq!((pool.len(), pool.view_state()), (1, ViewState::Fresh));
}

#[test]
fn an_entry_of_another_type_is_left_out_and_counted() {
    let mut stage = Stage::new();
    let (old, new) = (stage.server("old"), stage.server("new"));
    let texts: Pool<String> = stage.now(old.open("players")).unwrap();
    let players: Pool<serde_json::Value> = stage.now(new.open("players")).unwrap();
    stage.run(secs(1));
    let mut events = texts.events();
    players.contribute("k", &"fine".into()).unwrap();
    stage.run(secs(1));
    assert_eq!(texts.get("k").as_deref().map(String::as_str), Some("fine"));
    players.contribute("k", &serde_json::json!({ "level": 1 })).unwrap();
    stage.run(secs(1));
    assert_eq!((texts.len(), old.stats().undecodable), (0, 1));
    let last = std::iter::from_fn(|| events.next().now_or_never().flatten()).last();
    assert!(matches!(last, Some(Event::Removed { reason: Reason::Undecodable, .. })));
}

#[test]
fn an_entry_that_no_frame_holds_is_refused_where_it_is_contributed() {
    let mut stage = Stage::new();
    let pools = stage.server("a");
    let pool: Pool<String> = stage.now(pools.open("p")).unwrap();
    let error = pool.contribute("k", &"x".repeat(70_000)).unwrap_err();
    assert!(matches!(error, ContributeError::TooLarge { .. }), "{error}");
    assert!(pool.is_empty());
}

#[test]
fn keys_may_be_numbers_json_or_of_ones_own_type() {
    #[derive(Debug, PartialEq)]
    struct Seat(char, u8);
    impl Key for Seat {
        fn to_text(&self) -> Result<Cow<'_, str>, serde_json::Error> {
            Ok(format!("{}{}", self.0, self.1).into())
        }
        fn from_text(text: &str) -> Option<Self> {
            let row = text.chars().next()?;
            Some(Self(row, text[row.len_utf8()..].parse().ok()?))
        }
    }
    let mut stage = Stage::new();
    let (_pools, [here, there]) = two(&mut stage);
    let ada = player("ada", 1);
    here.keyed::<i64>().contribute(&-7, &ada).unwrap();
    here.keyed::<JsonKey<(u8, String)>>().contribute(&JsonKey((1, "a".into())), &ada).unwrap();
    here.keyed().contribute(&Seat('C', 12), &ada).unwrap();
    here.contribute("+8", &ada).unwrap();
    stage.run(secs(1));
    assert_eq!(there.keyed::<i64>().get(&-7).as_deref(), Some(&ada));
    assert_eq!(there.keyed::<i64>().iter().map(|(key, _)| key).collect::<Vec<_>>(), [-7]);
    assert_eq!(there.keyed().get(&JsonKey((1_u8, "a".to_owned()))).as_deref(), Some(&ada));
    assert_eq!(JsonKey::<(u8, String)>::from_text("[1, \"a\"]"), None, "another spelling is no key");
    assert!(there.keyed::<Seat>().iter().any(|(key, _)| key == Seat('C', 12)));
    assert!(here.keyed::<String>().withdraw(&"+8".to_owned()));
    assert_eq!(here.withdraw_all(), 3);
    stage.run(secs(1));
    assert!(there.is_empty(), "and everybody was told");
}
