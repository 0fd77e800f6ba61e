//! Input that no honest peer, store or caller gives.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nexus_store::machine::{Input, Outcome};
use nexus_store::{Change, LoadState, WriteError};
use proptest::prelude::*;
use serde_json::{Value, json};
use transport_traits::{RecordKey, presets};

use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn hear(world: &mut World, body: impl Into<Bytes>) {
    let record = world.servers[0].record;
    world.give(0, Input::Received(record, body.into()));
}

#[test]
fn what_is_stored_and_no_object_is_left_alone() {
    for foreign in ["[1]", "7", "null", "\"text\"", "{", ""] {
        let mut world = World::new(1);
        world.store_foreign(foreign, "");
        world.join();
        world.run(SECOND * 5);
        world.set(0, "a", json!(1));
        world.run(SECOND * 10);
        assert!(matches!(world.servers[0].view.load_state(), LoadState::Failed(_)), "{foreign}");
        assert_eq!(world.puts, 0, "{foreign}");
    }
}

#[test]
fn an_empty_array_is_an_empty_object_and_foreign_metadata_is_replaced() {
    for metadata in ["", "somebody's own", "N1garbage", "\u{0}"] {
        let mut world = World::new(1);
        world.store_foreign("[]", metadata);
        world.join();
        world.run(SECOND);
        world.set(0, "a", json!(1));
        world.run(SECOND * 10);
        assert_eq!(world.stored_value(), json!({"a": 1}), "{metadata}");
    }
}

#[test]
fn bookkeeping_of_a_later_version_is_not_touched() {
    let mut world = World::with_servers(1, 1);
    world.set(0, "a", json!(1));
    world.run(SECOND * 10);
    let metadata = world.stored.values().next().unwrap().record.metadata.replacen("N1", "N2", 1);
    world.store_foreign(r#"{"a":2}"#, &metadata);
    let puts = world.puts;
    world.set(0, "a", json!(3));
    let flush = world.flush(0);
    world.run(SECOND * 10);
    assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Err(_)))));
    assert_eq!(world.puts, puts + 1, "one conflict, and then nothing");
}

#[test]
fn messages_that_make_no_sense_are_counted_and_ignored() {
    let mut world = World::with_servers(1, 1);
    for body in ["", "hello", "[2,9,0,[]]", "[1,9,0]", "{\"Action\":\"Set\"}", "[1,9,0,[[1,1,0,0,[]]]]"] {
        hear(&mut world, body);
    }
    hear(&mut world, vec![0xff, 0xfe]);
    assert_eq!(world.servers[0].machine.stats().rejected_messages, 7);
    assert!(world.servers[0].view.snapshot().is_empty());
}

#[test]
fn a_lying_commit_is_not_followed_and_a_read_tells_the_truth() {
    let mut world = World::with_servers(1, 1);
    hear(&mut world, r#"[1,9,0,[],[0,1,"v",1,[9,1,0],["coins",0,1000000],0,0]]"#);
    world.run(SECOND * 5);
    assert_eq!(world.seen(0, "coins"), Value::Null);
    let gets = world.gets;
    world.run(SECOND * 60);
    assert_eq!(world.gets, gets, "a claim that a read disproved is forgotten");
}

#[test]
fn a_flood_of_operations_is_bounded() {
    let mut world = World::new(1);
    world.config.max_foreign_bytes = 10_000;
    world.config.adopt_after = SECOND * 1_000;
    world.join();
    world.run(SECOND);
    for sequence in 1..1_000 {
        hear(&mut world, format!(r#"[1,9,0,[[{sequence},0,0,{sequence},["f{sequence}",0,"{:0>100}"]]]]"#, 1));
    }
    assert!(world.servers[0].view.snapshot().len() < 100);
}

#[test]
fn whatever_the_stamp_of_a_message_every_write_after_it_can_follow() {
    const LATEST: u64 = 1 << 52;
    for stamp in (1..6).flat_map(|by| [LATEST - by, LATEST + by - 1, 2 * LATEST - by]) {
        let mut world = World::with_servers(1, 1);
        hear(&mut world, format!(r#"[1,9,0,[[1,0,0,{stamp},["b",0,"theirs"]]]]"#));
        let refused = world.servers[0].machine.stats().rejected_messages;
        assert_eq!(refused, u64::from(stamp >= LATEST), "{stamp}");
        for n in 0..5 {
            world.set(0, "b", json!(n));
            assert_eq!(world.seen(0, "b"), json!(n), "a write comes after what was visible");
            world.run(Duration::from_millis(1_100)); // It is published.
            assert_eq!(world.seen(0, "b"), json!(n));
        }
        let flush = world.flush(0);
        world.run(SECOND * 30);
        assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Ok(())))));
        assert_eq!(world.stored_value(), json!({"b": 4}));
    }
}

#[test]
fn a_stamp_from_the_far_future_does_not_take_our_clock_along() {
    let mut world = World::with_servers(1, 1);
    let future = (1_u64 << 52) - 1;
    hear(&mut world, format!(r#"[1,9,0,[[1,0,0,{future},["a",0,1]]]]"#));
    world.run(SECOND * 10); // Adopted, and out of the way.
    world.set(0, "b", json!(1));
    world.run(SECOND);
    let own: Value = serde_json::from_slice(world.messages.last().unwrap()).unwrap();
    assert!(own[3][0][3].as_u64().unwrap() < future, "{own}");
}

#[test]
fn values_that_could_not_be_stored_are_refused_at_once() {
    let mut world = World::new(1);
    world.store_limits = presets::ROBLOX_DATA_STORE;
    world.join();
    world.run(SECOND);
    let write = |world: &mut World, field: &str, change: Change| {
        world.act(0, |machine, now, id| machine.write(now, id, field, change))
    };
    let large = Change::Set(Arc::new(json!("x".repeat(4_194_304))));
    assert!(matches!(write(&mut world, "a", large), Err(WriteError::TooLarge { limit: 4_194_304, .. })));
    let deep = (0..130).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(write(&mut world, "a", Change::Set(Arc::new(deep))), Err(WriteError::TooDeep));
    world.set(0, "text", json!("x"));
    let field = "text".into();
    assert_eq!(write(&mut world, "text", Change::Increment(1.into())), Err(WriteError::NotANumber { field }));
    world.set(0, "n", json!(u64::MAX));
    let field = "n".into();
    assert_eq!(write(&mut world, "n", Change::Increment(1.into())), Err(WriteError::Overflow { field }));
    world.run(SECOND * 10);
    assert_eq!(world.stored_value(), json!({"text": "x", "n": u64::MAX}));
}

#[test]
fn an_increment_of_what_turns_out_to_be_no_number_counts_as_applied_and_is_reported() {
    let mut world = World::with_servers(1, 2);
    world.faults.bus_loss = 100;
    world.set(1, "coins", json!("many"));
    world.flush(1);
    world.run(SECOND);
    world.increment(0, "coins", 1);
    let flush = world.flush(0);
    world.run(SECOND * 5);
    assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Ok(())))));
    assert_eq!(world.stored_value(), json!({"coins": "many"}));
    assert_eq!(world.servers[0].machine.stats().without_effect, 1);
}

#[test]
fn names_over_the_limit_are_refused() {
    let mut world = World::new(1);
    world.store_limits = presets::ROBLOX_DATA_STORE;
    world.bus_limits = presets::ROBLOX_MESSAGING;
    world.join();
    let now = world.now;
    let machine = &mut world.servers[0].machine;
    for (store, key, ok) in [
        ("s", "k".repeat(50), true),
        (&"s".repeat(50), "k".repeat(50), true), // Its topic is hashed.
        ("s", "k".repeat(51), false),
        ("s", String::new(), false),
        ("", "k".into(), false),
    ] {
        assert_eq!(machine.open(now, RecordKey::new(store, key.clone())).is_ok(), ok, "{store} {key}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_heard_work_goes_on(
        messages in prop::collection::vec((0..20_u64, 0..9_u64, 0..9_u64, 0..9_u64, 0..4_u64, any::<bool>()), 0..60),
    ) {
        let mut world = World::with_servers(1, 1);
        for (sequence, pred, commit, from, to, own_epoch) in messages {
            let epoch = u64::from(!own_epoch);
            hear(&mut world, format!(
                r#"[1,9,{epoch},[[{sequence},{pred},{commit},{to},["own",1,1]]],[{from},{to},"v",5,[9,{sequence},0],[],0,0]]"#
            ));
            world.increment(0, "own", 1);
            world.run(Duration::from_millis(300));
        }
        let flush = world.flush(0);
        world.run(SECOND * 30);
        prop_assert!(matches!(world.outcome(0, flush), Some(Outcome::Flushed(Ok(())))));
    }
}
