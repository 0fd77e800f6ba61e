//! Joining by one request. Weaknesses 19 (join-storm) and 20 (joins-restart-refresh).

use transport_traits::limits::presets;

use crate::fleet::{Fleet, millis, secs};

/// A value that makes an entry of 40 bytes with a key of twelve.
const VALUE: &str = "0123456789012345678901234567";

/// Starts a server with so many entries of 40 bytes.
fn join_with(fleet: &mut Fleet, server: usize, entries: usize) {
    let _ = fleet.join(&format!("s{server:02}"));
    (0..entries).for_each(|entry| fleet.put(server, &format!("player:{server:02}:{entry:02}"), VALUE));
}

/// Servers with so many entries each, on a bus with the limits of Roblox.
fn roblox_fleet(servers: usize, entries: usize) -> Fleet {
    let mut fleet = Fleet::new(1);
    fleet.limits = presets::ROBLOX_MESSAGING;
    (0..servers).for_each(|server| join_with(&mut fleet, server, entries));
    // Enough for what waits, and for the budgets to fill again.
    fleet.run(secs(30));
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

/// Weakness 19 (join-storm): a million messages at the start; 10,001 and 50 s for a join.
#[test]
fn a_hundred_servers_start_at_once_for_at_most_1000_requests_and_one_more_joins_for_650() {
    let mut fleet = Fleet::new(1);
    fleet.limits = presets::ROBLOX_MESSAGING;
    fleet.delay = millis(250);
    fleet.tune = |config| (config.heartbeat, config.timeout) = (secs(2), secs(30));
    (0..100).for_each(|server| join_with(&mut fleet, server, 100));
    let complete = |fleet: &Fleet| (0..100).all(|server| fleet.seen(server).len() == 10_000);
    let took = fleet.run_until(secs(30), complete).unwrap();
    assert!(took <= secs(10), "{took:?}");
    assert!(fleet.published.len() <= 1_000, "{}", fleet.published.len());
    // Enough for the budgets to fill again.
    fleet.run(secs(20));
    let before = fleet.published.len();
    let joiner = fleet.join("late");
    let took = fleet.run_until(secs(30), |fleet| fleet.seen(joiner).len() == 10_000).unwrap();
    assert!(took <= secs(6), "{took:?}");
    let requests = fleet.published.len() - before;
    assert!(requests <= 650, "{requests}");
}

/// Weakness 20 (joins-restart-refresh): joiners knew 1,050 of 2,500 entries after two minutes.
#[test]
fn with_a_join_every_ten_seconds_every_joiner_knows_everything_within_five() {
    let mut fleet = roblox_fleet(50, 50);
    fleet.delay = millis(250);
    for index in 0..12 {
        let joiner = fleet.join(&format!("late{index}"));
        let took = fleet.run_until(secs(10), |fleet| fleet.seen(joiner).len() == 2_500).unwrap();
        assert!(took <= secs(5), "{took:?}");
        fleet.run(secs(10) - took);
    }
}

/// On a fast bus a joiner did not hear what was sent a moment before it came, and must be told at once.
#[test]
fn servers_that_start_one_after_another_on_a_fast_bus_know_everything_at_once() {
    let mut fleet = Fleet::new(1);
    for server in 0..20 {
        join_with(&mut fleet, server, 10);
        fleet.run(millis(50));
    }
    let complete = |fleet: &Fleet| (0..20).all(|server| fleet.seen(server).len() == 200);
    let took = fleet.run_until(secs(10), complete).unwrap();
    assert!(took <= millis(300), "{took:?}");
}
