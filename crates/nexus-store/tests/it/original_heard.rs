//! The profiles on the original's wire, and what they hear of others: Sets, gaps, floods.

use std::time::Duration;

use nexus_store::machine::{Input, Outcome, Output, Scope, UpdateOutcome, original};
use nexus_store::{Change, Config};
use serde_json::{Value, json};
use transport_traits::{BusLimits, Instant, RecordKey, StoreLimits};

use crate::functions::add_one;
use crate::original_world::{Fault, World, set_message};
use crate::world::{START, key};

const SECOND: Duration = Duration::from_secs(1);

fn alone(config: Config) -> World {
    let mut world = World::new(7);
    world.join(config);
    world.run(SECOND);
    world
}

#[test]
fn a_gap_in_what_is_heard_makes_a_server_look() {
    let mut world = alone(Config::nexus());
    world.commit_foreign(&json!({ "n": 1 }));
    world.run(SECOND * 5);
    assert_eq!(world.seen(0, "n"), Value::Null, "nobody told");
    world.give(0, Input::Gap(world.servers[0].record));
    world.run(SECOND);
    assert_eq!(world.seen(0, "n"), json!(1));
}

#[test]
fn a_flood_of_sets_is_bounded_in_both_profiles_and_what_is_stored_heals_it() {
    for config in [Config::nexus(), Config::strict_nexus()] {
        let room = config.max_foreign_bytes;
        let mut world = alone(config);
        let all = |n: usize| format!("field {n}");
        for n in 0..1_000 {
            world.hear(0, &set_message(&all(n), &json!("x".repeat(1_000)), Some("{an original}")));
        }
        let heard = world.servers[0].view.snapshot().len();
        assert!((room / 2_000..=room / 1_000).contains(&heard), "{heard} fields");
        assert_eq!(world.servers[0].machine.stats().dropped, 1_000 - heard as u64);
        assert_eq!(world.servers[0].machine.stats().journal_bytes, 0, "none of it is ours");
        let stored = (0..1_000).map(|n| (all(n), json!(n))).collect();
        world.commit_foreign(&Value::Object(stored));
        world.run(SECOND * 30);
        let seen = |n: usize| world.seen(0, &all(n));
        assert_eq!((world.servers[0].view.snapshot().len(), seen(999)), (1_000, json!(999)));
        // There is room again.
        world.hear(0, &set_message("one more", &json!(1), Some("{an original}")));
        assert_eq!(world.seen(0, "one more"), json!(1));
    }
}

#[test]
fn a_field_that_is_set_again_and_again_takes_room_once() {
    for config in [Config::nexus(), Config::strict_nexus()] {
        let mut world = alone(config);
        for n in 0..1_000 {
            world.hear(0, &set_message("n", &json!([n, "x".repeat(1_000)]), Some("{an original}")));
        }
        assert_eq!(world.seen(0, "n")[0], json!(999));
    }
}

#[test]
fn an_update_of_a_closed_record_subscribes_to_nothing_and_leaves_nothing_open_in_either_profile() {
    for config in [Config::nexus(), Config::strict_nexus()] {
        let now = Instant::ZERO;
        let (store, bus) = (StoreLimits::default(), BusLimits::default());
        let mut machine = original::Machine::new(config, store, bus, now, START);
        let once = machine.update_once(now, RecordKey::new("s", "k"), Scope::Fields(&["n"])).unwrap();
        let (mut told, mut answer) = (0, None);
        while let Some(output) = machine.poll(now) {
            match output {
                Output::Get(id, _) => machine.handle(now, Input::Got(id, Ok(None))),
                Output::RunUpdate(ticket, input) => {
                    machine.handle(now, Input::UpdateRan(ticket, add_one(&input)));
                }
                Output::Put(id, _, record, _) => {
                    assert_eq!(&*record.value, r#"{"n":1}"#);
                    machine.handle(now, Input::PutDone(id, Ok(transport_traits::Version::new("1"))));
                }
                Output::Publish(id, _) => {
                    told += 1;
                    machine.handle(now, Input::Published(id, Ok(())));
                }
                Output::Subscribe(..) => panic!("nobody listens"),
                Output::Done(ticket, outcome) => answer = (ticket == once).then_some(outcome),
                Output::Changed(..) | Output::Closed(_) => {}
            }
        }
        assert!(matches!(answer, Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
        assert_eq!((told, machine.stats().records), (1, 0), "those who have it open are told");
    }
}

#[test]
fn while_the_bus_takes_nothing_records_beside_originals_are_forgotten_and_a_shutdown_ends() {
    let mut world = alone(Config::nexus());
    world.deaf = true;
    let other = RecordKey::new("other", "8");
    world.act(0, |machine, now, _| machine.update_once(now, other, Scope::Fields(&["n"])).unwrap());
    world.run(SECOND * 60);
    let stats = world.servers[0].machine.stats();
    assert_eq!((stats.commits, stats.records), (1, 1), "what is held stays");
    world.increment(0, "n");
    let over = world.act(0, |machine, now, _| machine.shut_down(now));
    world.run(SECOND * 5);
    let outcome = world.servers[0].done.get(&over);
    assert!(matches!(outcome, Some(Outcome::ShutDown(report)) if report.unsaved.is_empty()), "{outcome:?}");
}

#[test]
fn a_record_that_is_opened_during_such_an_update_listens_and_stays() {
    let now = Instant::ZERO;
    let (store, bus) = (StoreLimits::default(), BusLimits::default());
    let mut machine = original::Machine::new(Config::nexus(), store, bus, now, START);
    machine.update_once(now, RecordKey::new("s", "k"), Scope::Fields(&["n"])).unwrap();
    machine.open(now, RecordKey::new("s", "k")).unwrap();
    let outputs: Vec<Output> = std::iter::from_fn(|| machine.poll(now)).collect();
    assert!(outputs.iter().any(|output| matches!(output, Output::Subscribe(..))));
    assert_eq!(machine.stats().records, 1);
}

#[test]
fn equal_keys_of_two_stores_mix_beside_originals() {
    // weakness 15 (shared-channel): the topic names no store, and so it is to stay beside originals.
    let now = Instant::ZERO;
    let (store, bus) = (StoreLimits::default(), BusLimits::default());
    let mut machine = original::Machine::new(Config::nexus(), store, bus, now, START);
    let keys = ["a", "b"].map(|store| RecordKey::new(store, "k"));
    let [a, b] = keys.map(|key| machine.open(now, key).unwrap());
    let (mut topics, mut puts) = (Vec::new(), Vec::new());
    // An original sets `n` in store a; all that listen hear it.
    let body = Value::String(set_message("n", &json!(10), Some("{an original}")).to_string()).to_string();
    for told in [false, true] {
        if told {
            for id in [a.0, b.0] {
                machine.handle(now, Input::Received(id, body.clone().into()));
            }
            machine.write(now, b.0, "n", Change::Increment(1.into())).unwrap();
        }
        while let Some(output) = machine.poll(now) {
            match output {
                Output::Subscribe(id, topic) => {
                    topics.push(topic);
                    machine.handle(now, Input::Subscribed(id, Ok(())));
                }
                Output::Get(id, _) => machine.handle(now, Input::Got(id, Ok(None))),
                Output::Put(_, key, record, _) => {
                    puts.push((key.store.to_string(), record.value.to_string()))
                }
                _ => {}
            }
        }
    }
    assert_eq!(topics, ["NSD_k".into(), "NSD_k".into()] as [transport_traits::Topic; 2]);
    assert_eq!([a, b].map(|(_, view, _)| view.get("n")), [10, 11].map(|n| Some(json!(n).into())));
    assert_eq!(puts, [("b".to_owned(), r#"{"n":11}"#.to_owned())], "what was set in a is durable in b");
}

#[test]
fn what_a_record_beside_originals_was_forgotten_with_is_in_the_report() {
    let mut world = alone(Config::nexus());
    world.faults = vec![Fault::UnknownAndOverwritten];
    world.increment(0, "n");
    world.run(SECOND);
    world.give(0, Input::Release(world.servers[0].record));
    world.run(SECOND * 60);
    let stats = world.servers[0].machine.stats();
    assert_eq!((stats.records, stats.undetermined), (0, 1), "forgotten");
    let over = world.act(0, |machine, now, _| machine.shut_down(now));
    let Some(Outcome::ShutDown(report)) = world.servers[0].done.get(&over) else { panic!("it is over") };
    let told: Vec<_> = report.unsaved.iter().map(|unsaved| (&unsaved.key, unsaved.undetermined)).collect();
    assert_eq!(told, [(&key(), 1)]);
    let again = world.act(0, |machine, now, _| machine.shut_down(now));
    assert!(matches!(&world.servers[0].done[&again], Outcome::ShutDown(report) if report.unsaved.len() == 1));
}
