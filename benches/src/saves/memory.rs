//! The memory that open records take.

use std::fs;
use std::sync::Arc;

use futures::future::{BoxFuture, join_all, ready};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use nexus_store::{Config, SaveData};
use transport_memory::{MemoryBus, MemoryStore};
use transport_traits::{
    BusLimits, Capabilities, DataStore, Error, ErrorKind, Outgoing, Precondition, Publisher, Record,
    RecordKey, StoreLimits, Stored, Subscriber, Subscription, Topic, Version,
};

use super::{runtime, server};

/// The bytes of resident memory that each of so many open records adds, its name and all handles included and what the
/// services keep left out. `None` where the system does not say what is resident (`/proc/self/status`, in KiB).
///
/// What the process has freed before is used first and not counted, so measure before anything else.
///
/// # Panics
/// If our store does not open the records.
#[must_use]
pub fn bytes_a_record(count: u32, value: &str) -> Option<f64> {
    runtime().block_on(async {
        let stored = written_once(value).await;
        let services =
            Arc::new(Services { stored, limits: StoreLimits::default(), bus: BusLimits::default() });
        let store = server(1, services.clone(), services, Config::default());
        let before = resident()?;
        let mut records: Vec<SaveData> = Vec::with_capacity(count as usize);
        for number in 0..count.div_ceil(BATCH) {
            let batch = number * BATCH..count.min((number + 1) * BATCH);
            let opens = batch.map(|number| store.open(RecordKey::new("players", format!("{number:08}"))));
            records.extend(join_all(opens).await.into_iter().map(|record| record.expect("a usable name")));
        }
        let after = resident()?;
        assert!(records.iter().all(|record| record.get("coins").is_some()), "all are loaded");
        Some((after - before) / f64::from(count))
    })
}

/// Opened together.
const BATCH: u32 = 1_000;

/// What a server of ours stores for this value when it writes it once.
async fn written_once(value: &str) -> Stored {
    let data = Arc::new(MemoryStore::unlimited());
    let key = RecordKey::new("players", "first");
    let store = server(0, data.clone(), Arc::new(MemoryBus::unlimited().join()), Config::default());
    let record = store.open(key.clone()).await.expect("the name is a usable one");
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(value).expect("an object");
    for (field, value) in fields {
        record.set(&field, value).expect("the journal has room");
    }
    record.flush().await.expect("the store takes the record");
    let stored = data.get(key).await.expect("the store answers").expect("the record was just written");
    assert_eq!(stored.record.value.len(), value.len(), "it is stored as it was given");
    stored
}

/// Bytes of this process that are in memory. `None` where the system does not say (`/proc/self/status`, in KiB).
#[must_use]
pub fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024.0)
}

/// A store in which every record is the same, and a bus on which nothing happens. They keep nothing a record.
struct Services {
    stored: Stored,
    limits: StoreLimits,
    bus: BusLimits,
}

impl DataStore for Services {
    fn limits(&self) -> &StoreLimits {
        &self.limits
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn get(&self, _: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        // As a store would read it, with memory of its own.
        let Stored { record, version, modified } = &self.stored;
        let users = record.users.iter().cloned();
        let record = Record::new(&*record.value).with_metadata(&*record.metadata).with_users(users);
        ready(Ok(Some(Stored { record, version: Version::new(version.as_str()), modified: *modified })))
            .boxed()
    }

    fn put(&self, _: RecordKey, _: Record, _: Precondition) -> BoxFuture<'_, Result<Version, Error>> {
        ready(Err(Error::new(ErrorKind::Denied, "nothing is written here"))).boxed()
    }

    fn delete(&self, _: RecordKey, _: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        ready(Err(Error::new(ErrorKind::Denied, "nothing is deleted here"))).boxed()
    }

    fn list(&self, _: Arc<str>, _: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        futures::stream::empty().boxed()
    }
}

impl Publisher for Services {
    fn limits(&self) -> &BusLimits {
        &self.bus
    }

    fn publish(&self, _: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        ready(Ok(())).boxed()
    }
}

impl Subscriber for Services {
    fn subscribe(&self, _: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        ready(Ok(futures::stream::pending().boxed())).boxed()
    }

    fn hears_own_echo(&self) -> bool {
        false
    }
}
