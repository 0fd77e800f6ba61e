//! What services allow, kept to.

use std::sync::Arc;
use std::time::Duration;

use nexus_store::machine::{Input, Machine, Outcome, Output};
use nexus_store::{Change, Config};
use serde_json::{Value, json};
use transport_traits::limits::FleetRate;
use transport_traits::{Instant, RecordKey, StoreLimits, presets};

use crate::world::{START, World};

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
fn messages_fit_the_bus_whatever_is_in_them() {
    // Weakness 12 (unchecked-length). The world checks the limit at every publish.
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
fn while_a_publish_is_slow_nothing_overtakes_it_and_what_waits_still_fits() {
    // Weakness 11 (slow-publish-overfills).
    let world = World::new(1);
    let config = Config { writer: Some(9), seed: Some(1), ..world.config };
    let mut machine =
        Machine::new(config, StoreLimits::default(), presets::ROBLOX_MESSAGING, Instant::ZERO, START);
    let (id, ..) = machine.open(Instant::ZERO, RecordKey::new("players", "7")).unwrap();
    let mut now = Instant::ZERO;
    let mut bodies: Vec<usize> = Vec::new();
    let mut turn = |machine: &mut Machine, now| {
        while let Some(output) = machine.poll(now) {
            match output {
                Output::Subscribe(id, _) => machine.handle(now, Input::Subscribed(id, Ok(()))),
                Output::Get(id, _) => machine.handle(now, Input::Got(id, Ok(None))),
                Output::Publish(_, message) => bodies.push(message.body.len()), // Never answered.
                _ => {}
            }
        }
        bodies.clone()
    };
    turn(&mut machine, now);
    for n in 0..40 {
        let change = Change::Set(Arc::new("x".repeat(300).into()));
        machine.write(now, id, &format!("f{n}"), change).unwrap();
        now += SECOND;
        assert_eq!(turn(&mut machine, now).len(), 1, "one under way");
    }
    machine.handle(now, Input::Published(id, Ok(())));
    now += SECOND * 2;
    let bodies = turn(&mut machine, now);
    assert_eq!(bodies.len(), 2);
    assert!(bodies.iter().all(|body| *body <= 1_024), "{bodies:?}");
}
