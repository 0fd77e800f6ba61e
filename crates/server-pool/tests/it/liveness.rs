//! Who lives. Weakness 22 (ghosts-of-the-crashed): entries of a crashed server stayed for ever.

use server_pool::machine::{Change, Reason, ViewState};
use transport_traits::Instant;
use transport_traits::limits::SizeLimit;

use crate::fleet::{CALM, Faults, Fleet, millis, secs};

fn join_with_entry(fleet: &mut Fleet, server: usize) {
    let joined = fleet.join(&format!("s{server}"));
    fleet.put(joined, &format!("of {server}"), "v");
}

/// Servers with an entry each.
fn fleet_with_entries(servers: usize, seed: u64) -> Fleet {
    let mut fleet = Fleet::of(servers, seed);
    (0..servers).for_each(|server| fleet.put(server, &format!("of {server}"), "v"));
    fleet.run(secs(2));
    assert!(fleet.agrees());
    assert_eq!(fleet.seen(0).len(), servers);
    fleet
}

/// Weakness 22 (ghosts-of-the-crashed).
#[test]
fn a_crashed_server_is_gone_everywhere_after_the_timeout() {
    let mut fleet = fleet_with_entries(8, 1);
    fleet.crash(3);
    let took = fleet.run_until(secs(20), Fleet::agrees).unwrap();
    assert!(took > secs(3) && took <= secs(5 + 2), "{took:?}");
    assert_eq!(fleet.removals(0, "of 3"), [Reason::Expired]);
    assert_eq!(fleet.stats(0).expired, 1);
    let newcomer = fleet.join("new");
    fleet.run(secs(3));
    assert_eq!(fleet.seen(newcomer), fleet.seen(0), "newcomers see no ghost either");
}

/// Weakness 25 (silent-pool): nobody was told of the removal on an orderly close.
#[test]
fn a_server_that_leaves_is_gone_at_once() {
    let mut fleet = fleet_with_entries(3, 2);
    fleet.leave(1);
    fleet.run(millis(50));
    assert!(!fleet.servers[1].alive);
    assert_eq!(fleet.removals(0, "of 1"), [Reason::Left]);
    assert_eq!(fleet.removals(2, "of 1"), [Reason::Left]);
    assert!(fleet.servers[0].machine.next_wakeup().is_some());
}

#[test]
fn late_frames_of_a_server_that_left_do_not_raise_it() {
    let mut fleet = fleet_with_entries(2, 3);
    let frames: Vec<String> =
        fleet.published.iter().filter(|(_, from, _)| *from == 1).map(|(.., text)| text.clone()).collect();
    fleet.leave(1);
    fleet.run(secs(1));
    frames.iter().for_each(|frame| fleet.inject(0, frame));
    fleet.run(secs(1));
    assert_eq!(fleet.seen(0).len(), 1);
    assert_eq!(fleet.stats(0).outdated, frames.len() as u64);
}

#[test]
fn late_frames_of_a_crashed_server_do_not_raise_it() {
    let mut fleet = fleet_with_entries(3, 4);
    let frames: Vec<String> =
        fleet.published.iter().filter(|(_, from, _)| *from == 2).map(|(.., text)| text.clone()).collect();
    fleet.crash(2);
    fleet.run(secs(7));
    frames.iter().for_each(|frame| fleet.inject(0, frame));
    assert_eq!(fleet.seen(0).len(), 2);
}

#[test]
fn a_server_that_was_believed_dead_is_back_by_its_next_frames() {
    let mut fleet = fleet_with_entries(3, 5);
    fleet.servers[2].side = 1;
    fleet.run(secs(8));
    assert_eq!(fleet.seen(0).len(), 2);
    fleet.servers[2].side = 0;
    let took = fleet.run_until(secs(10), Fleet::agrees).unwrap();
    assert!(took <= secs(3), "{took:?}");
    assert_eq!(fleet.seen(0).len(), 3);
}

#[test]
fn a_restart_under_the_same_name_replaces_what_the_past_life_had() {
    let mut fleet = fleet_with_entries(3, 6);
    fleet.crash(1);
    let again = fleet.join("s1");
    fleet.put(again, "new life", "v");
    let took = fleet.run_until(secs(10), Fleet::agrees).unwrap();
    assert!(took <= secs(2), "no timeout is waited for: {took:?}");
    assert_eq!(fleet.removals(0, "of 1"), [Reason::Restarted]);
    assert_eq!(fleet.owner(0, "new life"), Some("s1"));
}

#[test]
fn frames_of_a_past_life_change_nothing() {
    let mut fleet = fleet_with_entries(3, 7);
    let past: Vec<String> = fleet.published.iter().map(|(.., text)| text.clone()).collect();
    fleet.crash(1);
    let again = fleet.join("s1");
    fleet.put(again, "new life", "v");
    fleet.run(secs(2));
    let before = fleet.seen(0).clone();
    for server in [0, 2, again] {
        past.iter().for_each(|frame| fleet.inject(server, frame));
    }
    fleet.run(secs(1));
    assert_eq!(fleet.seen(0), &before);
    assert!(fleet.agrees());
}

#[test]
fn a_server_cut_off_turns_stale_and_buries_nobody() {
    let mut fleet = fleet_with_entries(3, 8);
    fleet.servers[0].connected = false;
    fleet.run(secs(60));
    assert_eq!(fleet.servers[0].state, ViewState::Stale);
    assert_eq!(fleet.seen(0).len(), 3, "it still shows what it knew");
    assert_eq!(fleet.seen(1).len(), 2, "the others see it dead");
    assert_eq!(fleet.servers[1].state, ViewState::Fresh);
    fleet.servers[0].connected = true;
    fleet.run(secs(3));
    assert_eq!(fleet.servers[0].state, ViewState::Fresh);
    assert!(fleet.agrees());
    assert_eq!(fleet.stats(0).expired, 0);
}

#[test]
fn after_being_cut_off_everybody_gets_a_full_timeout() {
    let mut fleet = fleet_with_entries(3, 9);
    fleet.servers[0].connected = false;
    fleet.run(secs(20));
    fleet.crash(2);
    fleet.servers[0].connected = true;
    fleet.run(secs(4));
    assert_eq!(fleet.removals(0, "of 2"), []);
    fleet.run(secs(3));
    assert_eq!(fleet.removals(0, "of 2"), [Reason::Expired]);
}

#[test]
fn a_server_that_was_paused_buries_nobody_when_it_wakes() {
    let mut fleet = fleet_with_entries(3, 10);
    // Its deliveries are lost, as with a process that was stopped for long.
    fleet.servers[0].paused_until = fleet.now + secs(30);
    fleet.filter = Box::new(|_, to, _| to == 0);
    fleet.run(millis(29_995));
    fleet.filter = Box::new(|_, _, _| false);
    fleet.run(secs(3));
    assert_eq!(fleet.stats(0).expired, 0);
    assert!(fleet.agrees());
}

#[test]
fn a_short_pause_does_not_turn_lost_heartbeats_into_a_death() {
    let mut fleet = fleet_with_entries(3, 15);
    fleet.filter = Box::new(|from, to, _| (from, to) == (2, 0));
    fleet.run(millis(3_600));
    // Its deliveries are lost while it stands still, for less than what makes a view stale.
    fleet.filter = Box::new(|_, to, _| to == 0);
    fleet.servers[0].paused_until = fleet.now + millis(1_600);
    fleet.run(millis(1_595));
    fleet.filter = Box::new(|_, _, _| false);
    fleet.run(secs(3));
    assert_eq!((fleet.stats(0).expired, fleet.servers[0].state), (0, ViewState::Fresh));
}

/// For two seconds the bus carries nothing, which is too short for a stale view.
fn silence(fleet: &mut Fleet) {
    fleet.filter = Box::new(|_, _, _| true);
    fleet.run(secs(2));
}

#[test]
fn short_silences_of_the_whole_bus_do_not_add_up_to_a_death() {
    let mut fleet = Fleet::new(21);
    fleet.tune = |config| (config.heartbeat, config.timeout) = (millis(250), secs(5));
    (0..3).for_each(|server| join_with_entry(&mut fleet, server));
    fleet.run(secs(2));
    for _ in 0..4 {
        silence(&mut fleet);
        // In between too little time passes to hear everybody.
        fleet.filter = Box::new(|from, to, _| (from, to) == (2, 0));
        fleet.run(millis(400));
        assert_eq!(fleet.servers[0].state, ViewState::Fresh);
    }
    assert_eq!(fleet.stats(0).expired, 0);
    fleet.crash(2);
    silence(&mut fleet);
    fleet.filter = Box::new(|_, _, _| false);
    fleet.run(secs(5 + 2));
    assert_eq!(
        fleet.removals(0, "of 2"),
        [Reason::Expired],
        "a dead one gets as much more time, and no more"
    );
    assert_eq!(fleet.removals(1, "of 2"), [Reason::Expired]);
}

#[test]
fn a_survivor_that_hears_itself_alone_as_rarely_as_may_be_takes_the_dead_for_dead() {
    let mut fleet = Fleet::new(22);
    fleet.tune = |config| (config.heartbeat, config.timeout) = (millis(1_250), secs(5));
    (0..2).for_each(|server| join_with_entry(&mut fleet, server));
    fleet.run(secs(2));
    fleet.crash(1);
    fleet.run(secs(5 + 2));
    assert_eq!(fleet.removals(0, "of 1"), [Reason::Expired]);
}

#[test]
fn a_server_alone_on_the_bus_is_fresh() {
    let mut fleet = Fleet::of(1, 11);
    fleet.run(secs(60));
    assert_eq!(fleet.servers[0].state, ViewState::Fresh);
}

#[test]
fn nobody_dies_falsely_with_the_default_timeout_at_20_percent_loss() {
    let mut fleet = Fleet::new(12);
    fleet.tune = |config| (config.heartbeat, config.timeout) = (secs(2), secs(30));
    (0..20).for_each(|server| {
        let _ = fleet.join(&format!("s{server}"));
    });
    fleet.faults = Faults { loss: 20, ..CALM };
    fleet.run(secs(3_600));
    assert!((0..20).all(|server| fleet.stats(server).expired == 0));
}

#[test]
fn when_servers_expire_together_no_event_shows_one_that_is_gone_too() {
    let mut fleet = fleet_with_entries(4, 14);
    // Both claims are known to s0, since the loser does not hear of the other's.
    fleet.filter = Box::new(|from, to, _| (from, to) == (1, 2) || (from, to) == (2, 1));
    fleet.put(1, "k", "1");
    fleet.put(2, "k", "2");
    fleet.run(millis(300));
    assert_eq!(fleet.owner(0, "k"), Some("s2"));
    fleet.crash(1);
    fleet.crash(2);
    // After a pause both have the same full timeout before them.
    fleet.servers[0].paused_until = fleet.now + secs(3);
    fleet.run(secs(20));
    assert!(fleet.agrees());
    let changes = fleet.servers[0].events.iter().filter(|(_, change)| match change {
        Change::Set { key, .. } | Change::Removed { key, .. } => **key == *"k",
    });
    assert_eq!(changes.count(), 3, "added, overtaken, removed");
}

#[test]
fn expiry_comes_once_and_in_order() {
    let mut fleet = fleet_with_entries(3, 13);
    fleet.crash(1);
    fleet.run(secs(10));
    let removed: Vec<Instant> = fleet.servers[0]
        .events
        .iter()
        .filter(|(_, change)| matches!(change, Change::Removed { .. }))
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(removed.len(), 1);
}

#[test]
fn a_server_that_another_knows_of_is_learnt_of_though_it_is_not_heard() {
    let mut fleet = Fleet::new(16);
    fleet.filter = Box::new(|from, to, _| (from, to) == (1, 2));
    (0..3).for_each(|server| {
        let _ = fleet.join(&format!("s{server}"));
        fleet.put(server, &format!("of {server}"), "v");
    });
    let known = |fleet: &Fleet| fleet.stats(2).servers;
    assert_eq!(known(&fleet), 0);
    let took = fleet.run_until(secs(5), |fleet| known(fleet) == 2).unwrap();
    assert!(took > secs(1), "not before two heartbeats said the same: {took:?}");
    fleet.run(millis(200));
    assert_eq!(fleet.value(2, "of 1"), None, "hearsay is no sign of life, nor does it bring entries");
    fleet.filter = Box::new(|_, _, _| false);
    fleet.run(secs(3));
    assert!(fleet.agrees());
    assert_eq!(fleet.stats(2).expired, 0);
}

#[test]
fn hearsay_carries_its_age() {
    let mut fleet = fleet_with_entries(3, 17);
    fleet.crash(1);
    let newcomer = fleet.join("new");
    fleet.run(millis(3_500));
    assert_eq!(fleet.stats(newcomer).servers, 3, "the dead one is still believed alive");
    fleet.run(millis(3_500));
    assert_eq!(fleet.stats(newcomer).servers, 2, "timeout + 2 s after the crash, as everywhere");
    assert!(fleet.agrees());
}

#[test]
fn servers_that_never_agree_on_who_lives_do_not_argue() {
    let mut fleet = fleet_with_entries(4, 18);
    fleet.filter = Box::new(|from, to, _| (from, to) == (1, 2) || (from, to) == (3, 0));
    fleet.run(secs(60));
    let asks = fleet.published.iter().filter(|(.., text)| text.starts_with("[1,5,")).count();
    let rosters = fleet.published.iter().filter(|(.., text)| text.starts_with("[1,6,")).count();
    assert!((1..=4 * 24).contains(&asks) && rosters <= asks, "{asks} {rosters}");
}

#[test]
fn a_server_that_was_cut_off_does_not_tell_old_news_as_fresh() {
    let mut fleet = fleet_with_entries(3, 19);
    fleet.servers[1].connected = false;
    fleet.crash(2);
    fleet.run(secs(30));
    fleet.servers[1].connected = true;
    let raised = fleet.run_until(secs(10), |fleet| fleet.stats(0).servers > 1);
    let told = fleet.published.iter().filter(|(.., text)| text.starts_with("[1,6,")).count();
    assert!(told > 0, "it was asked whom it believes alive");
    assert_eq!(raised, None, "and its friend, dead for long, stayed dead elsewhere");
    assert!(fleet.agrees());
}

#[test]
fn a_name_too_long_for_a_list_does_not_keep_the_names_behind_it_from_being_told() {
    let mut fleet = Fleet::new(20);
    fleet.limits.body = Some(SizeLimit::json_encoded(400));
    fleet.filter = Box::new(|from, to, _| (from, to) == (1, 2));
    (0..3).for_each(|server| {
        let _ = fleet.join(&format!("s{server}"));
    });
    // It sorts before all others, and takes 700 as the bus counts.
    let name = "\\u0001".repeat(100);
    let mut most = 0;
    for sequence in 0..20 {
        [0, 2].into_iter().for_each(|to| fleet.inject(to, &format!(r#"[1,0,"{name}",1,{sequence},0,0,0]"#)));
        fleet.run(millis(500));
        most = most.max(fleet.stats(2).servers);
    }
    assert_eq!(most, 3, "s0, the one of the long name, and s1, of which s0 told");
    assert!(fleet.stats(0).oversized > 0);
}

/// A publisher with queues may send what was said before the first farewell after it.
#[test]
fn whoever_misses_the_first_farewell_hears_the_last() {
    let mut fleet = fleet_with_entries(3, 19);
    let missed = std::cell::Cell::new(false);
    fleet.filter = Box::new(move |from, to, text| {
        (from, to) == (1, 0) && text.starts_with("[1,4,") && !missed.replace(true)
    });
    fleet.leave(1);
    fleet.run(millis(100));
    assert_eq!(fleet.removals(0, "of 1"), [Reason::Left]);
    let farewells = fleet.published.iter().filter(|(.., text)| text.starts_with("[1,4,")).count();
    assert_eq!(farewells, 2);
}
