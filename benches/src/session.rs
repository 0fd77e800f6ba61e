//! Players' real documents changed in play: by ours, and by writing each document whole for each change.

use std::sync::Arc;

use nexus_store::{Config, NexusStore, SaveData};
use serde_json::Value;
use tokio::runtime::Runtime;
use transport_memory::{MemoryBus, MemoryStore};
use transport_traits::{DataStore, Precondition, Record, RecordKey};

use crate::saves::{runtime, server};
use crate::workloads::{Document, DocumentChange};

/// How many changes are made between two looks at what else there is to do.
const SLICE: usize = 256;

/// One server of ours, on which all documents are open.
pub struct Session {
    runtime: Runtime,
    records: Vec<SaveData>,
    store: NexusStore,
}

fn key(number: usize) -> RecordKey {
    RecordKey::new("players", number.to_string())
}

impl Session {
    /// Opens them, each written once.
    ///
    /// # Panics
    /// If our store does not take them.
    #[must_use]
    pub fn new(data: Arc<dyn DataStore>, documents: &[Document]) -> Self {
        let runtime = runtime();
        let (records, store) = runtime.block_on(async {
            let store = server(0, data, Arc::new(MemoryBus::unlimited().join()), Config::default());
            let mut records = Vec::with_capacity(documents.len());
            for (number, document) in documents.iter().enumerate() {
                let record = store.open(key(number)).await.expect("the name is a usable one");
                for (field, value) in document {
                    record.set(field, value).expect("the journal has room");
                }
                record.flush().await.expect("the store takes the record");
                records.push(record);
            }
            (records, store)
        });
        Self { runtime, records, store }
    }

    /// Makes the changes, those of `coins` as increments by 1, and waits until all are durable.
    ///
    /// # Panics
    /// If the store does not take them.
    pub fn play(&self, changes: &[DocumentChange]) {
        self.runtime.block_on(async {
            for slice in changes.chunks(SLICE) {
                slice.iter().for_each(|change| self.apply(change));
                tokio::task::yield_now().await; // The driver runs beside us.
            }
            let report = self.store.flush_all().await;
            assert!(report.unsaved.is_empty(), "the store takes all records");
        });
    }

    fn apply(&self, change: &DocumentChange) {
        let record = &self.records[change.document];
        let accepted = match change.field {
            "coins" => record.increment("coins", 1),
            field => record.set(field, &change.value),
        };
        accepted.expect("the journal has room");
    }

    /// The fields of a document, as they are visible.
    #[must_use]
    pub fn document(&self, number: usize) -> Document {
        let fields = self.records[number].snapshot();
        fields.iter().map(|(field, value)| (field.to_string(), Value::clone(value))).collect()
    }
}

/// The peer: for each change it reads the document, changes it, and writes it on condition that it is still the one that it read.
pub struct WriteThrough {
    runtime: Runtime,
    data: Arc<MemoryStore>,
}

impl WriteThrough {
    /// Writes the documents.
    ///
    /// # Panics
    /// If the store does not take them.
    #[must_use]
    pub fn new(documents: &[Document]) -> Self {
        let (runtime, data) = (runtime(), Arc::new(MemoryStore::unlimited().with_history(0)));
        runtime.block_on(async {
            for (number, document) in documents.iter().enumerate() {
                let record = Record::new(text(document));
                data.put(key(number), record, Precondition::Always).await.expect("the store has no limits");
            }
        });
        Self { runtime, data }
    }

    /// Makes the changes, those of `coins` as increments by 1.
    ///
    /// # Panics
    /// If somebody else writes.
    pub fn play(&self, changes: &[DocumentChange]) {
        self.runtime.block_on(async {
            for change in changes {
                self.apply(change).await;
            }
        });
    }

    async fn apply(&self, change: &DocumentChange) {
        let key = key(change.document);
        let (mut document, version) = self.read(key.clone()).await;
        let value = match change.field {
            "coins" => (document["coins"].as_u64().unwrap_or(0) + 1).into(),
            _ => change.value.clone(),
        };
        document.insert(change.field.into(), value);
        let written = self.data.put(key, Record::new(text(&document)), Precondition::Is(version));
        written.await.expect("nobody else writes");
    }

    async fn read(&self, key: RecordKey) -> (Document, transport_traits::Version) {
        let stored = self.data.get(key).await.expect("the store has no limits").expect("it was written");
        let document = serde_json::from_str(&stored.record.value).expect("it was written as an object");
        (document, stored.version)
    }

    /// The fields of a document, as they are stored.
    #[must_use]
    pub fn document(&self, number: usize) -> Document {
        self.runtime.block_on(self.read(key(number))).0
    }
}

fn text(document: &Document) -> String {
    serde_json::to_string(document).expect("it is JSON")
}
