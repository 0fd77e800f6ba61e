//! A server that starts again under its name: what its past life left, and which of both is believed.

use server_pool::machine::Reason;
use transport_traits::limits::presets;

use crate::fleet::{Fleet, millis, secs};

/// Servers "s0", "s1" … with an entry each, and times as by default. Their incarnations are 1, 2 and so on.
fn fleet(servers: usize, seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed);
    fleet.tune = |config| (config.heartbeat, config.timeout) = (secs(2), secs(30));
    for server in 0..servers {
        let _ = fleet.join(&format!("s{server}"));
        fleet.put(server, &format!("of {server}"), "v");
    }
    fleet.run(secs(10));
    assert!(fleet.agrees());
    fleet
}

/// Starts a server whose clock is behind: its incarnation is 0, so any other is greater.
fn join_behind(fleet: &mut Fleet, name: &str) -> usize {
    let tune = fleet.tune;
    fleet.tune = |config| {
        (config.heartbeat, config.timeout) = (secs(2), secs(30));
        config.incarnation = Some(0);
    };
    let server = fleet.join(name);
    fleet.tune = tune;
    server
}

/// How many lists of who lives were sent.
fn lists(fleet: &Fleet) -> usize {
    fleet.published.iter().filter(|(.., text)| text.starts_with("[1,6,")).count()
}

#[test]
fn a_server_that_restarts_with_its_clock_behind_is_there_soon() {
    let mut fleet = fleet(3, 1);
    fleet.crash(1);
    let again = join_behind(&mut fleet, "s1");
    fleet.put(again, "new life", "v");
    let took = fleet.run_until(secs(120), Fleet::agrees).unwrap();
    assert!(took <= secs(3), "a heartbeat, and what a join takes: {took:?}");
    assert_eq!(fleet.seen(0).len(), 3);
    assert_eq!(fleet.removals(0, "of 1"), [Reason::Restarted]);
    assert_eq!(fleet.owner(0, "new life"), Some("s1"));
    assert_eq!((fleet.stats(again).refutations, lists(&fleet)), (1, 1));
    let pulls = fleet.published.iter().filter(|(.., text)| text.starts_with("[1,2,"));
    assert_eq!(pulls.count(), 0, "nobody has to ask for what it has");
    fleet.inject(again, r#"[1,0,"s1",0,1,0,0,0]"#);
    let stats = fleet.stats(again);
    assert_eq!((stats.impostors, stats.outdated), (0, 0), "an echo from before is its own");
    let before = fleet.published.len();
    fleet.run(secs(60));
    assert!(fleet.published.len() - before <= 3 * 35, "then there are heartbeats and nothing else");
}

#[test]
fn a_server_that_left_and_restarts_with_its_clock_behind_is_there_soon() {
    let mut fleet = fleet(3, 2);
    fleet.leave(1);
    fleet.run(secs(1));
    let again = join_behind(&mut fleet, "s1");
    fleet.put(again, "new life", "v");
    let took = fleet.run_until(secs(120), Fleet::agrees).unwrap();
    assert!(took <= secs(3) && fleet.seen(0).len() == 3, "{took:?}");
}

#[test]
fn who_hears_that_a_server_is_told_of_its_past_life_does_not_raise_that() {
    let mut fleet = fleet(3, 11);
    fleet.leave(1);
    fleet.run(secs(1));
    let newcomer = fleet.join("new");
    fleet.run(secs(3));
    fleet.inject(0, r#"[1,0,"s1",0,1,0,0,0]"#);
    fleet.run(secs(3));
    assert_eq!((lists(&fleet), fleet.stats(newcomer).servers), (1, 2));
}

#[test]
fn few_of_many_tell_a_server_of_its_past_life() {
    let mut fleet = fleet(100, 3);
    fleet.limits = presets::ROBLOX_MESSAGING;
    fleet.delay = millis(250);
    fleet.run(secs(5));
    fleet.crash(50);
    let before = lists(&fleet);
    let again = join_behind(&mut fleet, "s50");
    fleet.put(again, "new life", "v");
    let took = fleet.run_until(secs(120), Fleet::agrees).unwrap();
    assert!(took <= secs(5), "{took:?}");
    assert!(lists(&fleet) - before <= 8, "{}", lists(&fleet) - before);
}

#[test]
fn a_past_life_in_a_checkpoint_is_overcome_before_anything_is_said() {
    let mut fleet = Fleet::new(4);
    fleet.checkpoint = Some(Vec::new());
    for server in 0..3 {
        let _ = fleet.join(&format!("s{server}"));
        fleet.put(server, &format!("of {server}"), "v");
    }
    fleet.run(secs(10));
    fleet.crash(1);
    let again = join_behind(&mut fleet, "s1");
    assert_eq!(fleet.stats(again).refutations, 1);
    let took = fleet.run_until(secs(120), Fleet::agrees).unwrap();
    assert!(took <= millis(500), "{took:?}");
    assert_eq!((fleet.stats(0).outdated, lists(&fleet)), (0, 0));
}

#[test]
fn a_request_to_a_past_life_tells_of_it_as_well() {
    let mut fleet = fleet(1, 5);
    fleet.inject(0, r#"[1,2,"x",1,1,0,0,0,"s0",9,0,1]"#);
    fleet.run(secs(1));
    let joins = fleet.published.iter().filter(|(.., text)| text.starts_with(r#"[1,1,"s0","#));
    assert_eq!((fleet.stats(0).refutations, joins.count()), (1, 2), "it joins anew");
}

#[test]
fn claims_of_later_lives_are_believed_within_bounds() {
    let mut fleet = fleet(2, 6);
    let day = 24 * 60 * 60 * 1_000;
    let claim = |incarnation: u64, sequence: u64| {
        format!(r#"[1,6,"liar",1,{sequence},0,0,0,"s0",{incarnation},0,0,9007199254740991]"#)
    };
    fleet.inject(0, &claim(1 + day, 1));
    fleet.inject(0, &claim((1 << 53) - 1, 2));
    assert_eq!((fleet.stats(0).refutations, fleet.stats(0).disbelieved), (0, 2));
    for sequence in 3..100 {
        fleet.inject(0, &claim(sequence << 17, sequence));
        fleet.run(millis(100));
    }
    assert_eq!(fleet.stats(0).refutations, 8);
    fleet.run(secs(10));
    assert_eq!(fleet.owner(1, "of 0"), Some("s0"), "the frames of the liar are those of the liar");
    assert!(fleet.agrees() || fleet.stats(0).servers == 2);
}

#[test]
fn two_living_servers_of_one_name_do_not_lift_each_other_for_ever() {
    let mut fleet = fleet(3, 7);
    let twin = join_behind(&mut fleet, "s1");
    fleet.run(secs(600));
    let lifts = fleet.stats(1).refutations + fleet.stats(twin).refutations;
    assert!(lifts <= 2, "{lifts}");
    assert!(fleet.stats(1).impostors + fleet.stats(twin).impostors > 100, "one of them can tell");
}

#[test]
fn late_frames_of_a_past_life_change_nothing_and_cost_a_list_at_most() {
    let mut fleet = fleet(5, 8);
    let past: Vec<_> = fleet.published.iter().filter(|(_, from, _)| *from == 1).cloned().collect();
    fleet.crash(1);
    let again = fleet.join("s1");
    fleet.put(again, "new life", "v");
    fleet.run(secs(2));
    let (view, before) = (fleet.seen(0).clone(), lists(&fleet));
    for server in [0, 2, 3, 4, again] {
        past.iter().for_each(|(.., frame)| fleet.inject(server, frame));
    }
    fleet.run(secs(10));
    assert_eq!(fleet.seen(0), &view);
    assert!(lists(&fleet) - before <= 2, "{}", lists(&fleet) - before);
    assert_eq!(fleet.stats(again).refutations, 0);
}

/// Of three lives the last may hear of the first from one server, and another knows the second.
#[test]
fn lives_that_hear_of_the_same_past_life_go_on_above_it_differently() {
    let lifted = |seed: u64| {
        let mut fleet = fleet(1, seed);
        fleet.inject(0, r#"[1,2,"x",1,1,0,0,0,"s0",1000,0,1]"#);
        fleet.run(secs(3));
        let last: Vec<serde_json::Value> = serde_json::from_str(&fleet.published.last().unwrap().2).unwrap();
        last[3].as_u64().unwrap()
    };
    let (first, second) = (lifted(9), lifted(10));
    assert!(first > 1_000 && second > 1_000 && first != second, "{first} {second}");
}
