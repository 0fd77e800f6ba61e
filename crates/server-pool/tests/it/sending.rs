//! What is sent, how often and in which order. Weakness 23 (message-per-change).

use std::time::Duration;

use server_pool::machine::{Input, Machine, Output, PoolId};
use server_pool::{Config, ContributeError};
use transport_traits::limits::{SizeLimit, presets};
use transport_traits::{BusLimits, Instant, WallTime};

use crate::fleet::{Fleet, POOL, millis, secs};

/// The most frames of a server in any window of this length.
fn busiest(fleet: &Fleet, server: usize, window: Duration) -> usize {
    let times: Vec<Instant> =
        fleet.published.iter().filter(|(_, from, _)| *from == server).map(|(at, ..)| *at).collect();
    let within =
        |start: &Instant| times.iter().filter(|at| *at >= start && at.since(*start) < window).count();
    times.iter().map(within).max().unwrap_or(0)
}

/// Weakness 23 (message-per-change): every change was a message.
#[test]
fn twenty_keys_changing_every_second_stay_within_the_budget_and_none_starves() {
    let mut fleet = Fleet::new(1);
    fleet.limits = presets::ROBLOX_MESSAGING;
    let sender = fleet.join("sender");
    let reader = fleet.join("reader");
    let start = fleet.now;
    for second in 0..120 {
        for key in 0..20 {
            fleet.put(sender, &format!("player {key}"), &format!("at {second:>20}"));
            fleet.run(millis(50));
        }
    }
    assert!(busiest(&fleet, sender, secs(60)) <= 80, "{}", busiest(&fleet, sender, secs(60)));
    assert!(fleet.now.since(start) >= secs(120));
    for key in 0..20 {
        let value = fleet.value(reader, &format!("player {key}")).unwrap();
        let second: u64 = value.trim_start_matches("at").trim().parse().unwrap();
        assert!(second >= 117, "{key}: {second}");
    }
}

#[test]
fn a_flood_over_the_budget_is_conflated_and_every_key_gets_its_turn() {
    let mut fleet = Fleet::new(2);
    fleet.limits = presets::ROBLOX_MESSAGING;
    let sender = fleet.join("sender");
    let reader = fleet.join("reader");
    // 60 frames' worth of changes a second, where 1.2 frames a second are allowed.
    let long = "x".repeat(200);
    for round in 0..60_u64 {
        for key in 0..240 {
            fleet.put(sender, &format!("k{key}"), &format!("{round} {long}"));
        }
        fleet.run(secs(1));
    }
    assert!(busiest(&fleet, sender, secs(60)) <= 80);
    let mut turns = vec![0; 240];
    for (_, change) in &fleet.servers[reader].events {
        if let server_pool::machine::Change::Set { key, .. } = change {
            turns[key[1..].parse::<usize>().unwrap()] += 1;
        }
    }
    assert!(*turns.iter().max().unwrap() - *turns.iter().min().unwrap() <= 1, "{turns:?}");
    assert!(fleet.stats(reader).expired == 0);
}

#[test]
fn changes_of_one_moment_leave_in_one_frame() {
    let mut fleet = Fleet::of(2, 3);
    let before = fleet.published.len();
    (0..10).for_each(|key| fleet.put(0, &format!("k{key}"), "v"));
    (0..10).for_each(|key| fleet.put(0, &format!("k{key}"), "w"));
    fleet.run(millis(150));
    let deltas = fleet.published[before..].iter().filter(|(.., text)| text.starts_with("[1,3,")).count();
    assert_eq!(deltas, 1);
    assert_eq!(fleet.value(1, "k9"), Some("w"));
}

#[test]
fn frames_reach_the_limit_and_never_exceed_it_however_the_bus_counts() {
    for limit in [SizeLimit::bytes(300), SizeLimit::chars(300), SizeLimit::json_encoded(300)] {
        let mut fleet = Fleet::new(4);
        fleet.limits.body = Some(limit);
        let (sender, reader) = (fleet.join("sénder \"1\""), fleet.join("reader"));
        (0..300).for_each(|key| fleet.put(sender, &format!("kéy \\ {key}"), "välue \"quoted\"\n"));
        fleet.run(secs(5));
        assert_eq!(fleet.seen(reader).len(), 300);
        let sizes = fleet.published.iter().map(|(.., text)| limit.counting.measure(text.as_bytes()));
        let full = sizes.clone().filter(|size| *size > 220).count();
        assert!(sizes.max().unwrap() <= 300);
        assert!(full >= 300 / 10, "frames are filled: {full}");
    }
}

#[test]
fn the_largest_entry_accepted_fits_and_one_byte_more_is_refused() {
    let mut fleet = Fleet::new(5);
    fleet.limits = presets::ROBLOX_MESSAGING;
    let (sender, reader) = (fleet.join("sender"), fleet.join("reader"));
    let value = |length: usize| std::sync::Arc::<str>::from(format!("\"{}\"", "x".repeat(length)));
    let machine = &mut fleet.servers[sender].machine;
    let refused = (1..1_024).find(|length| machine.contribute(fleet.now, POOL, "k", value(*length)).is_err());
    let most = refused.unwrap() - 1;
    assert!(most > 800, "{most}");
    let error = machine.contribute(fleet.now, POOL, "k", value(most + 1)).unwrap_err();
    assert!(matches!(error, ContributeError::TooLarge { size, limit } if size == limit + 1), "{error}");
    fleet.put(sender, "k", &"y".repeat(most));
    fleet.run(secs(2));
    assert_eq!(fleet.value(reader, "k"), Some("y".repeat(most).as_str()));
}

#[test]
fn several_pools_share_the_budget_and_none_starves() {
    let mut fleet = Fleet::new(6);
    fleet.limits = presets::ROBLOX_MESSAGING;
    fleet.limits.receive_total = Some(transport_traits::limits::FleetRate::per_minute(0).plus_per_server(60));
    let (sender, reader) = (fleet.join("sender"), fleet.join("reader"));
    let second = fleet.open(sender, "q");
    assert_eq!(fleet.open(reader, "q"), second);
    let long = "x".repeat(400);
    for round in 0..120 {
        for key in 0..5 {
            fleet.put(sender, &format!("k{key}"), &format!("{round} {long}"));
        }
        let value = format!("\"{round}\"").into();
        fleet.servers[sender].machine.contribute(fleet.now, second, "q", value).unwrap();
        fleet.run(secs(1));
    }
    assert!(busiest(&fleet, sender, secs(60)) <= 60);
    let seen = &fleet.servers[reader].seen[&PoolId(1)];
    let round: u32 = seen["q"].0.parse().unwrap();
    assert!(round >= 112, "{round}");
}

#[test]
fn heartbeats_are_rare_where_other_frames_do_their_work() {
    let mut fleet = Fleet::of(2, 7);
    let before = fleet.published.len();
    for round in 0..100 {
        fleet.put(0, "k", &round.to_string());
        fleet.run(millis(200));
    }
    let beats =
        fleet.published[before..].iter().filter(|(_, from, text)| *from == 0 && text.starts_with("[1,0,"));
    assert!((8..=12).contains(&beats.clone().count()), "every second one of 20: {}", beats.count());
}

#[test]
fn entries_that_come_and_go_while_nothing_can_be_sent_do_not_pile_up() {
    let mut fleet = Fleet::of(2, 8);
    fleet.put(0, "sent", "v");
    fleet.run(secs(1));
    fleet.faults.failure = 100;
    // How much the machine holds, as far as it tells.
    let size = |fleet: &Fleet| format!("{:?}", fleet.servers[0].machine).len();
    let come_and_go = |fleet: &mut Fleet, players: std::ops::Range<u32>| {
        for player in players {
            let machine = &mut fleet.servers[0].machine;
            machine.contribute(fleet.now, POOL, &format!("player {player:05}"), "1".into()).unwrap();
            assert!(machine.withdraw(fleet.now, POOL, &format!("player {player:05}")));
            while machine.poll_notice().is_some() {}
        }
    };
    come_and_go(&mut fleet, 0..100);
    let before = size(&fleet);
    come_and_go(&mut fleet, 100..2_000);
    assert!(size(&fleet) <= before + 100, "{before}, then {}", size(&fleet));
    assert!(fleet.servers[0].machine.withdraw(fleet.now, POOL, "sent"));
    fleet.faults.failure = 0;
    fleet.run(secs(10));
    assert_eq!(fleet.seen(1).len(), 0, "what was sent before is taken back");
}

#[test]
fn whatever_wait_a_bus_asks_for_it_is_neither_none_nor_for_ever() {
    let (shortest, longest) = (millis(200)..=millis(300), secs(60)..=secs(90));
    for (asked, waits) in [(Duration::ZERO, shortest), (Duration::MAX, longest)] {
        let (config, limits) = (Config::new("a"), BusLimits::default());
        let mut now = Instant::ZERO;
        let mut machine = Machine::new(now, WallTime::default(), config, &limits, true).unwrap();
        machine.open(now, "p".into());
        let Some(Output::Publish { frame, .. }) = machine.poll(now) else { panic!("a join is due") };
        machine.handle(now, Input::Failed { frame, retry_after: Some(asked) });
        while machine.poll(now).is_none() {
            now = machine.next_wakeup().unwrap();
        }
        assert!(waits.contains(&now.since(Instant::ZERO)), "{asked:?}: {now}");
    }
}
