//! What all servers of a store share: the records, the application's budget, the clock.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use transport_traits::limits::Load;
use transport_traits::{Error, Precondition, Record, RecordKey, StoreLimits, Stored, Version, VersionInfo};

use super::budget::window;
use super::entry::State;
use super::shard::{Rules, Shard};
use super::stats::Counters;
use crate::clock::Clock;
use crate::window::Window;

/// Locks that the keys are spread over.
const SHARDS: usize = 16;

pub(super) struct Data {
    pub(super) limits: StoreLimits,
    pub(super) load: Load,
    pub(super) clock: Clock,
    pub(super) counters: Counters,
    /// What `requests` allows.
    pub(super) together: Option<Mutex<Window>>,
    shards: [Mutex<Shard>; SHARDS],
    /// Counted for all keys, so that no key ever has a version twice.
    last_version: AtomicU64,
}

impl Data {
    pub(super) fn new(limits: StoreLimits, load: Load, clock: Clock) -> Self {
        Self {
            together: window(limits.requests, load),
            limits,
            load,
            clock,
            counters: Counters::default(),
            shards: Default::default(),
            last_version: AtomicU64::new(0),
        }
    }

    pub(super) fn read(&self, key: &RecordKey, version: Option<&Version>) -> Result<Option<Stored>, Error> {
        self.shard(key).lock().read(key, version, self.clock.now())
    }

    pub(super) fn versions(&self, key: &RecordKey) -> Vec<VersionInfo> {
        self.shard(key).lock().versions(key)
    }

    /// Writes `record`, or the deletion if there is none, and keeps `history` states before it.
    pub(super) fn commit(
        &self,
        key: RecordKey,
        record: Option<Record>,
        precondition: &Precondition,
        history: usize,
    ) -> Result<Version, Error> {
        let version = Version::new((1 + self.last_version.fetch_add(1, Ordering::Relaxed)).to_string());
        let state = || State { version: version.clone(), modified: self.clock.wall_clock(), record };
        let rules = Rules { limits: &self.limits, history, now: self.clock.now() };
        self.shard(&key).lock().commit(key, precondition, state, rules)?;
        Ok(version)
    }

    /// The keys of `store` that begin with `prefix`, read a shard at a time.
    pub(super) fn keys(&self, store: Arc<str>, prefix: Arc<str>) -> impl Iterator<Item = Arc<str>> {
        self.shards.iter().flat_map(move |shard| shard.lock().keys(&store, &prefix))
    }

    /// Always the same one for a key, in every process, so that a listing's order repeats.
    fn shard(&self, key: &RecordKey) -> &Mutex<Shard> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        &self.shards[hasher.finish() as usize % SHARDS]
    }
}
