//! What several tests use.

use std::future::Future;

use async_nats::HeaderMap;
use transport_nats::NatsStore;
use transport_traits::{DataStore, Record, RecordKey};

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

pub(crate) fn key(name: &str) -> RecordKey {
    RecordKey::new("players", name)
}

pub(crate) fn number(n: u64) -> Record {
    Record::new(format!(r#"{{"n":{n}}}"#))
}

pub(crate) async fn number_of(store: &NatsStore, name: &str) -> u64 {
    let stored = store.get(key(name)).await.unwrap().unwrap();
    serde_json::from_str::<serde_json::Value>(&stored.record.value).unwrap()["n"].as_u64().unwrap()
}

/// What another client stores under a subject.
pub(crate) async fn put_by_hand(url: &str, subject: &'static str, headers: HeaderMap, value: &'static [u8]) {
    let context = async_nats::jetstream::new(async_nats::connect(url).await.unwrap());
    context.publish_with_headers(subject, headers, value.into()).await.unwrap().await.unwrap();
}
