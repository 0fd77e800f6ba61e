//! Joining by one request. Weaknesses 19 (join-storm) and 20 (joins-restart-refresh).

use transport_traits::limits::presets;

use crate::fleet::{Fleet, millis, secs};

/// A value that makes an entry of about 40 bytes.
const VALUE: &str = "0123456789012345678901234567";

/// Servers with so many entries each, on a bus with the limits of Roblox.
fn roblox_fleet(servers: usize, entries: usize) -> Fleet {
    let mut fleet = Fleet::new(1);
    fleet.limits = presets::ROBLOX_MESSAGING;
    for server in 0..servers {
        let _ = fleet.join(&format!("s{server}"));
        (0..entries).for_each(|entry| fleet.put(server, &format!("s{server}:{entry:04}"), VALUE));
    }
    fleet.run(secs(60));
    assert!(fleet.agrees());
    assert_eq!(fleet.seen(0).len(), servers * entries);
    fleet
}

/// Weakness 19 (join-storm): N·M + 1 messages at two a second; 8 × 50 would have taken 401 messages.
#[test]
fn a_joiner_knows_everything_within_three_seconds_for_few_messages() {
    let mut fleet = roblox_fleet(8, 50);
    let before = fleet.published.len();
    let joiner = fleet.join("late");
    let took = fleet.run_until(secs(30), |fleet| fleet.seen(joiner).len() == 400).unwrap();
    assert!(took <= secs(3), "{took:?}");
    let frames = fleet.published.len() - before;
    assert!(frames <= 70, "{frames}");
    fleet.run(secs(3));
    assert!(fleet.servers[joiner].synced_at.is_some());
}

/// Weakness 20 (joins-restart-refresh): joins restarted the refresh, so joiners knew 42 % after two minutes.
#[test]
fn frequent_joins_do_not_keep_earlier_joiners_waiting() {
    // 25 frames for each of two servers: at their budget more than ten seconds' worth.
    let mut fleet = roblox_fleet(2, 400);
    let mut joiners = Vec::new();
    for index in 0..20 {
        joiners.push(fleet.join(&format!("late{index}")));
        fleet.run(secs(3));
    }
    let complete = joiners.iter().filter(|joiner| fleet.seen(**joiner).len() == 800).count();
    assert!(complete >= 10, "those of half a minute ago: {complete}");
    fleet.run(secs(30));
    assert!(fleet.agrees());
}

#[test]
fn what_is_sent_for_one_joiner_serves_all_who_join_meanwhile() {
    let mut fleet = roblox_fleet(4, 50);
    let parts = |fleet: &Fleet| (0..4).map(|server| fleet.stats(server).parts_repeated).sum::<u64>();
    let before = parts(&fleet);
    (0..10).for_each(|index| {
        let _ = fleet.join(&format!("late{index}"));
    });
    fleet.run(secs(10));
    assert!(fleet.agrees());
    let sent = parts(&fleet) - before;
    assert!(sent <= 4 * 6, "about five frames for each of four servers, not for each joiner: {sent}");
}

#[test]
fn a_server_alone_is_synced_soon() {
    let mut fleet = Fleet::new(2);
    let _ = fleet.join("alone");
    fleet.run(millis(1_600));
    assert!(fleet.servers[0].synced_at.is_some());
}

#[test]
fn nobody_is_synced_before_everything_announced_is_there() {
    let mut fleet = Fleet::of(2, 3);
    fleet.put(0, "k", "v");
    fleet.run(secs(1));
    fleet.filter = Box::new(|_, to, text| to == 2 && text.starts_with("[1,3,"));
    let joiner = fleet.join("late");
    fleet.run(secs(5));
    assert_eq!(fleet.servers[joiner].synced_at, None);
    fleet.filter = Box::new(|_, _, _| false);
    fleet.run(secs(8));
    assert!(fleet.servers[joiner].synced_at.is_some());
    assert_eq!(fleet.value(joiner, "k"), Some("v"));
}
