//! What services allow, kept to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use nexus_store::FlushError;
use nexus_store::machine::{Input, Machine, Outcome, Output, UpdateOutcome};
use nexus_store::{Change, Config};
use serde_json::{Value, json};
use transport_traits::limits::FleetRate;
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, ErrorKind, Instant, RecordKey, StoreLimits, Stored, Version, presets};

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

/// One record is written and flushed without end, some are read without end, and others written once, within a
/// minute's budget of 60: all are stored.
fn check_turns(limits: StoreLimits) {
    const OTHERS: usize = 20;
    let config = Config { writer: Some(1), seed: Some(1), ..Config::default() };
    let mut machine = Machine::new(config, limits, BusLimits::default(), Instant::ZERO, START);
    let mut open = |name: String| machine.open(Instant::ZERO, RecordKey::new("s", name)).unwrap().0;
    let mut open_all =
        |name: &str, count| (0..count).map(|n| open(format!("{name} {n}"))).collect::<Vec<_>>();
    let (busy, read, others) = (open_all("busy", 1)[0], open_all("read", 10), open_all("other", OTHERS));
    let (mut version, mut waiting, mut stored) = (0, 0, BTreeMap::new());
    for step in 0..6_000 {
        let now = Instant::ZERO + Duration::from_millis(50) * step;
        if step == 1_200 {
            for &id in &others {
                machine.write(now, id, "n", Change::Increment(1.into())).unwrap();
            }
        }
        if waiting == 0 {
            machine.write(now, busy, "n", Change::Increment(1.into())).unwrap();
            machine.flush(now, busy);
            waiting += 1;
        }
        read.iter().for_each(|&id| machine.handle(now, Input::Gap(id)));
        while let Some(output) = machine.poll(now) {
            match output {
                Output::Get(id, _) => machine.handle(now, Input::Got(id, Ok(stored.get(&id).cloned()))),
                Output::Put(id, _, record, _) => {
                    version += 1;
                    let version = Version::new(version.to_string());
                    stored.insert(id, Stored { record, version: version.clone(), modified: START });
                    machine.handle(now, Input::PutDone(id, Ok(version)));
                }
                Output::Publish(id, _) => machine.handle(now, Input::Published(id, Ok(()))),
                Output::Subscribe(id, _) => machine.handle(now, Input::Subscribed(id, Ok(()))),
                Output::Done(_, Outcome::Flushed(_)) => waiting -= 1,
                _ => {}
            }
        }
    }
    assert!(others.iter().all(|id| stored.contains_key(id)), "{} of {OTHERS}", stored.len() - 1);
    assert!(stored.contains_key(&busy), "nor is it held back");
}

#[test]
fn a_record_that_is_always_busy_leaves_the_others_their_turn() {
    let mut limits = StoreLimits::default();
    limits.writes = Some(FleetRate::per_minute(60));
    check_turns(limits);
    let mut limits = StoreLimits::default();
    limits.requests = Some(FleetRate::per_minute(60));
    check_turns(limits);
}

#[test]
fn a_record_over_the_limit_is_refused_kept_and_stored_once_it_fits() {
    let mut world = World::new(1);
    world.store_limits.value = Some(SizeLimit::bytes(100));
    world.join();
    world.run(SECOND);
    world.set(0, "a", json!("x".repeat(92))); // With its name and the braces 100.
    let flush = world.flush(0);
    world.run(SECOND * 5);
    assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Ok(())))), "exactly at the limit");
    let update = world.update(0, &["b"]);
    world.run(SECOND * 5);
    let Some(Outcome::Updated(UpdateOutcome::Refused(error))) = world.outcome(0, update) else { panic!() };
    assert!(matches!(error.kind(), ErrorKind::TooLarge { size: 106, limit: 100 }));

    world.set(0, "b", json!("y".repeat(50)));
    let flush = world.flush(0);
    world.run(SECOND * 5);
    let outcome = world.outcome(0, flush);
    assert!(matches!(outcome, Some(Outcome::Flushed(Err(FlushError::Refused(_))))), "{outcome:?}");
    assert_eq!(world.seen(0, "b"), json!("y".repeat(50)), "kept");
    world.write(0, "a", Change::Remove);
    let flush = world.flush(0);
    world.run(SECOND * 5);
    assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Ok(())))));
    assert_eq!(world.stored_value(), json!({"b": "y".repeat(50)}));
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
