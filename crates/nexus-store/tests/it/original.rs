//! The profiles on the original's wire: what they promise beside servers of the original.

use std::sync::Arc;
use std::time::Duration;

use nexus_store::machine::{Outcome, UpdateOutcome};
use nexus_store::{Config, FlushError, LoadState, NexusStore};
use serde_json::{Value, json};
use transport_memory::{MemoryBus, MemoryStore};
use transport_traits::{Record, RecordKey, TokioTimer};

use super::original_world::{Fault, World, other_key, set_message};

const SECOND: Duration = Duration::from_secs(1);

fn nexus(count: usize) -> World {
    let mut world = World::new(7);
    world.join_all(count);
    world.run(SECOND);
    world
}

/// What became of a call.
fn outcome(world: &World, at: usize, ticket: nexus_store::machine::Ticket) -> &Outcome {
    world.servers[at].done.get(&ticket).expect("it is over")
}

#[test]
fn a_write_beside_originals_is_stored_at_once_and_announced_by_one_fetch() {
    let mut world = nexus(3);
    world.set(0, "name", json!("Ann"));
    world.run(SECOND);
    assert_eq!(world.stored_value(), json!({ "name": "Ann" }));
    // weakness 7 (receivers-rewrite): one write, whoever hears of it.
    assert_eq!((world.puts, world.messages.len()), (1, 1));
    assert!(world.messages[0].contains("Fetch") && world.messages[0].contains("name"));
    (0..3).for_each(|at| assert_eq!(world.seen(at, "name"), json!("Ann")));
}

#[test]
fn increments_beside_originals_count_once_or_are_reported() {
    // weakness 1 (lost-increments), weakness 3 (conflict-loses-write), weakness 4 (unknown-outcome),
    // weakness 5 (lost-message-splits-caches)
    let mut exact = 0;
    for seed in 0..60 {
        let mut world = World::new(seed);
        world.join_all(3);
        (world.chance, world.loss) = (20, 20);
        for _ in 0..30 {
            let at = world.rng.usize(0..3);
            world.increment(at, "n");
            let pause = world.rng.u64(0..400);
            world.run(Duration::from_millis(pause));
        }
        (world.chance, world.loss) = (0, 0);
        let flushes: Vec<_> = (0..3).map(|at| world.flush(at)).collect();
        world.run(SECOND * 400);
        let undetermined: u64 = (0..3).map(|at| world.servers[at].machine.stats().undetermined).sum();
        let stored = world.stored_value()["n"].as_u64().expect("a number");
        assert!(stored <= 30, "seed {seed}: {stored}");
        exact += u32::from(stored == 30);
        if undetermined == 0 {
            assert_eq!(stored, 30, "seed {seed}");
            for (at, &flush) in flushes.iter().enumerate() {
                assert!(matches!(outcome(&world, at, flush), Outcome::Flushed(Ok(()))), "seed {seed}");
            }
        }
        (0..3).for_each(|at| assert_eq!(world.seen(at, "n"), json!(stored), "seed {seed}"));
    }
    assert!(exact > 55, "no original is there to wipe the marks, yet only {exact} of 60");
}

#[test]
fn updates_beside_originals_start_from_what_is_stored() {
    // weakness 2 (update-from-cache)
    let mut world = nexus(2);
    world.commit_foreign(&json!({ "n": 40, "kept": true }));
    let tickets = [world.update(0, &["n"]), world.update(1, &["n"])];
    world.run(SECOND);
    assert_eq!(world.stored_value(), json!({ "n": 42, "kept": true }));
    for (at, ticket) in tickets.into_iter().enumerate() {
        assert!(matches!(outcome(&world, at, ticket), Outcome::Updated(UpdateOutcome::Committed(_))));
    }
}

#[test]
fn a_write_that_cannot_be_told_from_anothers_is_reported_and_not_repeated() {
    // weakness 4 (unknown-outcome)
    let mut world = nexus(1);
    world.faults = vec![Fault::UnknownAndOverwritten];
    world.increment(0, "n");
    let flush = world.flush(0);
    world.run(SECOND * 5);
    assert!(matches!(
        outcome(&world, 0, flush),
        Outcome::Flushed(Err(FlushError::Undetermined { operations: 1 }))
    ));
    world.faults = vec![Fault::UnknownAndOverwritten];
    let update = world.update(0, &["n"]);
    world.run(SECOND * 60);
    assert!(matches!(outcome(&world, 0, update), Outcome::Updated(UpdateOutcome::Unknown(_))));
    assert_eq!((world.stored_value(), world.puts), (json!({ "n": 2 }), 2));
    assert_eq!(world.seen(0, "n"), json!(2));
}

#[test]
fn a_write_of_unknown_outcome_that_nobody_overwrote_is_found_out() {
    let mut world = nexus(1);
    for (fault, n) in [(Fault::UnknownAfter, 1), (Fault::UnknownBefore, 2), (Fault::Unavailable, 3)] {
        world.faults = vec![fault];
        world.increment(0, "n");
        let flush = world.flush(0);
        world.run(SECOND * 5);
        assert!(matches!(outcome(&world, 0, flush), Outcome::Flushed(Ok(()))), "{fault:?}");
        assert_eq!(world.stored_value(), json!({ "n": n }), "{fault:?}");
    }
}

#[test]
fn an_originals_set_is_shown_until_what_is_stored_changes_and_is_never_written_here() {
    let mut world = nexus(1);
    let told = |value: u64| set_message("n", &json!(value), Some("{an original}"));
    world.hear(0, &told(1));
    assert_eq!(world.seen(0, "n"), json!(1));
    world.run(SECOND * 5);
    assert_eq!((world.seen(0, "n"), world.puts), (json!(1), 0));
    world.commit_foreign(&json!({ "n": 3 }));
    world.hear(0, &json!({ "Action": "Fetch", "Keys": ["n"], "SyncId": "{an original}" }));
    world.run(SECOND);
    assert_eq!(world.seen(0, "n"), json!(3));
    // What never gets stored is not believed for ever.
    world.hear(0, &told(4));
    world.run(SECOND * 20);
    assert_eq!((world.seen(0, "n"), world.puts), (json!(3), 0));
}

#[test]
fn what_a_server_saw_of_an_original_stays_before_what_it_wrote() {
    let mut world = nexus(1);
    world.hear(0, &set_message("n", &json!(10), Some("{an original}")));
    world.increment(0, "n");
    world.run(SECOND);
    assert_eq!(world.stored_value(), json!({ "n": 11 }));
}

#[test]
fn a_set_from_outside_is_written_once_by_whoever_is_first() {
    let mut world = nexus(3);
    for at in 0..3 {
        world.hear(at, &set_message("news", &json!([1]), None));
    }
    world.run(SECOND * 30);
    assert_eq!(world.stored_value(), json!({ "news": [1] }));
    (0..3).for_each(|at| assert_eq!(world.seen(at, "news"), json!([1])));
    assert_eq!(world.servers.iter().map(|server| server.machine.stats().commits).sum::<u64>(), 1);
}

#[test]
fn a_server_beside_an_original_and_it_see_each_others_writes() {
    let mut world = World::new(3);
    let (ours, theirs) = (world.join(Config::nexus()), world.join(Config::strict_nexus()));
    world.run(SECOND);
    world.set(ours, "a", json!(1));
    world.set(theirs, "b", json!(2));
    world.run(SECOND);
    assert_eq!((world.seen(ours, "b"), world.seen(theirs, "a")), (json!(2), json!(1)));
    world.run(SECOND * 15);
    assert_eq!(world.stored_value(), json!({ "a": 1, "b": 2 }));
    assert_eq!((world.seen(ours, "b"), world.seen(theirs, "a")), (json!(2), json!(1)));
}

#[test]
fn removed_fields_heal_in_both_profiles() {
    // weakness 6 (removals-never-heal)
    for config in [Config::nexus(), Config::strict_nexus()] {
        let mut world = World::new(1);
        world.commit_foreign(&json!({ "gone": 1, "here": 2 }));
        world.join(config);
        world.run(SECOND);
        world.commit_foreign(&json!({ "here": 2 }));
        world.set(0, "new", json!(3));
        world.run(SECOND * 11);
        assert_eq!(world.seen(0, "gone"), Value::Null);
        assert_eq!(world.stored_value(), json!({ "here": 2, "new": 3 }));
    }
}

#[test]
fn user_tags_are_kept_in_both_profiles() {
    // weakness 26 (tags-wiped)
    for config in [Config::nexus(), Config::strict_nexus()] {
        let mut world = World::new(1);
        world.commit(Record::new("{}").with_users([Arc::from("7")]));
        world.join(config);
        world.run(SECOND);
        world.set(0, "n", json!(1));
        world.run(SECOND * 11);
        let stored = world.stored.as_ref().expect("stored");
        assert_eq!((&*stored.record.value, &stored.record.users[..]), (r#"{"n":1}"#, &[Arc::from("7")][..]));
    }
}

#[test]
fn what_was_not_loaded_is_not_overwritten_unless_that_is_allowed() {
    for (config, loads_again) in [(Config::nexus(), true), (Config::strict_nexus(), false)] {
        let mut world = World::new(1);
        world.commit_foreign(&json!({ "kept": 1 }));
        world.failing_gets = 1;
        world.join(config);
        world.run(Duration::from_millis(50));
        assert!(matches!(world.servers[0].view.load_state(), LoadState::Failed(_)));
        world.set(0, "n", json!(2));
        let (flush, update) = (world.flush(0), world.update(0, &["n"]));
        assert!(matches!(outcome(&world, 0, flush), Outcome::Flushed(Err(FlushError::NotLoaded))));
        assert!(matches!(outcome(&world, 0, update), Outcome::Updated(UpdateOutcome::NotLoaded)));
        world.run(SECOND * 30);
        assert_eq!(world.puts > 0, loads_again);
        world.act(0, |machine, _, id| machine.allow_overwrite(id, true));
        world.run(SECOND * 11);
        assert_eq!(world.stored_value(), json!({ "kept": 1, "n": 2 }));
    }
}

#[test]
fn a_shutdown_saves_in_both_profiles_and_the_strict_one_tries_once_and_says_nothing_more() {
    for (config, messages) in [(Config::nexus(), 2), (Config::strict_nexus(), 1)] {
        let mut world = World::new(1);
        world.join(config);
        world.run(SECOND);
        world.set(0, "n", json!(1));
        world.set(0, "n", json!(2));
        let end = world.act(0, |machine, now, _| machine.shut_down(now));
        world.run(SECOND * 30);
        assert!(matches!(outcome(&world, 0, end), Outcome::ShutDown(report) if report.unsaved.is_empty()));
        assert_eq!(world.stored_value(), json!({ "n": 2 }));
        assert!(world.servers[0].machine.is_closed() && world.messages.len() == messages);
        assert!(world.act(0, |machine, now, _| machine.open(now, other_key())).is_err());
    }
    let mut world = World::new(1);
    world.join(Config::strict_nexus());
    world.run(SECOND);
    world.set(0, "n", json!(1));
    world.faults = vec![Fault::Unavailable];
    let end = world.act(0, |machine, now, _| machine.shut_down(now));
    world.run(SECOND);
    assert!(matches!(outcome(&world, 0, end), Outcome::ShutDown(report) if report.unsaved.len() == 1));
    assert_eq!((world.stored_value(), world.puts), (Value::Null, 1));
}

#[tokio::test(start_paused = true)]
async fn stores_of_the_nexus_profile_share_a_record_through_their_drivers() {
    let (bus, data) = (MemoryBus::unlimited(), Arc::new(MemoryStore::unlimited()));
    let mut stores = Vec::new();
    for _ in 0..2 {
        let (end, timer) = (Arc::new(bus.join()), Arc::new(TokioTimer::new()));
        let (store, driver) = NexusStore::new(data.clone(), end.clone(), end, timer, Config::nexus());
        tokio::spawn(driver);
        stores.push(store);
    }
    let key = RecordKey::new("players", "ann");
    let (ann, same) = (stores[0].open(key.clone()).await.unwrap(), stores[1].open(key).await.unwrap());
    ann.increment("coins", 5).unwrap();
    ann.flush().await.unwrap();
    same.update(&["coins"], |fields| {
        let coins = fields.get("coins").and_then(Value::as_i64).unwrap_or(0);
        fields.set("coins", coins + 1);
        Ok::<_, ()>(())
    })
    .await
    .unwrap();
    tokio::time::sleep(SECOND).await;
    [ann, same].iter().for_each(|save| assert_eq!(save.get("coins").as_deref(), Some(&json!(6))));
    for store in stores {
        assert!(store.shutdown().await.unwrap().unsaved.is_empty());
    }
}
