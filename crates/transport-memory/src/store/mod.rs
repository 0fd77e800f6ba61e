//! The data store: records in this process's memory, with compare-and-swap and history.

mod budget;
mod data;
mod entry;
mod shard;
mod stats;

use std::fmt;
use std::sync::Arc;

use budget::{Budget, Request};
use data::Data;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
pub use stats::StoreStats;
use transport_adapter::check;
use transport_traits::limits::Load;
use transport_traits::{
    Capabilities, DataStore, Error, Precondition, Record, RecordKey, StoreLimits, Stored, Timer, Version,
    VersionInfo,
};

use crate::clock::Clock;

/// Past states that a key keeps, unless told otherwise.
const HISTORY: usize = 10;

/// One server's access to a data store in this process. Clones are the same server; [`join`](Self::join)
/// gives access to another one, with request rates of its own, to the same records.
///
/// Its futures are ready at the first poll. Every call is linearizable; a listing is not a snapshot.
///
/// # Errors
/// `Invalid` (an empty name, a value that is no JSON object), `TooLarge` (name, value, metadata; a value
/// that is more than a key's whole throughput), `Throttled` with the time until there is room, `Conflict`.
/// A request that fails with `Conflict` or for the key's throughput has used up one request.
#[derive(Clone)]
pub struct MemoryStore {
    data: Arc<Data>,
    budget: Arc<Budget>,
    history: usize,
}

impl MemoryStore {
    /// An empty store that enforces `limits` for a fleet of `load.servers` servers with `load.players`
    /// players on each, on `timer`'s clocks.
    #[must_use]
    pub fn new(limits: StoreLimits, load: Load, timer: Arc<dyn Timer>) -> Self {
        Self::on(Data::new(limits, load, Clock::Timer(timer)))
    }

    /// An empty store without limits, on the system's clocks.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::on(Data::new(StoreLimits::default(), Load::default(), Clock::system()))
    }

    fn on(data: Data) -> Self {
        let budget = Arc::new(Budget::new(&data.limits, data.load));
        Self { data: Arc::new(data), budget, history: HISTORY }
    }

    /// The same store; a write through this handle, its clones and those that join through it leaves its
    /// key with at most `states` before the latest. 10 if not told.
    #[must_use]
    pub const fn with_history(mut self, states: usize) -> Self {
        self.history = states;
        self
    }

    /// Access for another server, with no request made yet.
    #[must_use]
    pub fn join(&self) -> Self {
        let budget = Arc::new(Budget::new(&self.data.limits, self.data.load));
        Self { budget, ..self.clone() }
    }

    /// The requests of all servers so far.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        self.data.counters.read()
    }

    /// Counts a request against its rates.
    fn begin(&self, request: Request) -> Result<(), Error> {
        self.budget.take(request, self.data.together.as_ref(), self.data.clock.now())?;
        self.data.counters.count(request);
        Ok(())
    }

    fn begin_on(&self, request: Request, key: &RecordKey) -> Result<(), Error> {
        check::key(&self.data.limits, key)?;
        self.begin(request)
    }

    fn read(&self, key: &RecordKey, version: Option<&Version>) -> Result<Option<Stored>, Error> {
        self.begin_on(Request::Read, key)?;
        self.data.read(key, version)
    }

    fn begin_list(&self, store: &str) -> Result<(), Error> {
        check::store_name(&self.data.limits, store)?;
        self.begin(Request::List)
    }
}

impl DataStore for MemoryStore {
    fn limits(&self) -> &StoreLimits {
        &self.data.limits
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.history = true;
        capabilities
    }

    fn get(&self, key: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move { self.read(&key, None) })
    }

    fn put(
        &self,
        key: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        Box::pin(async move {
            check::record(&self.data.limits, &record)?;
            self.begin_on(Request::Write, &key)?;
            self.data.commit(key, Some(record), &precondition, self.history)
        })
    }

    fn delete(&self, key: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            self.begin_on(Request::Remove, &key)?;
            self.data.commit(key, None, &precondition, self.history).map(drop)
        })
    }

    fn list(&self, store: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        let keys = async move {
            self.begin_list(&store)?;
            Ok(stream::iter(self.data.keys(store, prefix)).map(Ok))
        };
        stream::once(keys).try_flatten().boxed()
    }

    fn versions(&self, key: RecordKey) -> BoxFuture<'_, Result<Vec<VersionInfo>, Error>> {
        Box::pin(async move {
            self.begin_on(Request::List, &key)?;
            Ok(self.data.versions(&key))
        })
    }

    fn get_version(&self, key: RecordKey, version: Version) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move { self.read(&key, Some(&version)) })
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("limits", &self.data.limits)
            .field("history", &self.history)
            .finish_non_exhaustive()
    }
}
