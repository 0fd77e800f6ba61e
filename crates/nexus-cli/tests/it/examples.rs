//! The examples, each on services of its own, twice: what the first run left is there.

use std::path::PathBuf;

use test_servers::{Nats, Postgres, Redis};
use transport_traits::Delivery;

use crate::program::block_on;

#[expect(dead_code, reason = "its `main` reads the arguments of a program")]
#[path = "../../../../examples/nats.rs"]
mod nats;
#[expect(dead_code, reason = "its `main` reads the arguments of a program")]
#[path = "../../../../examples/postgres.rs"]
mod postgres;
#[expect(dead_code, reason = "its `main` reads the arguments of a program")]
#[path = "../../../../examples/redis.rs"]
mod redis;
#[expect(dead_code, reason = "its `main` reads the arguments of a program")]
#[path = "../../../../examples/sqlite.rs"]
mod sqlite;

#[test]
fn redis_adds_up_what_two_servers_give() {
    let Some(server) = Redis::start("examples::redis_adds_up_what_two_servers_give", &[]) else { return };
    for coins in [120, 240] {
        assert_eq!(block_on(redis::play(&server.url())).unwrap(), coins);
    }
}

#[test]
fn nats_carries_many_messages_and_keeps_a_record() {
    let Some(server) = Nats::start("examples::nats_carries_many_messages_and_keeps_a_record", "") else {
        return;
    };
    for moved in [50, 100] {
        let last = Delivery::Message(r#"{"ann":[50,7]}"#.into());
        assert_eq!(block_on(nats::play(&server.url())).unwrap(), (moved, last));
    }
}

#[test]
fn postgres_sells_what_can_be_paid() {
    let Some(server) = Postgres::start("examples::postgres_sells_what_can_be_paid", &[]) else { return };
    for bought in [2, 3] {
        assert_eq!(block_on(postgres::play(&server.url("postgres"))).unwrap(), bought);
    }
}

#[test]
fn sqlite_remembers_from_run_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("saves.sqlite");
    for visits in [1, 2] {
        let (counted, states) = block_on(sqlite::play(&file)).unwrap();
        assert_eq!(counted, visits);
        assert!(states as i64 >= visits, "{states}");
    }
}
