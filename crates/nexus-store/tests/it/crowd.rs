//! More servers write a record than its metadata has room for.

use std::time::Duration;

use nexus_store::machine::{Outcome, UpdateOutcome};
use serde_json::json;
use transport_traits::presets;

use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// So many servers over a store with Open Cloud's 300 characters.
fn crowd(count: usize) -> World {
    let mut world = World::new(1);
    world.store_limits.metadata = presets::ROBLOX_DATA_STORE.metadata;
    world.join_all(count);
    world.run(SECOND);
    world
}

fn undetermined(world: &World) -> u64 {
    world.servers.iter().map(|server| server.machine.stats().undetermined).sum()
}

/// Runs until everything is stored, and says how many seconds that took.
fn seconds_until(world: &mut World, n: i64) -> u64 {
    for second in 0..3_600 {
        if world.stored_value()["n"] == json!(n) {
            return second;
        }
        world.run(SECOND);
    }
    panic!("{} of {n} after an hour, {} undetermined", world.stored_value()["n"], undetermined(world));
}

#[test]
fn a_crowd_that_writes_at_once_is_stored_as_soon_as_there_is_room() {
    let mut world = crowd(60);
    (0..60).for_each(|server| world.increment(server, "n", 1));
    let flushes: Vec<_> = (0..60).map(|server| world.flush(server)).collect();
    let seconds = seconds_until(&mut world, 60);
    assert!(seconds <= 300, "{seconds} s for three tables of writers");
    assert_eq!(undetermined(&world), 0);
    world.run(SECOND * 60);
    for (server, flush) in flushes.into_iter().enumerate() {
        assert!(matches!(world.outcome(server, flush), Some(Outcome::Flushed(Ok(())))), "server {server}");
    }
}

#[test]
fn a_crowd_that_keeps_writing_is_stored_in_bounded_time_once_it_stops() {
    let mut world = crowd(40);
    for n in 0..1_200 {
        world.increment(n % 40, "n", 1);
        world.run(Duration::from_millis(50));
    }
    let seconds = seconds_until(&mut world, 1_200);
    assert!(seconds <= 100, "{seconds} s; published while there is no room, it takes 123");
    assert_eq!(undetermined(&world), 0);
}

#[test]
fn a_write_never_overtakes_one_that_it_saw_even_where_that_finds_no_room() {
    let mut world = World::new(1);
    world.config.max_writers = 2;
    world.join_all(3);
    world.run(SECOND);
    world.increment(2, "n", 1);
    world.run(SECOND * 5); // Room for one more.
    world.set(0, "color", json!("red"));
    world.increment(1, "n", 1);
    world.flush(1);
    world.run(SECOND);
    assert_eq!(world.seen(1, "color"), json!("red"));
    world.set(1, "color", json!("blue"));
    world.run(SECOND * 200);
    assert_eq!(world.stored_value(), json!({"n": 2, "color": "blue"}));
}

#[test]
fn a_crowd_of_writers_waits_for_room_and_loses_nothing() {
    let mut world = World::new(1);
    world.config.max_writers = 3;
    world.join_all(6);
    world.run(SECOND);
    for server in 0..6 {
        world.increment(server, "n", 1);
    }
    world.run(SECOND * 400);
    assert_eq!(world.stored_value(), json!({"n": 6}));
    let undetermined: u64 = world.servers.iter().map(|server| server.machine.stats().undetermined).sum();
    assert_eq!(undetermined, 0);
}

#[test]
fn a_table_that_filled_up_at_once_has_room_for_later_servers() {
    let mut world = World::new(1);
    world.config.max_writers = 3;
    world.join_all(3);
    world.run(SECOND);
    world.increment(0, "n", 1); // The table's first commit: ages are known up to here only.
    world.run(SECOND * 5);
    for server in 0..3 {
        world.increment(server, "n", 1);
    }
    world.run(SECOND * 5);
    for server in 0..3 {
        world.servers[server].alive = false;
    }
    world.run(SECOND * 3_600);
    let server = world.join();
    world.run(SECOND);
    world.increment(server, "n", 1);
    let flush = world.flush(server);
    world.run(SECOND * 100);
    assert!(matches!(world.outcome(server, flush), Some(Outcome::Flushed(Ok(())))));
    assert_eq!(world.stored_value(), json!({"n": 5}));
}

#[test]
fn an_update_that_finds_no_room_beside_the_writes_it_saw_lets_them_go_first() {
    let mut world = World::new(1);
    world.config.max_writers = 2;
    world.join_all(3);
    world.run(SECOND);
    for server in 0..2 {
        world.increment(server, "n", 1);
        world.run(Duration::from_millis(450));
        world.servers[server].alive = false;
    }
    assert_eq!(world.seen(2, "n"), json!(2));
    let update = world.update(2, &["n"]);
    world.run(SECOND * 5);
    assert_eq!(world.stored_value(), json!({"n": 2}));
    world.run(SECOND * 100);
    assert!(matches!(world.outcome(2, update), Some(Outcome::Updated(UpdateOutcome::Committed(_)))));
    assert_eq!(world.stored_value(), json!({"n": 3}));
}

#[test]
fn a_refused_write_that_others_may_have_stored_is_reported_and_not_made_anew() {
    let mut world = World::new(1);
    world.config.max_writers = 1;
    world.join_all(2);
    world.run(SECOND);
    world.increment(0, "n", 1);
    world.run(Duration::from_millis(450)); // Published, and seen by the other.
    world.servers[0].alive = false;
    world.increment(1, "n", 1);
    world.run(SECOND * 200); // The other stored both, and then forgot the first writer.
    assert_eq!(world.stored_value(), json!({"n": 2}));
    world.servers[0].alive = true;
    world.gap_everywhere();
    world.run(SECOND * 200);
    assert_eq!(world.stored_value(), json!({"n": 2}));
    assert_eq!(undetermined(&world), 1);
}
