//! Operations that wait to be saved, by their number: what one more costs, a read, and the save.

use std::sync::Arc;
use std::time::Duration;

use nexus_store::{Config, NexusStore, SaveData};
use tokio::runtime::Runtime;
use transport_memory::{MemoryBus, MemoryStore};
use transport_traits::RecordKey;

use crate::measure::interleaved_on_this_thread;
use crate::saves::{runtime, server};

/// Records with operations that wait: nothing is saved while its runtime stands still.
pub struct Pending {
    /// The records, each of which has fields that were set.
    pub records: Vec<SaveData>,
    runtime: Runtime,
    store: NexusStore,
}

impl Pending {
    /// So many records, of which each has so many fields that were set and not saved.
    ///
    /// # Panics
    /// If our store does not take them.
    #[must_use]
    pub fn new(records: usize, operations: usize) -> Self {
        let runtime = runtime();
        let (store, records) = runtime.block_on(async {
            let (data, bus) = (Arc::new(MemoryStore::unlimited()), Arc::new(MemoryBus::unlimited().join()));
            let config = Config { flush_delay: Duration::from_secs(3_600), ..Config::default() };
            let store = server(0, data, bus, config);
            let mut opened = Vec::with_capacity(records);
            for number in 0..records {
                let key = RecordKey::new("players", number.to_string());
                opened.push(store.open(key).await.expect("the name is a usable one"));
            }
            (store, opened)
        });
        for record in &records {
            (0..operations).for_each(|field| {
                record.set(&field_name(field), field).expect("the journal has room");
            });
        }
        Self { records, runtime, store }
    }

    /// Bytes of operations that wait.
    #[must_use]
    pub fn unsaved_bytes(&self) -> usize {
        self.store.stats().journal_bytes
    }

    /// Saves everything.
    ///
    /// # Panics
    /// If the store does not take it.
    pub fn flush(&self) {
        self.runtime.block_on(async {
            for record in &self.records {
                record.flush().await.expect("the store takes the record");
            }
        });
    }
}

/// The name of a field.
#[must_use]
pub fn field_name(field: usize) -> String {
    format!("field {field:05}")
}

/// Nanoseconds of the processor for the save of one record's operations.
#[must_use]
pub fn flushed_alone(operations: usize) -> f64 {
    let mut pending = None;
    let mut round = Flush { pending: &mut pending, operations };
    interleaved_on_this_thread(3, &mut [&mut round]).median(0)
}

struct Flush<'a> {
    pending: &'a mut Option<Pending>,
    operations: usize,
}

impl crate::measure::Subject for Flush<'_> {
    fn prepare(&mut self) {
        *self.pending = Some(Pending::new(1, self.operations));
    }

    fn run(&mut self) {
        self.pending.iter().for_each(Pending::flush);
    }
}
