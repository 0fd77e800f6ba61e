//! Servers that work together, one situation at a time.

use std::time::Duration;

use nexus_store::machine::{Input, Machine, Outcome, Output, UpdateOutcome, UpdateRun};
use nexus_store::{Change, Config};
use serde_json::{Value, json};
use transport_traits::{Instant, RecordKey, presets};

use crate::functions::change;
use crate::world::{START, World, key};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn increments_of_two_servers_add_up() {
    // Weakness 1 (lost-increments).
    let mut world = World::with_servers(1, 2);
    for _ in 0..60 {
        world.increment(0, "coins", 1);
        world.increment(1, "coins", 2);
        world.run(SECOND);
    }
    world.run(SECOND * 10);
    assert_eq!(world.stored_value(), json!({"coins": 180}));
    assert_eq!((world.seen(0, "coins"), world.seen(1, "coins")), (json!(180), json!(180)));
}

#[test]
fn updates_start_from_the_stored_value() {
    // Weakness 2 (update-from-cache).
    let mut world = World::with_servers(1, 10);
    let tickets: Vec<_> = (0..10).map(|server| (server, world.update(server, &["n"]))).collect();
    world.run(SECOND * 30);
    for (server, ticket) in tickets {
        let outcome = world.outcome(server, ticket);
        assert!(matches!(outcome, Some(Outcome::Updated(UpdateOutcome::Committed(_)))), "{outcome:?}");
    }
    assert_eq!(world.stored_value(), json!({"n": 10}));
}

#[test]
fn one_set_seen_by_many_servers_costs_one_write_and_no_reads() {
    // Weakness 7 (receivers-rewrite).
    let mut world = World::with_servers(1, 20);
    let gets = world.gets;
    world.set(0, "name", json!("Ann"));
    world.run(SECOND * 30);
    assert!((0..20).all(|server| world.seen(server, "name") == json!("Ann")));
    assert_eq!((world.puts, world.gets - gets), (1, 0));
}

#[test]
fn a_value_too_long_for_a_message_costs_one_read_a_receiver() {
    let mut world = World::new(1);
    world.bus_limits = presets::ROBLOX_MESSAGING;
    world.join_all(5);
    world.run(SECOND);
    let gets = world.gets;
    world.set(0, "text", json!("x".repeat(2_000)));
    world.run(SECOND * 30);
    assert!((0..5).all(|server| world.seen(server, "text") == json!("x".repeat(2_000))));
    assert_eq!((world.puts, world.gets - gets), (1, 4));
}

#[test]
fn an_update_reaches_the_others_without_a_read() {
    let mut world = World::with_servers(1, 3);
    world.increment(1, "coins", 5);
    world.run(SECOND);
    let gets = world.gets;
    world.update(0, &["coins"]);
    world.run(SECOND * 10);
    assert_eq!((world.seen(2, "coins"), world.gets - gets), (json!(6), 0));
}

#[test]
fn a_lost_message_heals_with_the_next_commit_or_gap_or_revalidation() {
    // Weakness 5 (lost-message-splits-caches), weakness 6 (removals-never-heal).
    let mut world = World::with_servers(1, 3);
    world.set(0, "old", json!(1));
    world.run(SECOND * 10);
    world.faults.bus_loss = 100;
    world.write(0, "old", Change::Remove);
    world.run(SECOND * 10);
    assert_eq!(world.seen(1, "old"), json!(1), "nobody told it");
    let record = world.servers[1].record;
    world.give(1, Input::Gap(record));
    world.run(SECOND);
    assert_eq!(world.seen(1, "old"), Value::Null, "healed by the gap");
    world.run(world.config.revalidate_every + SECOND * 5);
    assert_eq!(world.seen(2, "old"), Value::Null, "healed by revalidation");
}

#[test]
fn crossing_sets_end_alike_everywhere() {
    // Weakness 8 (crossing-sets).
    let mut world = World::with_servers(1, 3);
    world.set(0, "color", json!("red"));
    world.set(1, "color", json!("blue"));
    world.run(SECOND * 30);
    let stored = world.stored_value()["color"].clone();
    assert!((0..3).all(|server| world.seen(server, "color") == stored));
}

#[test]
fn what_a_server_saw_stays_before_what_it_wrote() {
    let mut world = World::with_servers(1, 2);
    world.set(0, "color", json!("red"));
    world.run(SECOND);
    assert_eq!(world.seen(1, "color"), json!("red"));
    world.set(1, "color", json!("blue"));
    let flush = world.flush(1);
    world.run(SECOND * 30);
    assert!(matches!(world.outcome(1, flush), Some(Outcome::Flushed(Ok(())))));
    assert_eq!(world.stored_value(), json!({"color": "blue"}));
}

#[test]
fn a_published_write_survives_its_server() {
    // Weakness 9 (crash-loses-unflushed).
    let mut world = World::with_servers(1, 3);
    world.set(0, "name", json!("Ann"));
    world.run(SECOND);
    world.servers[0].alive = false;
    world.run(SECOND * 20);
    assert_eq!(world.stored_value(), json!({"name": "Ann"}));
    assert!(world.servers[1].machine.stats().adopted + world.servers[2].machine.stats().adopted > 0);
}

#[test]
fn equal_keys_of_different_stores_do_not_mix() {
    // Weakness 15 (shared-channel).
    let mut world = World::new(1);
    let [a, b, c] = [("a", "b/c"), ("a/b", "c"), ("a~1b", "c")]
        .map(|(store, key)| world.join_record(RecordKey::new(store, key)));
    world.run(SECOND);
    world.set(a, "x", json!(1));
    world.run(SECOND * 10);
    assert_eq!((world.seen(b, "x"), world.seen(c, "x")), (Value::Null, Value::Null));
}

#[test]
fn equal_values_are_no_changes() {
    // Weakness 17 (idle-listeners-fire); the world asserts that each change is one.
    let mut world = World::with_servers(1, 2);
    let table = json!({"a": [1, 2], "b": {}});
    world.set(0, "table", table.clone());
    world.run(SECOND * 10);
    let before = world.servers[1].mirror.clone();
    world.set(0, "table", table);
    world.set(0, "table", json!({"b": {}, "a": [1.0, 2]}));
    world.run(SECOND * 10);
    assert!(std::sync::Arc::ptr_eq(&before["table"], &world.servers[1].mirror["table"]), "nothing was told");
}

#[test]
fn an_update_that_aborts_or_panics_writes_nothing_and_blocks_nothing() {
    // Weakness 13 (throwing-update).
    for (run, expect_abort) in [(UpdateRun::Aborted, true), (UpdateRun::Panicked, false)] {
        let mut world = World::with_servers(1, 1);
        world.increment(0, "coins", 1);
        world.on_update = if expect_abort { |_| UpdateRun::Aborted } else { |_| UpdateRun::Panicked };
        let update = world.update(0, &["coins"]);
        world.run(SECOND);
        let aborted = match world.outcome(0, update) {
            Some(Outcome::Updated(UpdateOutcome::Aborted)) => true,
            Some(Outcome::Updated(UpdateOutcome::Panicked)) => false,
            other => panic!("{run:?}: {other:?}"),
        };
        assert_eq!(aborted, expect_abort);
        let flush = world.flush(0);
        world.run(SECOND);
        assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Ok(())))));
        assert_eq!(world.stored_value(), json!({"coins": 1}));
    }
}

#[test]
fn an_abort_is_answered_only_on_the_latest_stored_value() {
    // Weakness 14 (stale-read). The other's commit is never announced here.
    let mut world = World::with_servers(1, 2);
    world.faults.bus_loss = 100;
    world.set(1, "coins", json!(100));
    world.flush(1);
    world.run(SECOND * 3);
    world.on_update = |input| {
        let coins = input.fields["coins"].as_ref().map_or(0, |coins| coins.as_i64().unwrap());
        if coins < 60 {
            return UpdateRun::Aborted;
        }
        change([("coins".into(), Some(std::sync::Arc::new(json!(coins - 60))))])
    };
    let update = world.update(0, &["coins"]);
    world.run(SECOND * 5);
    assert!(matches!(world.outcome(0, update), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert_eq!(world.stored_value(), json!({"coins": 40}));
}

#[test]
fn user_tags_and_unknown_fields_survive_every_write() {
    // Weakness 26 (tags-wiped).
    let mut world = World::new(1);
    world.store_foreign(r#"{"unknown":{"deep":[1]},"coins":1}"#, "");
    let stored = world.stored.get_mut(&key()).unwrap();
    stored.record = stored.record.clone().with_users(["7".into(), "8".into()]);
    world.join_all(2);
    world.run(SECOND);
    world.increment(0, "coins", 1);
    world.update(1, &["coins"]);
    world.run(SECOND * 10);
    assert_eq!(world.stored_value(), json!({"unknown": {"deep": [1]}, "coins": 3}));
    let users: Vec<&str> = world.stored[&key()].record.users.iter().map(|user| &**user).collect();
    assert_eq!(users, ["7", "8"]);
}

#[test]
fn a_hot_record_costs_one_write_a_flush_delay() {
    let mut world = World::with_servers(1, 1);
    for _ in 0..1_000 {
        world.increment(0, "coins", 1);
        world.run(Duration::from_millis(10));
    }
    world.run(SECOND * 5);
    assert_eq!(world.stored_value(), json!({"coins": 1_000}));
    assert!(world.puts <= 7, "{} writes", world.puts);
    assert!(world.messages.len() <= 18, "{} messages", world.messages.len());
}

#[test]
fn a_write_comes_after_what_was_seen_even_from_a_clock_far_ahead() {
    let mut world = World::with_servers(1, 2);
    let ahead = START + world.now.since(Instant::ZERO) + SECOND * 600;
    world.give(0, Input::WallClock(ahead));
    world.set(0, "color", json!("red"));
    world.run(SECOND);
    assert_eq!(world.seen(1, "color"), json!("red"));
    world.set(1, "color", json!("blue"));
    world.set(1, "color", json!("green"));
    assert_eq!(world.seen(1, "color"), json!("green"), "what one wrote is what one reads");
    let flush = world.flush(1);
    world.run(SECOND * 30);
    assert!(matches!(world.outcome(1, flush), Some(Outcome::Flushed(Ok(())))));
    assert_eq!(world.stored_value(), json!({"color": "green"}));
}

#[test]
fn a_commit_that_is_told_during_the_load_is_not_missed() {
    for seed in 0..500 {
        let mut world = World::with_servers(seed, 1);
        world.update(0, &["n"]);
        world.run(Duration::from_millis(seed % 250));
        world.join();
        world.run(SECOND * 10);
        assert_eq!(world.seen(1, "n"), json!(1), "seed {seed}");
    }
}

#[test]
fn a_subscription_that_comes_late_is_followed_by_a_read() {
    let mut world = World::with_servers(1, 1);
    let config = Config { writer: Some(9), seed: Some(1), ..world.config.clone() };
    let (store, bus) = (world.store_limits.clone(), world.bus_limits.clone());
    let mut machine = Machine::new(config, store, bus, world.now, START);
    let (id, ..) = machine.open(world.now, key()).unwrap();
    world.run(SECOND * 6); // Longer than the load waits for the subscription.
    let reads = |machine: &mut Machine, now| {
        std::iter::from_fn(|| machine.poll(now)).filter(|output| matches!(output, Output::Get(..))).count()
    };
    assert_eq!(reads(&mut machine, world.now), 1);
    machine.handle(world.now, Input::Subscribed(id, Ok(())));
    machine.handle(world.now, Input::Got(id, Ok(None)));
    assert_eq!(reads(&mut machine, world.now + SECOND), 1, "what was published in between may be missing");
}

#[test]
fn an_update_that_changes_nothing_stores_what_it_saw() {
    let mut world = World::with_servers(1, 1);
    world.increment(0, "coins", 1);
    world.on_update = |_| change([]);
    let update = world.update(0, &["coins"]);
    while world.outcome(0, update).is_none() {
        world.run(Duration::from_millis(10));
    }
    assert_eq!(world.stored_value(), json!({"coins": 1}));
    let (again, puts) = (world.update(0, &["coins"]), world.puts);
    world.run(SECOND * 5);
    assert!(matches!(world.outcome(0, again), Some(Outcome::Updated(UpdateOutcome::Unchanged))));
    assert_eq!(world.puts, puts, "nothing was left to write");
}

#[test]
fn a_canceled_update_is_forgotten() {
    let mut world = World::with_servers(1, 1);
    let (first, second) = (world.update(0, &["n"]), world.update(0, &["n"]));
    world.give(0, Input::CancelUpdate(second));
    world.run(SECOND * 5);
    assert!(matches!(world.outcome(0, first), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert!(matches!(world.outcome(0, second), Some(Outcome::Updated(UpdateOutcome::Closed))));
    assert_eq!(world.stored_value(), json!({"n": 1}));
}
