//! The cases for data stores, and what they are run on.

mod dropped;
mod history;
mod listing;
mod preconditions;
mod races;
mod records;
mod refusals;
mod sizes;

use std::any::Any;
use std::sync::Arc;

use futures::TryStreamExt;
use serde_json::Value;
use transport_traits::{DataStore, Precondition, Record, RecordKey, Stored, Version};

use crate::support::{Case, find, ok};
use crate::watchdog::within_patience;

/// All of them.
pub const CASES: &[Case<Stores>] = crate::__store_cases!(__array());

/// An empty store as two servers see it.
pub struct Stores {
    here: Arc<dyn DataStore>,
    there: Arc<dyn DataStore>,
    _kept: Box<dyn Any>,
}

impl Stores {
    /// Two servers' handles to one store. They may be one handle, where the store has nothing of a server's own.
    pub fn new(here: Arc<dyn DataStore>, there: Arc<dyn DataStore>) -> Self {
        Self { here, there, _kept: Box::new(()) }
    }

    /// The same, dropping `kept` after the test, and after the handles: a server, a folder.
    #[must_use]
    pub fn keeping(self, kept: impl Any) -> Self {
        Self { _kept: Box::new(kept), ..self }
    }

    /// Both handles in turn.
    fn each(&self) -> [&dyn DataStore; 2] {
        [&*self.here, &*self.there]
    }

    /// Writes whatever is there.
    async fn put(&self, name: &str, record: Record) -> Version {
        ok(self.here.put(key(name), record, Precondition::Always).await, format_args!("writing {name:?}"))
    }

    async fn delete(&self, name: &str) {
        ok(self.here.delete(key(name), Precondition::Always).await, format_args!("deleting {name:?}"));
    }

    /// Reads on the other server than the one that writes.
    async fn get(&self, name: &str) -> Option<Stored> {
        ok(self.there.get(key(name)).await, format_args!("reading {name:?}"))
    }

    /// The number in a record of [`number`].
    async fn number(&self, name: &str) -> Option<u64> {
        self.get(name).await.map(|stored| number_in(&stored))
    }

    async fn listed(&self, store: &str, prefix: &str) -> Vec<String> {
        let keys = self.there.list(store.into(), prefix.into()).map_ok(|key| key.to_string());
        ok(keys.try_collect().await, format_args!("listing {prefix:?}"))
    }
}

/// Runs the case of this name on what `setup` gives, or nothing if that is `None`.
///
/// # Panics
/// If the case fails, does not end within a minute, or does not exist.
pub async fn check_store(case: &'static str, setup: impl Future<Output = Option<Stores>>) {
    let run = find(CASES, case).run;
    if let Some(stores) = setup.await {
        within_patience(case, run(&stores)).await;
    }
}

const STORE: &str = "store";

fn key(name: &str) -> RecordKey {
    RecordKey::new(STORE, name)
}

/// A record that holds one number.
fn number(n: u64) -> Record {
    Record::new(format!(r#"{{"n":{n}}}"#))
}

fn number_in(stored: &Stored) -> u64 {
    json(&stored.record.value)["n"].as_u64().unwrap_or_else(|| panic!("no number in {:?}", stored.record))
}

/// A value as JSON: a store may give back another text of the same object.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text:?}"))
}
