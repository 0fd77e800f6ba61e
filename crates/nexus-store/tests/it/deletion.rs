//! Deleting a record: what vanishes, and what can never come back.

use std::time::Duration;

use futures::StreamExt;
use futures::executor::block_on;
use nexus_store::Update;
use nexus_store::machine::{Input, Outcome, UpdateOutcome};
use serde_json::json;
use transport_traits::{DataStore, Record};

use crate::driver::{in_memory, key, stored};
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_deleted_record_is_empty_untagged_and_can_be_written_again() {
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    ann.set("a", 1).unwrap();
    setup.run(ann.add_user("7")).unwrap();
    ann.increment("b", 1).unwrap(); // Not stored yet.
    let mut updates = ann.on_any_update();
    setup.run(ann.delete()).unwrap();
    let record: Record = block_on(data.get(key())).unwrap().unwrap().record;
    assert_eq!((&*record.value, record.users.len()), ("{}", 0));
    assert!(record.metadata.starts_with("N1"), "the bookkeeping stays");
    assert!(ann.snapshot().is_empty() && ann.users().is_empty());
    for expected in ["a", "b"] {
        let update = block_on(updates.next());
        assert!(matches!(update, Some(Update::Changed { field, new: None, .. }) if &*field == expected));
    }
    ann.set("a", 2).unwrap();
    setup.run(ann.flush()).unwrap();
    assert_eq!(stored(&data), json!({"a": 2}));
}

#[test]
fn deleting_what_is_not_there_writes_nothing() {
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    setup.run(ann.delete()).unwrap();
    assert!(block_on(data.get(key())).unwrap().is_none());
}

#[test]
fn other_servers_see_each_field_go() {
    let mut world = World::with_servers(1, 3);
    world.set(0, "a", json!(1));
    world.increment(1, "b", 2);
    world.run(SECOND * 10);
    let delete = world.delete(0);
    world.run(SECOND * 5);
    assert!(matches!(world.outcome(0, delete), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    for server in 0..3 {
        assert!(world.servers[server].view.snapshot().is_empty());
        assert!(world.servers[server].mirror.is_empty(), "server {server} told each removal");
    }
}

#[test]
fn a_write_that_was_stored_and_missed_does_not_come_back_after_the_deletion() {
    // The writer's answer and every message are lost: it cannot know that its write was stored.
    let mut world = World::with_servers(1, 2);
    world.increment(0, "coins", 100);
    world.run(SECOND); // Published: the other server has it.
    world.faults.bus_loss = 100;
    world.faults.unknown_after = 100;
    let flush = world.flush(0);
    world.run(Duration::from_millis(600));
    assert_eq!(world.stored_value(), json!({"coins": 100}));
    world.faults.unknown_after = 0;
    world.faults.unavailable = 100; // It does not learn either.
    let record = world.servers[1].record;
    world.run(SECOND);
    world.faults.unavailable = 0;
    world.servers[0].alive = false; // A long pause.
    world.give(1, Input::Gap(record));
    let delete = world.delete(1);
    world.run(SECOND * 10);
    assert!(matches!(world.outcome(1, delete), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert_eq!(world.stored_value(), json!({}));
    world.servers[0].alive = true;
    world.faults.bus_loss = 0;
    world.run(SECOND * 60);
    assert!(world.outcome(0, flush).is_some());
    assert_eq!(world.stored_value(), json!({}), "what was applied once stays deleted");
    assert!((0..2).all(|server| world.servers[server].view.snapshot().is_empty()));
}

#[test]
fn a_late_message_of_a_stored_write_does_not_bring_it_back() {
    let mut world = World::with_servers(1, 2);
    world.increment(0, "coins", 100);
    world.run(SECOND * 10);
    let late = world.messages[0].clone();
    world.delete(1);
    world.run(SECOND * 5);
    for server in 0..2 {
        let record = world.servers[server].record;
        world.give(server, Input::Received(record, late.clone()));
    }
    world.run(SECOND * 60);
    assert_eq!(world.stored_value(), json!({}));
}

#[test]
fn writes_that_the_deleting_server_did_not_see_count_as_made_after_it() {
    let mut world = World::with_servers(1, 2);
    world.increment(0, "coins", 100);
    world.run(SECOND * 10);
    world.faults.bus_loss = 100;
    world.increment(0, "coins", 1);
    let delete = world.delete(1);
    world.run(SECOND * 20);
    assert!(matches!(world.outcome(1, delete), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert_eq!(world.stored_value(), json!({"coins": 1}));
}

#[test]
fn what_another_program_deleted_does_not_come_back_with_a_late_message() {
    let mut world = World::with_servers(1, 2);
    world.increment(0, "coins", 100);
    world.run(SECOND * 10);
    let late = world.messages[0].clone();
    world.stored.clear(); // With all its bookkeeping.
    world.gap_everywhere();
    world.run(SECOND * 5);
    let record = world.servers[1].record;
    world.give(1, Input::Received(record, late));
    world.run(SECOND * 60);
    assert!(world.stored.is_empty(), "{}", world.stored_value());
    assert_eq!(world.seen(1, "coins"), json!(null));
}
