//! Reading one field of a record that is in memory, and the lock and map that it is compared with.

use std::collections::HashMap;
use std::sync::{Arc, Barrier};
use std::thread;

use nexus_store::{Config, SaveData};
use parking_lot::RwLock;
use serde_json::{Value, json};
use transport_memory::{MemoryBus, MemoryStore};
use transport_traits::RecordKey;

use super::{runtime, server};

/// The peer: fields behind one lock, whose values are shared.
#[derive(Debug)]
pub struct Locked(RwLock<HashMap<String, Arc<Value>>>);

impl Locked {
    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<Arc<Value>> {
        self.0.read().get(field).cloned()
    }
}

/// A record of ten fields: seven numbers of one digit, a larger one, a text of 100 bytes and a list of 20 objects.
#[derive(Debug)]
pub struct Readers {
    /// Ours.
    pub record: SaveData,
    /// The peer, with the same values.
    pub locked: Locked,
    /// The fields' names.
    pub fields: Vec<String>,
}

impl Readers {
    /// A record that is in memory.
    ///
    /// # Panics
    /// If our store takes no writes.
    #[must_use]
    pub fn new() -> Self {
        let mut names: Vec<String> = fields().into_keys().collect();
        names.sort_unstable();
        Self { record: runtime().block_on(opened()), locked: Locked(RwLock::new(fields())), fields: names }
    }
}

impl Default for Readers {
    fn default() -> Self {
        Self::new()
    }
}

async fn opened() -> SaveData {
    let (data, bus) = (Arc::new(MemoryStore::unlimited()), Arc::new(MemoryBus::unlimited().join()));
    let store = server(0, data, bus, Config::default());
    let record = store.open(RecordKey::new("players", "ann")).await.expect("the name is a usable one");
    for (field, value) in fields() {
        record.set(&field, Value::clone(&value)).expect("the journal has room");
    }
    record
}

fn fields() -> HashMap<String, Arc<Value>> {
    let item = |number| json!({ "name": format!("item {number}"), "count": number });
    let mut fields = HashMap::from([
        ("coins".to_owned(), json!(1_200)),
        ("motto".to_owned(), json!("x".repeat(100))),
        ("inventory".to_owned(), (0..20).map(item).collect()),
    ]);
    fields.extend((0..7).map(|number| (format!("field {number}"), json!(number))));
    fields.into_iter().map(|(field, value)| (field, Arc::new(value))).collect()
}

/// Runs `read` so often on each of two threads at once.
///
/// # Panics
/// If `read` does.
pub fn on_two_threads(times: usize, read: impl Fn() + Sync) {
    let begin = Barrier::new(2);
    let reader = || {
        begin.wait();
        (0..times).for_each(|_| read());
    };
    thread::scope(|scope| {
        scope.spawn(reader);
        reader();
    });
}
