//! Increments a second: ours, and one awaited compare-and-swap after the other.

use std::rc::Rc;
use std::sync::Arc;

use nexus_store::{Config, NexusStore, SaveData};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;
use transport_memory::MemoryBus;
use transport_traits::{DataStore, Precondition, Record, RecordKey};

use super::server;

/// The field that is counted up.
const FIELD: &str = "coins";

/// How many increments are made between two looks at what else there is to do.
const SLICE: u64 = 256;

/// One server of ours with one record.
pub struct Rate {
    runtime: Rc<Runtime>,
    record: SaveData,
    _store: NexusStore,
}

impl Rate {
    /// Opens the record of `key` on the runtime that the store's connections are on.
    ///
    /// # Panics
    /// If the store does not let it.
    #[must_use]
    pub fn new(runtime: &Rc<Runtime>, store: Arc<dyn DataStore>, key: RecordKey) -> Self {
        let runtime = runtime.clone();
        let (record, store) = runtime.block_on(async {
            let store = server(0, store, Arc::new(MemoryBus::unlimited().join()), Config::default());
            (store.open(key).await.expect("the name is a usable one"), store)
        });
        Self { runtime, record, _store: store }
    }

    /// Makes so many increments and waits until all are durable.
    ///
    /// # Panics
    /// If the store does not take them.
    pub fn run(&self, increments: u64) {
        self.runtime.block_on(async {
            for number in 0..increments {
                self.record.increment(FIELD, 1).expect("the journal has room");
                if number % SLICE == 0 {
                    tokio::task::yield_now().await; // The driver runs beside us.
                }
            }
            self.record.flush().await.expect("the store takes the record");
        });
    }

    /// What the record holds.
    #[must_use]
    pub fn value(&self) -> Option<u64> {
        self.record.get(FIELD)?.as_u64()
    }
}

/// The peer: it reads the record, adds, and writes it on condition that it is still the one that it read.
pub struct Rival {
    runtime: Rc<Runtime>,
    store: Arc<dyn DataStore>,
    key: RecordKey,
}

impl Rival {
    /// Writes the record of `key`, with a count of 0, on the runtime that the store's connections are on.
    ///
    /// # Panics
    /// If the store does not take it.
    #[must_use]
    pub fn new(runtime: &Rc<Runtime>, store: Arc<dyn DataStore>, key: RecordKey) -> Self {
        let runtime = runtime.clone();
        let empty = Record::new(format!(r#"{{"{FIELD}":0}}"#));
        let written = runtime.block_on(store.put(key.clone(), empty, Precondition::Always));
        written.expect("the store takes the record");
        Self { runtime, store, key }
    }

    /// Makes so many increments, each durable before the next begins.
    ///
    /// # Panics
    /// If the store does not take them.
    pub fn run(&self, increments: u64) {
        self.runtime.block_on(async {
            for _ in 0..increments {
                self.increment().await;
            }
        });
    }

    async fn increment(&self) {
        let stored = self.store.get(self.key.clone()).await.expect("the store answers");
        let stored = stored.expect("the record was written first");
        let mut fields: Map<String, Value> =
            serde_json::from_str(&stored.record.value).expect("the record is an object");
        let count = fields[FIELD].as_u64().expect("the count is a number");
        fields.insert(FIELD.to_owned(), Value::from(count + 1));
        let next = serde_json::to_string(&fields).expect("an object has a text");
        let put = self.store.put(self.key.clone(), Record::new(next), Precondition::Is(stored.version));
        put.await.expect("nobody else writes");
    }

    /// What the record holds.
    ///
    /// # Panics
    /// If the store does not answer.
    #[must_use]
    pub fn value(&self) -> Option<u64> {
        let stored = self.runtime.block_on(self.store.get(self.key.clone())).expect("the store answers")?;
        serde_json::from_str::<Value>(&stored.record.value).ok()?[FIELD].as_u64()
    }
}
