//! Who owns a key. Weakness 24 (former-owner-interferes): former owners deleted and stole what others owned.

use server_pool::machine::{Change, Reason};

use crate::fleet::{Fleet, millis, secs};

#[test]
fn the_most_recent_contributor_owns_a_key_everywhere() {
    let mut fleet = Fleet::of(3, 1);
    fleet.put(0, "k", "zero");
    fleet.run(millis(500));
    fleet.put(1, "k", "one");
    fleet.run(secs(1));
    for server in 0..3 {
        assert_eq!((fleet.value(server, "k"), fleet.owner(server, "k")), (Some("one"), Some("s1")));
    }
    let (_, change) = fleet.servers[2].events.last().unwrap();
    assert!(matches!(change, Change::Set { reason: Reason::Overtaken, .. }), "{change:?}");
    assert_eq!(fleet.stats(0).overtaken, 1);
}

/// Weakness 24 (former-owner-interferes).
#[test]
fn neither_withdrawal_nor_leave_nor_crash_of_a_former_owner_touches_the_entry() {
    let mut fleet = Fleet::of(4, 2);
    for key in ["a", "b", "c"] {
        fleet.put(0, key, "old");
        fleet.put(2, key, "older");
    }
    fleet.run(millis(500));
    ["a", "b", "c"].into_iter().for_each(|key| fleet.put(1, key, "new"));
    fleet.run(secs(1));
    assert!(!fleet.withdraw(0, "a"), "it is not the former owner's any more");
    fleet.leave(0);
    fleet.crash(2);
    fleet.run(secs(8));
    for key in ["a", "b", "c"] {
        assert_eq!((fleet.value(3, key), fleet.owner(3, key)), (Some("new"), Some("s1")));
        assert_eq!(fleet.removals(3, key), []);
    }
}

/// Weakness 24 (former-owner-interferes): an entry hopped between servers while their messages overtook each other.
#[test]
fn a_takeover_holds_though_the_former_owners_message_comes_later() {
    let mut fleet = Fleet::of(3, 3);
    // What s0 says reaches s2 only by repair.
    fleet.filter = Box::new(|from, to, text| from == 0 && to == 2 && text.starts_with("[1,3,"));
    fleet.put(0, "k", "zero");
    fleet.run(millis(500));
    fleet.put(1, "k", "one");
    fleet.run(millis(500));
    fleet.filter = Box::new(|_, _, _| false);
    fleet.run(secs(4));
    assert!((0..3).all(|server| fleet.owner(server, "k") == Some("s1")));
    let firsts = fleet.servers[2].events.iter().filter(|(_, change)| matches!(change, Change::Set { .. }));
    assert_eq!(firsts.count(), 1, "the outdated claim never showed");
}

/// The recorded hazard `equal-sent-time`: views differed for good.
#[test]
fn simultaneous_contributions_end_with_one_owner() {
    let mut fleet = Fleet::of(5, 4);
    (0..5).for_each(|server| fleet.put(server, "k", &format!("by {server}")));
    fleet.run(secs(2));
    assert!(fleet.agrees());
    assert_eq!(fleet.seen(0).len(), 1);
    let owner = fleet.owner(0, "k").unwrap().to_owned();
    let server = fleet.servers.iter().position(|server| *server.name == *owner).unwrap();
    assert!(fleet.withdraw(server, "k"));
    fleet.run(secs(2));
    assert!((0..5).all(|server| fleet.value(server, "k").is_none()), "the losers' claims were taken back");
}

#[test]
fn a_clock_an_hour_ahead_neither_freezes_its_keys_nor_the_fleet() {
    let mut fleet = Fleet::of(3, 5);
    fleet.set_clock(0, 3_600);
    fleet.put(0, "mad", "0");
    fleet.put(0, "sane", "0");
    fleet.run(secs(1));
    fleet.put(1, "mad", "1");
    fleet.run(secs(1));
    assert!((0..3).all(|server| fleet.value(server, "mad") == Some("1")), "a takeover outbids any stamp");
    fleet.put(2, "mad", "2");
    fleet.run(secs(1));
    assert!((0..3).all(|server| fleet.value(server, "mad") == Some("2")));
    fleet.put(1, "x", "1");
    fleet.run(secs(1));
    let frame =
        &fleet.published.iter().rev().find(|(_, from, text)| *from == 1 && text.contains("\"x\"")).unwrap().2;
    let fields: Vec<serde_json::Value> = serde_json::from_str(frame).unwrap();
    let stamp = fields[10].as_u64().unwrap() + 1;
    assert!(stamp < 1_767_225_600_000 + 60_000, "the mad clock did not move the others: {stamp}");
}

#[test]
fn a_clock_an_hour_behind_can_still_take_over() {
    let mut fleet = Fleet::of(3, 6);
    fleet.set_clock(0, -3_600);
    fleet.put(1, "k", "1");
    fleet.run(secs(1));
    fleet.put(0, "k", "0");
    fleet.run(secs(1));
    assert!((0..3).all(|server| fleet.value(server, "k") == Some("0")));
}

#[test]
fn contributing_an_equal_value_again_sends_nothing() {
    let mut fleet = Fleet::of(2, 7);
    fleet.put(0, "k", "v");
    fleet.run(secs(1));
    let events = fleet.servers[1].events.len();
    let deltas =
        |fleet: &Fleet| fleet.published.iter().filter(|(.., text)| text.starts_with("[1,3,")).count();
    let before = deltas(&fleet);
    fleet.put(0, "k", "v");
    fleet.run(secs(1));
    assert_eq!((deltas(&fleet), fleet.servers[1].events.len()), (before, events));
}

#[test]
fn an_entry_that_comes_and_goes_before_it_is_sent_is_never_sent() {
    let mut fleet = Fleet::of(2, 8);
    let before = fleet.published.len();
    fleet.put(0, "k", "v");
    assert!(fleet.withdraw(0, "k"));
    assert!(!fleet.withdraw(0, "k"));
    fleet.run(millis(400));
    assert!(fleet.published[before..].iter().all(|(.., text)| !text.starts_with("[1,3,")));
    assert_eq!(fleet.servers[0].events.len(), 2);
}
