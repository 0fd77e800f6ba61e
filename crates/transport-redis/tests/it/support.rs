//! What several tests use.

use std::future::Future;

use redis::FromRedisValue;
use test_servers::Redis;
use transport_redis::RedisStore;
use transport_traits::{DataStore, Error, ErrorKind, Record, RecordKey};

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// What the server answers another client.
pub(crate) async fn ask<T: FromRedisValue>(url: &str, command: &[&str]) -> T {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd(command[0]).arg(&command[1..]).query_async(&mut connection).await.unwrap()
}

pub(crate) fn key(name: &str) -> RecordKey {
    RecordKey::new("players", name)
}

pub(crate) fn number(n: u64) -> Record {
    Record::new(format!(r#"{{"n":{n}}}"#))
}

pub(crate) async fn number_of(store: &RedisStore, name: &str) -> u64 {
    let stored = store.get(key(name)).await.unwrap().unwrap();
    serde_json::from_str::<serde_json::Value>(&stored.record.value).unwrap()["n"].as_u64().unwrap()
}

pub(crate) fn is_of_a_lost_connection(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unknown | ErrorKind::Unavailable)
}

/// A server that keeps what it acknowledged.
pub(crate) fn durable(test: &str) -> Option<Redis> {
    Redis::start(test, &["--appendonly", "yes", "--appendfsync", "always"])
}
