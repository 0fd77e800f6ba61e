//! The store: a key of a JetStream bucket a record.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};
use serde_json::{Value, json};
use transport_adapter::check;
use transport_traits::{
    Capabilities, DataStore, Error, ErrorKind, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
    VersionInfo,
};

use crate::access::Access;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::link::{Held, Link};
use crate::state::State;
use crate::{Options, bucket, keys, limits, listing, state};

/// A data store on JetStream. Clones share one connection, which is made anew after it broke. See the [crate](crate)
/// for what is promised.
#[derive(Clone)]
pub struct NatsStore {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link,
    access: Access,
    limits: StoreLimits,
    keeps_history: bool,
    names: Names,
}

/// Names for states that nobody else gives: random bits of this process's start, and a count.
struct Names {
    start: [u64; 2],
    count: AtomicU64,
}

impl Names {
    fn new() -> Self {
        // The standard library seeds these from the operating system's randomness.
        let start = [0, 1].map(|n| RandomState::new().hash_one(n));
        Self { start, count: AtomicU64::new(0) }
    }

    fn next(&self) -> String {
        let [high, low] = self.start;
        format!("{high:016x}{low:016x}-{}", self.count.fetch_add(1, Ordering::Relaxed))
    }
}

impl NatsStore {
    /// Connects to `nats://[user:password@|token@]host[:port]`, or `tls://`, or to the first that answers of several
    /// between commas, with [`Options::default`]. Makes the bucket if it is not there. Needs a tokio runtime, as do all
    /// calls. Dropping the future connects nothing, but the bucket may be made.
    ///
    /// # Errors
    /// `Invalid` for the URL, `Denied` for the credentials, `Unavailable` if nobody answers or the server has no
    /// JetStream.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Options::default().store(url).await
    }

    pub(crate) async fn start(url: &str, options: Options) -> Result<Self, Error> {
        let access = Access::new(url, options)?;
        let connection = Connection::open(&access).await?;
        let keeps_history = bucket::ensure(&connection, &access.options).await? > 1;
        let limits =
            access.options.store_limits.clone().unwrap_or_else(|| limits::store(connection.max_payload()));
        let link = Link::new(connection);
        let names = Names::new();
        Ok(Self { shared: Arc::new(Shared { link, access, limits, keeps_history, names }) })
    }

    /// The connection, which is made where it broke, and the bucket too where it is gone.
    pub(crate) async fn hold(&self) -> Result<Held, Error> {
        let Shared { link, access, .. } = &*self.shared;
        let open = async {
            let connection = Connection::open(access).await?;
            bucket::ensure(&connection, &access.options).await?;
            Ok(connection)
        };
        link.hold(open).await
    }

    pub(crate) fn release<T>(&self, held: Held, result: Result<T, Fault>) -> Result<T, Error> {
        self.shared.link.release(held, result)
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.shared.access.options.bucket
    }

    pub(crate) fn check_store_name(&self, store: &str) -> Result<(), Error> {
        check::store_name(&self.shared.limits, store)
    }

    /// The state that `which` asks for, if there is one.
    async fn state(&self, which: &Value) -> Result<Option<State>, Error> {
        let held = self.hold().await?;
        let result = bucket::message(&held, self.bucket(), which).await;
        Ok(self.release(held, result)?.map(State::new))
    }

    async fn last(&self, subject: &str) -> Result<Option<State>, Error> {
        self.state(&json!({ "last_by_subj": subject })).await
    }

    /// Writes the record, or deletes it if there is none. `None` if that would change nothing.
    async fn write(
        &self,
        key: &RecordKey,
        record: Option<Record>,
        condition: Precondition,
    ) -> Result<Option<Version>, Error> {
        let shared = &*self.shared;
        check::key(&shared.limits, key)?;
        record.as_ref().map_or(Ok(()), |record| check::record(&shared.limits, record))?;
        let subject = keys::record(self.bucket(), key);
        if let (Some(_), Precondition::Always) = (&record, &condition) {
            return self.append(&subject, record.as_ref(), None).await.map(Some);
        }
        loop {
            let last = self.last(&subject).await?;
            let sequence = last.as_ref().map_or(0, State::sequence);
            let present = last.filter(|last| !last.is_deletion());
            let holds = match &condition {
                Precondition::Always => true,
                Precondition::Absent => present.is_none(),
                Precondition::Is(version) => present.as_ref().is_some_and(|state| state.is(version)),
            };
            if !holds {
                return Err(Error::new(ErrorKind::Conflict, format!("writing {key}")));
            }
            if present.is_none() && record.is_none() {
                return Ok(None);
            }
            match self.append(&subject, record.as_ref(), Some(sequence)).await {
                // Somebody was faster. The next look at the record decides whether the condition still holds.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                end => return end.map(Some),
            }
        }
    }

    /// Adds a state after the one of the `expected` sequence, or after any.
    async fn append(
        &self,
        subject: &str,
        record: Option<&Record>,
        expected: Option<u64>,
    ) -> Result<Version, Error> {
        let name = self.shared.names.next();
        let headers = state::headers(record, &name, expected);
        let value = record.map(|record| Bytes::copy_from_slice(record.value.as_bytes())).unwrap_or_default();
        let held = self.hold().await?;
        let result = bucket::append(&held, subject, headers, value).await;
        self.release(held, result).map(|sequence| state::version(sequence, &name))
    }

    fn check_history(&self, key: &RecordKey) -> Result<(), Error> {
        if !self.shared.keeps_history {
            return Err(Error::new(ErrorKind::Unsupported, format!("history of {key}")));
        }
        check::key(&self.shared.limits, key)
    }

    /// All states of a record, latest first.
    async fn states(&self, key: &RecordKey) -> Result<Vec<State>, Error> {
        self.check_history(key)?;
        let subject = keys::record(self.bucket(), key);
        let mut states: Vec<State> = Vec::new();
        loop {
            let from = states.last().map_or(1, |last| last.sequence() + 1);
            match self.state(&json!({ "seq": from, "next_by_subj": subject })).await? {
                Some(state) => states.push(state),
                None => break,
            }
        }
        states.reverse();
        Ok(states)
    }
}

impl DataStore for NatsStore {
    fn limits(&self) -> &StoreLimits {
        &self.shared.limits
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.history = self.shared.keeps_history;
        capabilities
    }

    fn get(&self, key: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move {
            check::key(self.limits(), &key)?;
            let last = self.last(&keys::record(self.bucket(), &key)).await?;
            last.map_or(Ok(None), State::stored)
        })
    }

    fn put(
        &self,
        key: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        Box::pin(async move {
            let version = self.write(&key, Some(record), precondition).await?;
            Ok(version.expect("only a deletion can change nothing"))
        })
    }

    fn delete(&self, key: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.write(&key, None, precondition).await.map(drop) })
    }

    fn list(&self, store: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        listing::keys(self, store, prefix).boxed()
    }

    fn versions(&self, key: RecordKey) -> BoxFuture<'_, Result<Vec<VersionInfo>, Error>> {
        Box::pin(async move { Ok(self.states(&key).await?.iter().map(State::info).collect()) })
    }

    fn get_version(&self, key: RecordKey, version: Version) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move {
            self.check_history(&key)?;
            let Some(sequence) = state::sequence_in(&version) else { return Ok(None) };
            let subject = keys::record(self.bucket(), &key);
            let found = self.state(&json!({ "seq": sequence })).await?;
            let found = found.filter(|state| state.subject() == subject && state.is(&version));
            found.map_or(Ok(None), State::stored)
        })
    }
}

impl fmt::Debug for NatsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsStore").field("access", &self.shared.access).finish_non_exhaustive()
    }
}
