//! Checkpoints: what a joiner reads from a store instead of being told. Weakness 19 (join-storm).

use server_pool::machine::Reason;
use transport_traits::limits::presets;

use crate::fleet::{Fleet, millis, secs};

/// Servers with so many entries of 40 bytes each, on a bus with the limits of Roblox and with a store.
fn fleet_with_store(servers: usize, entries: usize) -> Fleet {
    let mut fleet = Fleet::new(1);
    fleet.limits = presets::ROBLOX_MESSAGING;
    fleet.delay = millis(250);
    fleet.checkpoint = Some(Vec::new());
    fleet.tune = |config| (config.heartbeat, config.timeout) = (secs(2), secs(30));
    for server in 0..servers {
        let _ = fleet.join(&format!("s{server:02}"));
        let key = |entry: usize| format!("player:{server:02}:{entry:02}");
        (0..entries).for_each(|entry| fleet.put(server, &key(entry), "0123456789012345678901234567"));
    }
    fleet.run(secs(40));
    assert!(fleet.agrees());
    assert_eq!(fleet.seen(0).len(), servers * entries);
    fleet
}

/// Frames with entries, of those published from a moment on.
fn parts(fleet: &Fleet, from: usize) -> usize {
    fleet.published[from..].iter().filter(|(.., text)| text.starts_with("[1,3,")).count()
}

/// Weakness 19 (join-storm): 10,001 messages; 500 frames without a store.
#[test]
fn a_joiner_reads_the_bulk_and_asks_only_for_what_changed_since() {
    let mut fleet = fleet_with_store(40, 100);
    let writer = fleet.saves.last().unwrap().1;
    let changed = (writer + 1) % 40;
    fleet.put(changed, "new", "since then");
    fleet.run(secs(1));
    let before = fleet.published.len();
    let joiner = fleet.join("late");
    assert!(fleet.seen(joiner).len() >= 4_000, "at once: {}", fleet.seen(joiner).len());
    let complete = |fleet: &Fleet| fleet.seen(joiner).len() == 4_001;
    let took = fleet.run_until(secs(20), complete).unwrap();
    assert!(took <= secs(6), "{took:?}");
    assert!(parts(&fleet, before) <= 2, "{}", parts(&fleet, before));
    assert_eq!(fleet.stats(joiner).pulls_sent, 1);
    fleet.run(secs(5));
    assert!(fleet.servers[joiner].synced_at.is_some());
}

#[test]
fn one_server_writes_and_not_too_often() {
    let mut fleet = fleet_with_store(5, 10);
    fleet.saves.clear();
    fleet.run(secs(60));
    assert!((5..=7).contains(&fleet.saves.len()), "every ten seconds: {}", fleet.saves.len());
    let writer = fleet.saves[0].1;
    assert!(fleet.saves.iter().all(|(_, by)| *by == writer));
    fleet.crash(writer);
    fleet.run(secs(60));
    let next = fleet.saves.last().unwrap();
    assert!(next.1 != writer && fleet.now.since(next.0) <= secs(11), "another takes over");
}

/// Weakness 22 (ghosts-of-the-crashed).
#[test]
fn a_server_that_crashed_lives_in_a_checkpoint_no_longer_than_elsewhere() {
    let mut fleet = fleet_with_store(4, 10);
    let writer = fleet.saves.last().unwrap().1;
    let victim = (writer + 1) % 4;
    fleet.crash(victim);
    fleet.run(secs(20));
    let joiner = fleet.join("late");
    assert_eq!(fleet.seen(joiner).len(), 40);
    fleet.run(secs(12));
    assert_eq!(fleet.seen(joiner).len(), 30, "timeout + 2 s after the crash");
    assert_eq!(fleet.removals(joiner, &format!("player:{victim:02}:00")), [Reason::Expired]);
    assert!(fleet.agrees());
}

#[test]
fn an_old_checkpoint_is_not_believed() {
    let mut fleet = fleet_with_store(3, 10);
    let old = fleet.checkpoint.clone();
    (0..3).for_each(|server| fleet.crash(server));
    fleet.run(secs(120));
    fleet.checkpoint = old;
    let alone = fleet.join("alone");
    assert_eq!(fleet.seen(alone).len(), 0);
}

/// What a checkpoint says, and how a hostile hand changes it.
fn forged(fleet: &Fleet, forge: impl Fn(String) -> String) -> Vec<std::sync::Arc<str>> {
    fleet.checkpoint.iter().flatten().map(|shard| forge(shard.to_string()).into()).collect()
}

/// How the header of s01 reads in it, from the name to the head.
fn header_of_s01(fleet: &Fleet, head: u64) -> String {
    let rest = fleet.checkpoint.iter().flatten().find_map(|text| Some(text.split_once(r#""s01",2,"#)?.1));
    let sequence = rest.and_then(|rest| rest.split(',').next()).expect("s01 is in it");
    format!(r#""s01",2,{sequence},{head},"#)
}

#[test]
fn a_hostile_checkpoint_does_no_lasting_harm() {
    let fleet = fleet_with_store(3, 30);
    let nested = "[".repeat(100_000);
    let s01 = header_of_s01(&fleet, 30);
    let texts: Vec<Vec<std::sync::Arc<str>>> = vec![
        vec!["".into()],
        vec![nested.into()],
        vec![r#"{"at":99999999999999999,"shards":9999999,"parts":[]}"#.into()],
        vec![
            r#"{"at":0,"shards":1,"parts":[[18446744073709551615,[1,3,"x",1,0,1,0,0,0,1,0,"k",1]]]}"#.into(),
        ],
        vec![r#"{"at":9e15,"shards":1,"parts":[[0,7],[0,[]],[0,[1,4,"s01",1,9,9,9,9]]]}"#.into()],
        forged(&fleet, |text| text.replace(r#""s01",2,"#, r#""s01",9007199254740991,"#)),
        forged(&fleet, |text| text.replacen(&s01, r#""s01",2,9007199254740991,30,"#, 1)),
        forged(&fleet, |text| text.replacen(&s01, r#""s01",2,0,9007199254740991,"#, 1)),
        forged(&fleet, |text| text.replace("player:01:0", "ghost:01:0")),
        forged(&fleet, |text| text.replace("player:01:0", "player:02:0")),
        forged(&fleet, |text| text.replace(r#"[[0,[1,3,"s"#, r#"[[0,[1,3,"late"#)),
        forged(&fleet, |text| text.replace(r#"3,"s0"#, r#"3,"forged"#).replace(r#""at":"#, r#""at":9"#)),
    ];
    for (number, shards) in texts.into_iter().enumerate() {
        let mut fleet = fleet_with_store(3, 30);
        assert_ne!(fleet.checkpoint, Some(shards.clone()), "{number} is forged");
        fleet.checkpoint = Some(shards);
        let joiner = fleet.join("late");
        fleet.put(joiner, "mine", "v");
        fleet.run(secs(34));
        assert_eq!(fleet.seen(joiner).len(), 91, "{number}");
        assert!(fleet.agrees(), "{number}");
    }
}

#[test]
fn a_store_that_does_not_answer_costs_two_seconds() {
    let mut fleet = fleet_with_store(3, 30);
    fleet.checkpoint = None;
    let joiner = fleet.join("late");
    fleet.servers[joiner].machine.use_checkpoints(usize::MAX);
    let before = fleet.published.len();
    let _ = fleet.open(joiner, "q");
    fleet.run(millis(1_900));
    let joins = |fleet: &Fleet| {
        fleet.published[before..].iter().filter(|(.., text)| text.starts_with("[1,1,")).count()
    };
    assert_eq!(joins(&fleet), 0, "it still waits");
    fleet.run(millis(200));
    assert_eq!(joins(&fleet), 1);
}

#[test]
fn a_frame_older_than_the_checkpoint_takes_nothing_away() {
    let mut fleet = fleet_with_store(3, 10);
    let of_one = |(_, from, text): &&(_, usize, String)| *from == 1 && text.starts_with("[1,0,");
    let old = fleet.published.iter().find(of_one).expect("s01 beats").2.clone();
    fleet.filter = Box::new(|from, to, _| (from, to) == (1, 3));
    let joiner = fleet.join("late");
    fleet.run(millis(50));
    assert_eq!(fleet.seen(joiner).len(), 30);
    fleet.inject(joiner, &old);
    assert_eq!(fleet.removals(joiner, "player:01:00"), []);
    fleet.filter = Box::new(|_, _, _| false);
    fleet.run(secs(5));
    assert_eq!((fleet.seen(joiner).len(), fleet.removals(joiner, "player:01:00")), (30, vec![]));
}

#[test]
fn what_a_server_does_not_confirm_is_taken_back_and_says_so() {
    let mut fleet = fleet_with_store(3, 10);
    let s01 = header_of_s01(&fleet, 10);
    fleet.checkpoint = Some(forged(&fleet, |text| {
        text.replacen(&s01, r#""s01",2,0,11,"#, 1).replace("player:01:0", "ghost:01:0")
    }));
    let joiner = fleet.join("late");
    fleet.run(secs(5));
    assert_eq!(fleet.removals(joiner, "ghost:01:00"), [Reason::Unconfirmed]);
    assert!(fleet.agrees());
}

#[test]
fn a_checkpoint_does_not_take_an_own_contribution_away() {
    let mut fleet = fleet_with_store(3, 10);
    let writer = fleet.saves.last().unwrap().1;
    let victim = (writer + 1) % 3;
    let key = format!("player:{victim:02}:00");
    fleet.set_clock(victim, 50);
    fleet.put(victim, &key, "later than the joiner's clock");
    fleet.run(secs(11));
    fleet.crash(victim);
    let shards = fleet.checkpoint.take().expect("a checkpoint was written");
    fleet.checkpoint = None;
    let joiner = fleet.join("late");
    fleet.servers[joiner].machine.use_checkpoints(usize::MAX);
    fleet.put(joiner, &key, "mine");
    fleet.load(joiner, shards);
    fleet.run(secs(40));
    assert!(fleet.agrees());
    assert_eq!(fleet.owner(joiner, &key), Some("late"), "the dead server's claim has ended, ours has not");
}
