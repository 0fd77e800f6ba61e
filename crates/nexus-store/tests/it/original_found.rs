//! The profiles on the original's wire, and what they find in the store.

use std::sync::Arc;
use std::time::Duration;

use nexus_store::machine::{Input, Outcome, Ticket, UpdateOutcome};
use nexus_store::{Change, Config, FlushError, LoadState};
use serde_json::{Value, json};
use transport_traits::Record;

use crate::original_world::{Fault, World};

const SECOND: Duration = Duration::from_secs(1);

/// A world with this in the store, and one server.
fn holding(value: &str, config: Config) -> World {
    let mut world = World::new(7);
    world.commit(Record::new(value).with_users(["7".into()]).with_metadata("o1.5-5"));
    world.join(config);
    world.run(SECOND);
    world
}

fn outcome(world: &World, ticket: Ticket) -> Option<&Outcome> {
    world.servers[0].done.get(&ticket)
}

fn is_not_loaded(world: &World, flush: Ticket) -> bool {
    matches!(outcome(world, flush), Some(Outcome::Flushed(Err(FlushError::NotLoaded))))
}

fn is_flushed(world: &World, flush: Ticket) -> bool {
    matches!(outcome(world, flush), Some(Outcome::Flushed(Ok(()))))
}

fn has_failed(world: &World) -> bool {
    matches!(world.servers[0].view.load_state(), LoadState::Failed(_))
}

fn allow(world: &mut World) {
    world.act(0, |machine, _, id| machine.allow_overwrite(id, true));
}

#[test]
fn a_write_that_changes_nothing_here_is_compared_with_what_is_stored() {
    let mut world = holding(r#"{"a":1,"n":5}"#, Config::nexus());
    world.commit_foreign(&json!({ "a": 2, "n": 0 }));
    let changes = vec![("a".into(), Change::Set(Arc::new(json!(1)))), ("n".into(), Change::Max(5.into()))];
    world.act(0, |machine, now, id| machine.write_all(now, id, changes)).unwrap();
    let flush = world.flush(0);
    world.run(SECOND);
    assert!(is_flushed(&world, flush));
    assert_eq!((world.stored_value(), world.puts), (json!({ "a": 1, "n": 5 }), 1));
    let gets = world.gets;
    world.set(0, "a", json!(1));
    let flush = world.flush(0);
    world.run(SECOND);
    assert!(is_flushed(&world, flush));
    assert_eq!((world.gets - gets, world.puts), (1, 1), "a look is enough where it is stored");
}

#[test]
fn what_is_no_object_is_overwritten_once_that_is_allowed_in_both_profiles() {
    for config in [Config::nexus(), Config::strict_nexus()] {
        for value in ["[1]", "null", "{", "\"text\""] {
            let mut world = holding(value, config.clone());
            world.set(0, "a", json!(1));
            world.run(SECOND * 20);
            assert!(has_failed(&world) && world.puts == 0, "{value}");
            let flush = world.flush(0);
            world.run(SECOND);
            assert!(is_not_loaded(&world, flush), "{value}");
            allow(&mut world);
            let flush = world.flush(0);
            world.run(SECOND);
            assert!(is_flushed(&world, flush), "{value}");
            let stored = world.stored.as_ref().expect("stored");
            assert_eq!(
                (&*stored.record.value, stored.record.users.len()),
                (r#"{"a":1}"#, 1),
                "tags are kept"
            );
            assert!(!stored.record.metadata.contains("5-5"), "what is given up has no history");
        }
    }
}

#[test]
fn the_leave_to_overwrite_is_for_one_failed_load_where_loads_are_tried_again() {
    let mut world = holding("[1]", Config::nexus());
    allow(&mut world);
    world.run(SECOND * 5);
    world.give(0, Input::Gap(world.servers[0].record));
    world.run(SECOND);
    assert!(!has_failed(&world) && world.puts == 0, "an empty record, until something is written");
    world.commit(Record::new("[2]"));
    world.set(0, "a", json!(1));
    let flush = world.flush(0);
    world.run(SECOND * 60);
    assert!(has_failed(&world) && is_not_loaded(&world, flush));
    assert_eq!((world.stored_value(), world.seen(0, "a")), (json!([2]), json!(1)), "kept");
    world.commit_foreign(&json!({ "b": 2 }));
    world.run(SECOND * 60);
    assert_eq!(world.stored_value(), json!({ "a": 1, "b": 2 }), "saved once it can be");
}

#[test]
fn a_record_that_becomes_no_object_is_not_written_and_all_who_wait_are_told() {
    let mut world = holding(r#"{"kept":1}"#, Config::nexus());
    world.commit(Record::new("[1]"));
    world.increment(0, "n");
    let (flush, first, second) = (world.flush(0), world.update(0, &["n"]), world.update(0, &["n"]));
    world.run(SECOND * 5);
    assert!(is_not_loaded(&world, flush) && has_failed(&world));
    for update in [first, second] {
        let outcome = outcome(&world, update);
        assert!(matches!(outcome, Some(Outcome::Updated(UpdateOutcome::NotLoaded))), "{outcome:?}");
    }
    assert_eq!(world.stored_value(), json!([1]));
    world.commit_foreign(&json!({ "kept": 2 }));
    world.run(SECOND * 60);
    assert_eq!(world.stored_value(), json!({ "kept": 2, "n": 1 }));
    assert!(!has_failed(&world));
}

#[test]
fn a_look_finds_a_record_that_became_no_object() {
    let mut world = holding(r#"{"kept":1}"#, Config::nexus());
    world.commit(Record::new("[1]"));
    world.give(0, Input::Gap(world.servers[0].record));
    world.run(SECOND);
    assert!(has_failed(&world));
    assert_eq!(world.seen(0, "kept"), json!(1), "what was there stays visible");
    world.commit_foreign(&json!({ "kept": 2 }));
    world.run(SECOND * 60);
    assert!(!has_failed(&world));
    assert_eq!(world.seen(0, "kept"), json!(2));
}

#[test]
fn a_write_of_unknown_outcome_before_a_record_that_became_no_object_is_undetermined() {
    let mut world = holding("{}", Config::nexus());
    world.faults = vec![Fault::UnknownBefore];
    world.increment(0, "n");
    let flush = world.flush(0);
    world.commit(Record::new("[1]"));
    world.run(SECOND * 5);
    assert!(has_failed(&world) && is_not_loaded(&world, flush));
    world.commit_foreign(&json!({}));
    world.run(SECOND * 60);
    let flush = world.flush(0);
    world.run(SECOND);
    let told = outcome(&world, flush);
    assert!(matches!(told, Some(Outcome::Flushed(Err(FlushError::Undetermined { operations: 1 })))));
    assert_eq!((world.stored_value(), world.seen(0, "n")), (json!({}), Value::Null), "never repeated");
}
