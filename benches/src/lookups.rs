//! Reading what is in memory: what users hold of ours, and the caches and maps that it is compared with.

use std::collections::HashMap;
use std::sync::Arc;

use dashmap::DashMap;
use moka::sync::Cache;
use nexus_store::{Config, SaveData};
use parking_lot::RwLock;
use serde::Deserialize;
use server_pool::Pool;
use transport_memory::{MemoryBus, MemoryStore};
use transport_traits::{RecordKey, TokioTimer};

use crate::saves::{on_virtual_time, server};
use crate::workloads::Document;

/// The same values by key in each of the peers, shared as ours are.
pub struct Peers<T> {
    /// A map of the standard library behind a lock that readers share.
    pub locked: RwLock<HashMap<String, Arc<T>>>,
    /// A map whose parts have locks of their own.
    pub dashmap: DashMap<String, Arc<T>>,
    /// A cache with room for all of them, which notes what is used.
    pub moka: Cache<String, Arc<T>>,
}

impl<T: Send + Sync + 'static> Peers<T> {
    /// Peers that hold these.
    #[must_use]
    pub fn new(values: &[(String, Arc<T>)]) -> Self {
        let moka = Cache::new(2 * values.len() as u64);
        values.iter().for_each(|(key, value)| moka.insert(key.clone(), value.clone()));
        Self {
            locked: RwLock::new(values.iter().cloned().collect()),
            dashmap: values.iter().cloned().collect(),
            moka,
        }
    }

    /// A value of the locked map.
    #[must_use]
    pub fn from_locked(&self, key: &str) -> Option<Arc<T>> {
        self.locked.read().get(key).cloned()
    }

    /// A value of the map in parts.
    #[must_use]
    pub fn from_dashmap(&self, key: &str) -> Option<Arc<T>> {
        self.dashmap.get(key).map(|value| value.value().clone())
    }

    /// A value of the cache.
    #[must_use]
    pub fn from_moka(&self, key: &str) -> Option<Arc<T>> {
        self.moka.get(key)
    }
}

/// Records with these documents, in memory and clean, by their keys `0`, `1`, ….
///
/// # Panics
/// If our store takes no writes.
#[must_use]
pub fn records(documents: &[Document]) -> Vec<SaveData> {
    on_virtual_time(async {
        let (data, bus) = (Arc::new(MemoryStore::unlimited()), Arc::new(MemoryBus::unlimited().join()));
        let store = server(0, data, bus, Config::default());
        let mut records = Vec::with_capacity(documents.len());
        for (number, document) in documents.iter().enumerate() {
            let key = RecordKey::new("players", number.to_string());
            let record = store.open(key).await.expect("the name is a usable one");
            for (field, value) in document {
                record.set(field, value).expect("the journal has room");
            }
            records.push(record);
        }
        let report = store.flush_all().await;
        assert!(report.unsaved.is_empty(), "the store takes all records");
        records
    })
}

/// A pool with these entries, all of them this server's own.
///
/// # Panics
/// If the pool does not take them.
#[must_use]
pub fn pool(entries: &[(String, Arc<String>)]) -> Pool<String> {
    on_virtual_time(async {
        let endpoint = Arc::new(MemoryBus::unlimited().join());
        let mut config = server_pool::Config::new("server");
        config.max_origin_entries = config.max_origin_entries.max(entries.len());
        let pools = server_pool::Pools::new(endpoint.clone(), endpoint, Arc::new(TokioTimer::new()), config);
        let (pools, driver) = pools.expect("defaults work on this bus");
        tokio::spawn(driver);
        let pool = pools.open::<String>("players").await.expect("the bus takes this topic");
        entries.iter().for_each(|(key, value)| pool.contribute(key, value).expect("the entries fit"));
        assert_eq!(pool.len(), entries.len(), "own entries show at once");
        // The driver is gone with its runtime. What was contributed stays readable.
        std::mem::forget(pools);
        pool
    })
}

/// What a game keeps of a player: a part of the fields of a [`Document`], typed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Player {
    /// Money.
    pub coins: u64,
    /// Experience.
    pub xp: u64,
    /// In half hearts.
    pub health: f64,
    /// Where.
    pub pos: Position,
    /// What is carried.
    pub inventory: Vec<Stack>,
    /// Counts by name.
    pub statistics: HashMap<String, u64>,
    /// What was reached.
    pub advancements: Vec<String>,
}

/// Where a player is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Position {
    /// East.
    pub x: f64,
    /// Up.
    pub y: f64,
    /// South.
    pub z: f64,
    /// In which of the worlds.
    pub world: String,
}

/// One stack of an inventory.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Stack {
    /// Its place.
    pub slot: u32,
    /// What it is.
    pub id: String,
    /// How many.
    pub count: u32,
    /// How worn.
    pub damage: u32,
    /// Levels by name.
    pub enchantments: HashMap<String, u32>,
}
