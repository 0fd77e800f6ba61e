//! What services allow, kept to.

use std::time::Duration;

use nexus_store::machine::{Outcome, UpdateOutcome};
use serde_json::{Value, json};
use transport_traits::limits::FleetRate;
use transport_traits::presets;

use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn metadata_of_300_characters_is_enough_and_never_exceeded() {
    // The world checks the limit at every write.
    let mut world = World::new(1);
    world.store_limits = presets::ROBLOX_DATA_STORE;
    let mut total = 0;
    for _ in 0..40 {
        let server = world.join();
        world.run(SECOND);
        world.increment(server, "n", 1);
        world.flush(server);
        world.run(SECOND * 6);
        total += 1;
    }
    world.run(SECOND * 30);
    assert_eq!(world.stored_value(), json!({"n": total}));
    let pruned = world.stored.values().next().unwrap().record.metadata.len();
    assert!(pruned > 200, "the table is as full as it may be: {pruned}");
}

#[test]
fn a_crowd_of_writers_waits_for_room_and_loses_nothing() {
    let mut world = World::new(1);
    world.config.max_writers = 3;
    world.join_all(6);
    world.run(SECOND);
    for server in 0..6 {
        world.increment(server, "n", 1);
    }
    world.run(SECOND * 400);
    assert_eq!(world.stored_value(), json!({"n": 6}));
    let undetermined: u64 = world.servers.iter().map(|server| server.machine.stats().undetermined).sum();
    assert_eq!(undetermined, 0);
}

#[test]
fn messages_fit_the_bus_whatever_is_in_them() {
    // The world checks the limit at every publish.
    let mut world = World::new(1);
    world.bus_limits = presets::ROBLOX_MESSAGING;
    world.join_all(2);
    world.run(SECOND);
    for n in 0..60 {
        let text = "\"\\\u{1}é".repeat(n);
        world.set(n % 2, &format!("field \"{n}\""), json!({"text": text}));
        world.run(Duration::from_millis(200));
    }
    world.update(0, &["a", "b", "c"]);
    world.run(SECOND * 60);
    let stored = world.stored_value();
    assert_eq!(stored.as_object().map(serde_json::Map::len), Some(63));
    assert!(
        (0..2).all(|server| serde_json::to_value(&*world.servers[server].view.snapshot()).unwrap() == stored)
    );
}

#[test]
fn store_requests_keep_to_the_budget() {
    let mut world = World::new(1);
    world.store_limits.writes = Some(FleetRate::per_minute(8));
    world.config.flush_delay = Duration::from_millis(100);
    world.join();
    world.run(SECOND);
    for _ in 0..600 {
        world.increment(0, "n", 1);
        world.run(Duration::from_millis(100));
    }
    assert!(world.puts <= 8, "{} writes in a minute", world.puts);
    let flush = world.flush(0);
    world.run(SECOND * 30);
    assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Ok(())))));
    assert_eq!(world.stored_value()["n"], Value::from(600));
}

#[test]
fn a_crowd_that_keeps_writing_is_saved_as_fast_as_there_is_room() {
    let mut world = World::new(1);
    world.config.max_writers = 3;
    world.join_all(6);
    world.run(SECOND);
    for n in 0..240 {
        world.increment(n % 6, "n", 1);
        world.run(Duration::from_millis(50));
    }
    world.run(SECOND * 10);
    assert_eq!(world.stored_value(), json!({"n": 120}), "three of six had room");
    world.run(SECOND * 170);
    assert_eq!(world.stored_value(), json!({"n": 240}));
}

#[test]
fn a_bus_that_takes_nothing_fills_no_memory() {
    let mut world = World::with_servers(1, 1);
    world.faults.publish_failure = 100;
    for n in 0..600 {
        world.set(0, &format!("field {}", n % 5), json!("x".repeat(4_000)));
        world.run(SECOND * 3);
    }
    world.faults.publish_failure = 0;
    let told = world.messages.len();
    world.run(SECOND * 60);
    let longest = world.messages[told..].iter().map(bytes::Bytes::len).max();
    assert!(longest.is_some_and(|longest| longest < 300 << 10), "{longest:?}");
}

#[test]
fn a_table_that_filled_up_at_once_has_room_for_later_servers() {
    let mut world = World::new(1);
    world.config.max_writers = 3;
    world.join_all(3);
    world.run(SECOND);
    world.increment(0, "n", 1); // The table's first commit: ages are known up to here only.
    world.run(SECOND * 5);
    for server in 0..3 {
        world.increment(server, "n", 1);
    }
    world.run(SECOND * 5);
    for server in 0..3 {
        world.servers[server].alive = false;
    }
    world.run(SECOND * 3_600);
    let server = world.join();
    world.run(SECOND);
    world.increment(server, "n", 1);
    let flush = world.flush(server);
    world.run(SECOND * 100);
    assert!(matches!(world.outcome(server, flush), Some(Outcome::Flushed(Ok(())))));
    assert_eq!(world.stored_value(), json!({"n": 5}));
}

#[test]
fn an_update_that_finds_no_room_beside_the_writes_it_saw_lets_them_go_first() {
    let mut world = World::new(1);
    world.config.max_writers = 2;
    world.join_all(3);
    world.run(SECOND);
    for server in 0..2 {
        world.increment(server, "n", 1);
        world.run(Duration::from_millis(450));
        world.servers[server].alive = false;
    }
    assert_eq!(world.seen(2, "n"), json!(2));
    let update = world.update(2, &["n"]);
    world.run(SECOND * 5);
    assert_eq!(world.stored_value(), json!({"n": 2}));
    world.run(SECOND * 100);
    assert!(matches!(world.outcome(2, update), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert_eq!(world.stored_value(), json!({"n": 3}));
}
