//! Answers of the store and messages of others that come in an order which only a guard makes harmless.

use std::time::Duration;

use nexus_store::machine::{Input, Outcome, Scope, UpdateOutcome};
use serde_json::json;
use transport_traits::{RecordKey, Stored, Version};

use crate::world::{Faults, World, key};

const SECOND: Duration = Duration::from_secs(1);

/// Two servers, of which the second has missed the first one's increment and its commit; and what was stored
/// before that.
fn one_missed_a_commit() -> (World, Stored) {
    let mut world = World::with_servers(1, 2);
    world.increment(0, "n", 1);
    world.run(SECOND * 10);
    let before = world.stored[&key()].clone();
    assert_eq!(world.seen(1, "n"), json!(1));
    world.messages.clear();
    world.faults.bus_loss = 100;
    world.increment(0, "n", 1);
    world.flush(0);
    world.run(SECOND * 3);
    assert_eq!((world.stored_value(), world.seen(1, "n")), (json!({"n": 2}), json!(1)));
    (world, before)
}

impl World {
    /// Gives a server what the others have published, at last.
    fn catch_up(&mut self, server: usize) {
        let record = self.servers[server].record;
        for body in self.messages.clone() {
            self.give(server, Input::Received(record, body));
        }
    }

    /// Runs until one more read, or write, is under way.
    fn run_until(&mut self, count: fn(&Self) -> u64) {
        let before = count(self);
        while count(self) == before {
            self.run(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_read_that_a_commit_overtakes_does_not_bring_the_old_state_back() {
    let (mut world, before) = one_missed_a_commit();
    let record = world.servers[1].record;
    world.give(1, Input::Gap(record));
    world.run_until(|world| world.gets);
    world.catch_up(1);
    assert_eq!(world.seen(1, "n"), json!(2), "the commit was followed while the read was under way");
    let gets = world.gets;
    world.give(1, Input::Got(record, Ok(Some(before))));
    assert_eq!(
        (world.seen(1, "n"), world.gets),
        (json!(2), gets + 1),
        "which is newer is found out by another"
    );
    world.run(SECOND * 5);
    assert_eq!(world.seen(1, "n"), json!(2));
}

#[test]
fn a_store_that_claims_a_commit_on_a_state_that_is_gone_is_not_believed() {
    let (mut world, _) = one_missed_a_commit();
    let record = world.servers[1].record;
    let puts = world.puts;
    world.increment(1, "n", 1);
    let flush = world.flush(1);
    assert_eq!(world.puts, puts + 1, "a write is under way");
    world.catch_up(1);
    world.give(1, Input::PutDone(record, Ok(Version::new("claimed"))));
    while world.outcome(1, flush).is_none() {
        world.run(Duration::from_millis(1));
    }
    assert!(matches!(world.outcome(1, flush), Some(Outcome::Flushed(Ok(())))));
    assert_eq!(world.stored_value(), json!({"n": 3}), "durable is what is stored");
}

#[test]
fn an_update_whose_outcome_cannot_be_found_out_is_unknown_and_not_repeated() {
    let mut world = World::with_servers(1, 1);
    world.faults = Faults { unknown_after: 100, ..Faults::default() };
    let update = world.update(0, &["n"]);
    world.run_until(|world| world.puts);
    world.faults = Faults::default();
    while world.stored.is_empty() {
        world.run(Duration::from_millis(1)); // It is carried out, and the answer gets lost.
    }
    world.store_foreign(r#"{"n":1}"#, ""); // Whose table would have told.
    world.run(SECOND * 30);
    assert!(matches!(world.outcome(0, update), Some(Outcome::Updated(UpdateOutcome::Unknown(_)))));
    assert_eq!((world.stored_value(), world.puts), (json!({"n": 1}), 1), "the function did not run again");
}

#[test]
fn while_the_bus_takes_nothing_records_are_forgotten_and_a_shutdown_ends() {
    let mut world = World::with_servers(1, 1);
    world.faults.publish_failure = 100;
    for number in 0..20 {
        let other = RecordKey::new("players", format!("other {number}"));
        world.act(0, |machine, now, _| machine.update_once(now, other, Scope::Fields(&["n"])).unwrap());
    }
    world.run(SECOND * 30);
    let stats = world.servers[0].machine.stats();
    assert_eq!((stats.commits, stats.records), (20, 1), "what is held stays");
    world.increment(0, "n", 1);
    let over = world.act(0, |machine, now, _| machine.shut_down(now));
    world.run(SECOND * 5);
    let Some(Outcome::ShutDown(report)) = world.outcome(0, over) else { panic!("it waits for the bus") };
    assert!(report.unsaved.is_empty());
    assert_eq!(world.stored_value(), json!({"n": 1}));
}
