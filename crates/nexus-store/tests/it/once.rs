//! Updates of records that are not kept open.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use nexus_store::machine::{Outcome, Scope, UpdateOutcome};
use nexus_store::{Config, Fields, NexusStore, UpdateError};
use serde_json::{Value, json};
use transport_memory::{MemoryBus, MemoryStore};
use transport_mocks::{ManualTimer, MockSubscriber};
use transport_traits::{DataStoreExt, Record, RecordKey, presets};

use crate::driver::{Setup, in_memory, key, stored};
use crate::world::{Faults, World, key as world_key};

const SECOND: Duration = Duration::from_secs(1);

fn gift(fields: &mut Fields) -> Result<i64, ()> {
    let coins = fields.get("coins").and_then(Value::as_i64).unwrap_or(0) + 5;
    fields.set("coins", coins);
    Ok(coins)
}

#[test]
fn an_update_of_a_closed_record_subscribes_to_nothing_and_leaves_nothing_open() {
    let mut subscriber = MockSubscriber::new();
    subscriber.expect_subscribe().never();
    let (timer, bus) = (ManualTimer::new(), Arc::new(MemoryBus::unlimited().join()));
    let (data, clock) = (Arc::new(MemoryStore::unlimited()), Arc::new(timer.clone()));
    let (store, driver) = NexusStore::new(data.clone(), bus, Arc::new(subscriber), clock, Config::default());
    let mut setup = Setup { store, driver, timer };
    let store = setup.store.clone();
    setup.run(data.create(key(), Record::new(r#"{"coins":1}"#))).unwrap();
    assert_eq!(setup.run(store.update_once(key(), &["coins"], gift)).unwrap(), 6);
    assert!(setup.turn().is_pending());
    assert_eq!((stored(&data), setup.store.stats().records), (json!({"coins": 6}), 0));
    let refused = setup.run(store.update_once(key(), &["coins"], |_| Err::<(), _>("no")));
    assert!(matches!(refused, Err(UpdateError::Aborted("no"))));
    assert_eq!(setup.store.stats().records, 0);
}

#[test]
fn an_update_of_an_open_record_is_seen_there() {
    let (mut setup, _) = in_memory();
    let ann = setup.open();
    ann.increment("coins", 1).unwrap();
    let store = setup.store.clone();
    assert_eq!(setup.run(store.update_once(key(), &["coins"], gift)).unwrap(), 6);
    assert_eq!((ann.get_as::<i64>("coins").unwrap(), setup.store.stats().records), (Some(6), 1));
}

#[test]
fn a_record_that_is_opened_during_such_an_update_listens_and_stays() {
    let mut world = World::with_servers(1, 2);
    let ticket = world.act(0, |machine, now, _| {
        machine.update_once(now, RecordKey::new("players", "8"), Scope::Fields(&["n"])).unwrap()
    });
    let (record, view) = world.act(0, |machine, now, _| {
        let (id, view, _) = machine.open(now, RecordKey::new("players", "8")).unwrap();
        (id, view)
    });
    (world.servers[0].record, world.servers[0].view) = (record, view);
    world.run(SECOND * 60);
    assert!(matches!(world.outcome(0, ticket), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert_eq!(world.seen(0, "n"), json!(1));
    world.increment(0, "n", 1);
    world.run(SECOND * 5);
    assert_eq!(world.seen(0, "n"), json!(2));
}

#[test]
fn servers_that_have_the_record_open_are_told() {
    let mut world = World::with_servers(1, 2);
    world.increment(1, "n", 1);
    world.run(SECOND * 5);
    let server = world.join_record(RecordKey::new("players", "other"));
    let ticket = world
        .act(server, |machine, now, _| machine.update_once(now, world_key(), Scope::Fields(&["n"])).unwrap());
    world.run(SECOND * 2);
    assert!(matches!(world.outcome(server, ticket), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert_eq!((world.seen(0, "n"), world.seen(1, "n")), (json!(2), json!(2)));
    assert_eq!(world.servers[server].machine.stats().records, 1);
}

#[test]
fn a_gift_waits_for_a_store_that_is_away() {
    let mut world = World::with_servers(1, 1);
    world.faults = Faults { unavailable: 100, ..Faults::default() };
    let server = world.join_record(RecordKey::new("players", "other"));
    let ticket = world
        .act(server, |machine, now, _| machine.update_once(now, world_key(), Scope::Fields(&["n"])).unwrap());
    world.run(SECOND * 60);
    assert!(world.outcome(server, ticket).is_none());
    world.faults = Faults::default();
    world.run(SECOND * 60);
    assert!(matches!(world.outcome(server, ticket), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert_eq!(world.stored_value(), json!({"n": 1}));
}

#[test]
fn errors_are_those_of_an_update() {
    let mut setup = {
        let (timer, bus) = (ManualTimer::new(), Arc::new(MemoryBus::unlimited().join()));
        let limits = presets::ROBLOX_DATA_STORE;
        let mut data = transport_mocks::MockDataStore::new();
        data.expect_limits().return_const(limits);
        data.expect_get().returning(|_| {
            let error = transport_traits::Error::new(transport_traits::ErrorKind::Denied, "not for you");
            std::future::ready(Err(error)).boxed()
        });
        let clock = Arc::new(timer.clone());
        let (store, driver) = NexusStore::new(Arc::new(data), bus.clone(), bus, clock, Config::default());
        Setup { store, driver, timer }
    };
    let store = setup.store.clone();
    let long = RecordKey::new("s", "k".repeat(51));
    assert!(matches!(setup.run(store.update_once(long, &["coins"], gift)), Err(UpdateError::Name(_))));
    assert!(matches!(setup.run(store.update_once(key(), &["coins"], gift)), Err(UpdateError::NotLoaded)));
    assert!(setup.turn().is_pending());
    assert_eq!(setup.store.stats().records, 0);
    let _ = setup.run(store.shutdown());
    assert!(matches!(setup.run(store.update_once(key(), &["coins"], gift)), Err(UpdateError::Closed)));
}
