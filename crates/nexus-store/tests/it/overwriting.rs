//! A load that failed, and what the user may allow then.

use std::time::Duration;

use nexus_store::machine::Outcome;
use nexus_store::{FlushError, LoadState};
use serde_json::json;

use crate::world::{Faults, World, key};

const SECOND: Duration = Duration::from_secs(1);

fn allow(world: &mut World) {
    world.act(0, |machine, now, id| machine.allow_overwrite(now, id));
}

fn is_loaded(world: &World) -> bool {
    matches!(world.servers[0].view.load_state(), LoadState::Loaded)
}

/// A world whose record cannot be understood, with a write that waits.
fn stuck(value: &str, metadata: &str) -> World {
    let mut world = World::new(1);
    world.store_foreign(value, metadata);
    let stored = world.stored.get_mut(&key()).unwrap();
    stored.record = stored.record.clone().with_users(["7".into()]);
    world.join();
    world.run(SECOND * 5);
    world.set(0, "a", json!(1));
    world.run(SECOND * 10);
    assert!(!is_loaded(&world) && world.puts == 0);
    world
}

#[test]
fn what_makes_no_sense_is_overwritten_once_that_is_allowed() {
    for value in ["[1]", "null", "{", "\"text\""] {
        let mut world = stuck(value, "");
        allow(&mut world);
        let flush = world.flush(0);
        assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Err(FlushError::NotLoaded)))));
        world.run(SECOND * 5);
        assert!(is_loaded(&world));
        assert_eq!(world.stored_value(), json!({"a": 1}));
        assert_eq!(world.stored_users().len(), 1, "tags are kept");
        assert!(world.servers[0].machine.stats().foreign_writes > 0);
    }
}

#[test]
fn fields_beside_bookkeeping_of_a_later_version_are_kept() {
    let mut world = stuck(r#"{"b":2}"#, "N2AAAAAAAAAAAAAA");
    allow(&mut world);
    world.run(SECOND * 5);
    assert_eq!(world.stored_value(), json!({"a": 1, "b": 2}));
}

#[test]
fn the_permission_is_for_one_failed_load_only() {
    let mut world = stuck("[1]", "");
    allow(&mut world);
    world.run(SECOND * 5);
    world.store_foreign("[2]", "");
    world.gap_everywhere();
    world.set(0, "a", json!(2));
    world.run(SECOND * 10);
    assert!(!is_loaded(&world));
    assert_eq!(world.stored_value(), json!([2]));
}

#[test]
fn a_store_that_does_not_answer_is_waited_for_and_nothing_is_replaced_unseen() {
    let mut world = World::new(1);
    world.store_foreign(r#"{"coins":100}"#, "");
    world.faults = Faults { unavailable: 100, ..Faults::default() };
    world.join();
    world.run(SECOND * 5);
    allow(&mut world);
    world.increment(0, "coins", 5);
    world.run(SECOND * 20);
    assert_eq!(world.puts, 0);
    world.faults = Faults::default();
    world.run(SECOND * 20);
    assert_eq!(world.stored_value(), json!({"coins": 105}));
}
