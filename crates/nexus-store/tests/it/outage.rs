//! A store that is away for an hour.

use std::sync::Arc;
use std::time::Duration;

use nexus_store::machine::{Outcome, RecordId};
use nexus_store::{Change, WriteError};
use serde_json::json;
use transport_traits::RecordKey;

use crate::world::{Faults, World};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn writes_are_kept_within_the_bound_then_refused_and_all_kept_ones_are_stored_afterwards() {
    let mut world = World::new(1);
    world.config.max_journal_bytes = 20_000;
    world.join();
    world.run(SECOND);
    let open = |machine: &mut nexus_store::machine::Machine, now, n: u32| {
        machine.open(now, RecordKey::new("players", format!("{n}"))).unwrap().0
    };
    let records: Vec<RecordId> = (0..20).map(|n| world.act(0, |m, now, _| open(m, now, n))).collect();
    world.run(SECOND * 5);
    world.faults = Faults { unavailable: 100, ..Faults::default() };
    let (mut accepted, mut refused) = (vec![0; records.len()], 0);
    for n in 0..3_600_usize {
        let at = n % records.len();
        let change = Change::Set(Arc::new(json!("x".repeat(n % 60))));
        let field = format!("r{at}f{}", accepted[at]);
        match world.act(0, |machine, now, _| machine.write(now, records[at], &field, change)) {
            Ok(()) => accepted[at] += 1,
            Err(WriteError::JournalFull) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(world.servers[0].machine.stats().journal_bytes <= 20_000);
        world.run(SECOND);
    }
    assert!(refused > 3_000 && accepted.iter().sum::<i32>() > 50, "{accepted:?} {refused}");
    world.faults = Faults::default();
    let flushes = world.act(0, |machine, now, _| machine.flush_all(now));
    world.run(SECOND * 60);
    for (.., ticket) in flushes {
        assert!(matches!(world.outcome(0, ticket), Some(Outcome::Flushed(Ok(())))));
    }
    for (n, count) in accepted.iter().enumerate() {
        let stored = &world.stored[&RecordKey::new("players", format!("{n}"))].record.value;
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(stored).unwrap();
        assert_eq!(fields.len(), usize::try_from(*count).unwrap());
    }
    world.set(0, "again", json!(1));
    assert!(world.servers[0].machine.stats().journal_bytes < 1_000, "room again");
}

#[test]
fn small_operations_are_counted_at_what_they_take_in_memory() {
    let mut world = World::with_servers(1, 1);
    world.increment(0, "n", 1);
    let bytes = world.servers[0].machine.stats().journal_bytes;
    assert!((200..1_000).contains(&bytes), "{bytes}");
}

#[test]
fn a_shutdown_reports_operations_of_unknown_fate_also_of_records_that_were_closed() {
    for close in [false, true] {
        let mut world = World::with_servers(1, 1);
        world.increment(0, "coins", 1);
        world.run(SECOND); // Published, not yet written.
        world.store_foreign(r#"{"coins":50}"#, "");
        world.run(SECOND * 10);
        if close {
            let record = world.servers[0].record;
            world.give(0, nexus_store::machine::Input::Release(record));
            world.run(SECOND * 60);
            assert_eq!(world.servers[0].machine.stats().records, 0);
        }
        let ticket = world.act(0, |machine, now, _| machine.shut_down(now));
        world.run(SECOND * 5);
        let Some(Outcome::ShutDown(report)) = world.outcome(0, ticket) else { panic!("not over") };
        assert_eq!(report.unsaved.iter().map(|unsaved| unsaved.undetermined).collect::<Vec<_>>(), [1]);
    }
}

#[test]
fn operations_of_others_are_bounded_over_all_records() {
    let mut world = World::new(1);
    world.config.max_foreign_bytes_in_all = 5_000;
    world.join();
    world.run(SECOND);
    let records: Vec<RecordId> = (0..50)
        .map(|n| world.act(0, |m, now, _| m.open(now, RecordKey::new("s", format!("{n}"))).unwrap().0))
        .collect();
    world.run(SECOND * 5);
    let gets = world.gets;
    for (n, record) in records.iter().enumerate() {
        let body = format!(r#"[1,9,0,[[{},0,0,5,["f{n}",0,1]]]]"#, n + 1);
        world.give(0, nexus_store::machine::Input::Received(*record, body.into()));
    }
    world.run(SECOND * 2);
    assert!(world.gets - gets > 30, "what was not taken in is read instead: {}", world.gets - gets);
}

#[test]
fn what_stays_unconfirmed_too_long_is_shown_no_longer() {
    let mut world = World::with_servers(1, 2);
    world.faults = Faults { unavailable: 100, ..Faults::default() };
    world.increment(0, "coins", 1);
    world.run(SECOND);
    world.servers[0].alive = false;
    let withdraw_after = world.config.withdraw_after;
    world.run(withdraw_after - SECOND * 10);
    assert_eq!(world.seen(1, "coins"), json!(1));
    world.run(SECOND * 10);
    assert_eq!(world.seen(1, "coins"), json!(null));
    world.faults = Faults::default();
    world.run(SECOND * 60);
    assert_eq!((world.stored_value(), world.seen(1, "coins")), (json!(null), json!(null)), "nor adopted");
}
