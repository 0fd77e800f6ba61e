//! A store and a bus that fail, one way at a time.

use std::time::Duration;

use nexus_store::machine::{Outcome, UpdateOutcome};
use nexus_store::{Change, FlushError, LoadState, WriteError};
use serde_json::json;

use crate::world::{Faults, World, key};

const SECOND: Duration = Duration::from_secs(1);

fn flushed(world: &World, ticket: nexus_store::machine::Ticket) -> bool {
    matches!(world.outcome(0, ticket), Some(Outcome::Flushed(Ok(()))))
}

#[test]
fn a_write_whose_answer_is_lost_counts_once() {
    // Weakness 3 (conflict-loses-write), weakness 4 (unknown-outcome).
    let unknowns = [
        Faults { unknown_before: 100, ..Faults::default() },
        Faults { unknown_after: 100, ..Faults::default() },
        Faults { unknown_late: 100, ..Faults::default() },
    ];
    for faults in unknowns {
        let mut world = World::with_servers(7, 2);
        world.increment(0, "coins", 1);
        let update = world.update(0, &["n"]);
        world.faults = faults;
        let flush = world.flush(0);
        world.run(SECOND * 2);
        assert!(!flushed(&world, flush), "{faults:?}: nothing is known yet");
        world.faults = Faults::default();
        world.run(SECOND * 30);
        assert!(flushed(&world, flush), "{faults:?}");
        assert!(matches!(world.outcome(0, update), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
        assert_eq!(world.stored_value(), json!({"coins": 1, "n": 1}), "{faults:?}");
        assert_eq!(world.seen(1, "n"), json!(1), "{faults:?}");
    }
}

#[test]
fn a_store_that_is_down_for_an_hour_costs_nothing_but_memory() {
    let mut world = World::with_servers(1, 2);
    world.faults = Faults { unavailable: 100, ..Faults::default() };
    for _ in 0..360 {
        world.increment(0, "coins", 1);
        world.run(SECOND * 10);
    }
    assert!(world.puts < 3_000, "requests back off: {}", world.puts);
    world.faults = Faults::default();
    world.run(SECOND * 60);
    assert_eq!(world.stored_value(), json!({"coins": 360}));
    world.gap_everywhere();
    world.run(SECOND * 5);
    assert_eq!(world.seen(1, "coins"), json!(360));
}

#[test]
fn a_full_journal_refuses_writes_and_keeps_what_it_has() {
    let mut world = World::new(1);
    world.config.max_journal_bytes = 2_000;
    world.join();
    world.run(SECOND);
    world.faults = Faults { unavailable: 100, ..Faults::default() };
    world.set(0, "a", json!("x".repeat(1_200)));
    let change = Change::Set(std::sync::Arc::new(json!("y".repeat(500))));
    let refused = world.act(0, |machine, now, id| machine.write(now, id, "b", change));
    assert_eq!(refused, Err(WriteError::JournalFull));
    world.faults = Faults::default();
    world.run(SECOND * 20);
    assert_eq!(world.stored_value()["a"].as_str().map(str::len), Some(1_200));
    world.set(0, "b", json!(1));
}

#[test]
fn a_failed_load_keeps_writes_and_never_overwrites_what_is_stored() {
    let mut world = World::new(1);
    world.store_foreign(r#"{"coins":100}"#, "");
    world.faults = Faults { unavailable: 100, ..Faults::default() };
    world.join();
    world.run(SECOND * 5);
    assert!(matches!(world.servers[0].view.load_state(), LoadState::Failed(_)));
    world.increment(0, "coins", 5);
    assert_eq!(world.seen(0, "coins"), json!(5), "visible here");
    let (flush, update) = (world.flush(0), world.update(0, &["coins"]));
    assert!(world.outcome(0, flush).is_none() && world.outcome(0, update).is_none(), "they wait");
    assert!(world.messages.is_empty(), "nothing is published before the load");
    world.faults = Faults::default();
    world.run(SECOND * 20);
    assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Ok(())))));
    assert!(matches!(world.outcome(0, update), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert_eq!(world.stored_value(), json!({"coins": 106}));
    assert!(matches!(world.servers[0].view.load_state(), LoadState::Loaded));
}

#[test]
fn failed_publishes_lose_nothing() {
    // Weakness 10 (failed-publish-loses-batch).
    let mut world = World::with_servers(3, 2);
    world.faults.publish_failure = 100;
    world.increment(0, "coins", 1);
    world.run(Duration::from_millis(1_500));
    world.faults.publish_failure = 0;
    world.run(SECOND * 30);
    assert_eq!((world.stored_value(), world.seen(1, "coins")), (json!({"coins": 1}), json!(1)));
}

#[test]
fn a_wiped_table_is_reported_and_repeats_nothing() {
    let mut world = World::with_servers(1, 1);
    world.increment(0, "coins", 1);
    world.run(SECOND); // Published, not yet written.
    world.store_foreign(r#"{"coins":50}"#, "");
    let flush = world.flush(0);
    world.run(SECOND * 10);
    let outcome = world.outcome(0, flush);
    assert!(matches!(outcome, Some(Outcome::Flushed(Err(FlushError::Undetermined { operations: 1 })))));
    assert_eq!(world.stored_value(), json!({"coins": 50}));
    world.increment(0, "coins", 1);
    world.run(SECOND * 10);
    assert_eq!(world.stored_value(), json!({"coins": 51}), "work goes on");
    assert!(world.servers[0].machine.stats().foreign_writes > 0);
}

#[test]
fn a_deleted_record_begins_anew() {
    let mut world = World::with_servers(1, 2);
    world.increment(0, "coins", 1);
    world.run(SECOND * 10);
    world.stored.remove(&key());
    world.gap_everywhere();
    world.run(SECOND * 5);
    assert_eq!(world.seen(1, "coins"), json!(null));
    world.increment(1, "coins", 7);
    world.run(SECOND * 10);
    assert_eq!((world.stored_value(), world.seen(0, "coins")), (json!({"coins": 7}), json!(7)));
}

#[test]
fn a_shutdown_saves_everything_or_says_what_it_could_not() {
    // Weakness 9 (crash-loses-unflushed).
    let mut world = World::with_servers(1, 2);
    world.increment(0, "coins", 1);
    let ticket = world.act(0, |machine, now, _| machine.shut_down(now));
    world.run(SECOND * 5);
    let Some(Outcome::ShutDown(report)) = world.outcome(0, ticket) else { panic!("not over") };
    assert!(report.unsaved.is_empty());
    assert_eq!((world.stored_value(), world.seen(1, "coins")), (json!({"coins": 1}), json!(1)));
    assert!(world.servers[0].machine.is_closed());

    world.faults = Faults { unavailable: 100, ..Faults::default() };
    world.increment(1, "coins", 1);
    let ticket = world.act(1, |machine, now, _| machine.shut_down(now));
    world.run(SECOND * 40);
    let Some(Outcome::ShutDown(report)) = world.outcome(1, ticket) else { panic!("not over") };
    assert_eq!(report.unsaved.len(), 1);
    assert!(report.unsaved[0].error.is_some());
}

#[test]
fn an_update_cut_off_by_a_shutdown_is_unknown_if_it_was_sent() {
    let mut world = World::with_servers(1, 1);
    world.faults = Faults { unknown_after: 100, ..Faults::default() };
    let (sent, waiting) = (world.update(0, &["n"]), world.update(0, &["n"]));
    world.run(SECOND);
    world.act(0, |machine, now, _| machine.abort(now));
    assert!(matches!(world.outcome(0, sent), Some(Outcome::Updated(UpdateOutcome::Unknown(_)))));
    assert!(matches!(world.outcome(0, waiting), Some(Outcome::Updated(UpdateOutcome::Closed))));
}

#[test]
fn a_loss_that_no_flush_waited_for_is_told_by_the_next_one() {
    let mut world = World::with_servers(1, 1);
    world.increment(0, "coins", 1);
    world.run(SECOND); // Published, not yet written.
    world.store_foreign(r#"{"coins":50}"#, "");
    world.run(SECOND * 10);
    let (flush, again) = (world.flush(0), world.flush(0));
    let outcome = world.outcome(0, flush);
    assert!(matches!(outcome, Some(Outcome::Flushed(Err(FlushError::Undetermined { operations: 1 })))));
    assert!(matches!(world.outcome(0, again), Some(Outcome::Flushed(Ok(())))), "once");
}
