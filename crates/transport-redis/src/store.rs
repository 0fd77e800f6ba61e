//! The store: a hash a record, written by a script.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use redis::Cmd;
use transport_adapter::check;
use transport_traits::{
    Capabilities, DataStore, Error, ErrorKind, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
    VersionInfo,
};

use crate::client::client;
use crate::fault::Does;
use crate::link::Link;
use crate::script::{STATES_SCRIPT, WRITE_SCRIPT};
use crate::state::{FIELDS, State};
use crate::{Options, keys};

/// How long the history of a deleted record is kept.
const DELETED_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Keys that the server looks at for one page of a listing.
const PAGE: usize = 1_000;

/// A data store on a Redis server. Clones share one connection, which is made anew after it broke. See the
/// [crate](crate) for what is promised.
#[derive(Clone)]
pub struct RedisStore {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link,
    options: Options,
    versions: Versions,
}

/// Names for states that nobody else gives: random bits of this process's start, and a count.
struct Versions {
    start: [u64; 2],
    count: AtomicU64,
}

impl Versions {
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

impl RedisStore {
    /// Connects to `redis://[user:password@]host[:port][/database]`, to the same with `rediss:` (encrypted) or to
    /// `redis+unix:///path`, with [`Options::default`]. Needs a tokio runtime, as do all calls.
    /// Dropping the future connects nothing.
    ///
    /// # Errors
    /// `Invalid` for the URL, `Denied` for the credentials, `Unavailable` if nobody answers.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Options::default().store(url).await
    }

    pub(crate) async fn start(url: &str, options: Options) -> Result<Self, Error> {
        let client = client(url, &options)?;
        let link = Link::new(client, &options);
        let store = Self { shared: Arc::new(Shared { link, options, versions: Versions::new() }) };
        store.read("PING", redis::cmd("PING")).await.map(|_: String| store)
    }

    async fn read<T: redis::FromRedisValue>(&self, what: &str, command: Cmd) -> Result<T, Error> {
        let run = |mut connection| async move { command.query_async(&mut connection).await };
        self.shared.link.call(what, Does::Read, run).await
    }

    /// Writes the record, or deletes it if there is none.
    async fn write(
        &self,
        key: &RecordKey,
        record: Option<Record>,
        condition: Precondition,
    ) -> Result<Version, Error> {
        let options = &self.shared.options;
        check::key(&options.store_limits, key)?;
        record.as_ref().map_or(Ok(()), |record| check::record(&options.store_limits, record))?;
        let version = self.shared.versions.next();
        let (condition, seen) = match &condition {
            Precondition::Always => ("always", ""),
            Precondition::Absent => ("absent", ""),
            Precondition::Is(version) => ("is", version.as_str()),
        };
        let mut call = WRITE_SCRIPT.prepare_invoke();
        call.key(keys::record(&options.prefix, key)).key(keys::history(&options.prefix, key));
        call.arg(condition).arg(seen).arg(&version).arg(options.history_versions).arg(DELETED_KEPT.as_secs());
        if let Some(record) = &record {
            let users: Vec<&str> = record.users.iter().map(|user| &**user).collect();
            let users = serde_json::to_string(&users).expect("a list of strings is JSON");
            call.arg(&*record.value).arg(&*record.metadata).arg(users);
        }
        let run = |mut connection| async move { call.invoke_async(&mut connection).await };
        let end: String = self.shared.link.call("writing", Does::Change, run).await?;
        let error = |kind, what| Err(Error::new(kind, format!("writing {key}{what}")));
        match end.as_str() {
            "changed" | "unchanged" => Ok(Version::new(version)),
            "conflict" => error(ErrorKind::Conflict, ""),
            "foreign" => error(ErrorKind::Invalid, ": its key holds a hash that is no record"),
            _ => error(ErrorKind::Unknown, ": the answer makes no sense"),
        }
    }

    /// All states of a record, latest first.
    async fn states(&self, key: &RecordKey) -> Result<Vec<State>, Error> {
        let options = &self.shared.options;
        if options.history_versions == 0 {
            return Err(Error::new(ErrorKind::Unsupported, format!("history of {key}")));
        }
        check::key(&options.store_limits, key)?;
        let mut call = STATES_SCRIPT.prepare_invoke();
        call.key(keys::record(&options.prefix, key)).key(keys::history(&options.prefix, key));
        let run = |mut connection| async move { call.invoke_async(&mut connection).await };
        let (present, past): (Vec<Option<String>>, Vec<String>) =
            self.shared.link.call("reading past states", Does::Read, run).await?;
        let past = past.iter().map(|text| State::past(text));
        State::present(present)?.map(Ok).into_iter().chain(past).collect()
    }

    /// A page of a listing, and where the next begins, if there is one.
    async fn page(
        &self,
        store: &str,
        pattern: &str,
        cursor: u64,
    ) -> Result<(Vec<Arc<str>>, Option<u64>), Error> {
        let mut command = redis::cmd("SCAN");
        command.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(PAGE);
        let (next, names): (u64, Vec<Vec<u8>>) = self.read("listing", command).await?;
        let prefix = &self.shared.options.prefix;
        let keys = names.iter().filter_map(|name| keys::key_of(prefix, store, name)).collect();
        Ok((keys, Some(next).filter(|next| *next != 0)))
    }
}

impl DataStore for RedisStore {
    fn limits(&self) -> &StoreLimits {
        &self.shared.options.store_limits
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.history = self.shared.options.history_versions > 0;
        capabilities
    }

    fn get(&self, key: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move {
            check::key(self.limits(), &key)?;
            let mut command = redis::cmd("HMGET");
            command.arg(keys::record(&self.shared.options.prefix, &key)).arg(&FIELDS);
            let fields = self.read("reading", command).await?;
            State::present(fields)?.map_or(Ok(None), State::stored)
        })
    }

    fn put(
        &self,
        key: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        Box::pin(async move { self.write(&key, Some(record), precondition).await })
    }

    fn delete(&self, key: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.write(&key, None, precondition).await.map(drop) })
    }

    fn list(&self, store: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        let pattern = keys::pattern(&self.shared.options.prefix, &store, &prefix);
        let pages = stream::try_unfold(Some(0), move |cursor| {
            let (store, pattern) = (store.clone(), pattern.clone());
            async move {
                let Some(cursor) = cursor else { return Ok(None) };
                check::store_name(self.limits(), &store)?;
                let (keys, next) = self.page(&store, &pattern, cursor).await?;
                Ok::<_, Error>(Some((stream::iter(keys).map(Ok), next)))
            }
        });
        // SCAN may name a key more than once.
        let mut seen = HashSet::new();
        let is_new = move |key: &Arc<str>| std::future::ready(seen.insert(key.clone()));
        pages.try_flatten().try_filter(is_new).boxed()
    }

    fn versions(&self, key: RecordKey) -> BoxFuture<'_, Result<Vec<VersionInfo>, Error>> {
        Box::pin(async move { self.states(&key).await?.iter().map(State::info).collect() })
    }

    fn get_version(&self, key: RecordKey, version: Version) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move {
            let found = self.states(&key).await?.into_iter().find(|state| state.is(&version));
            found.map_or(Ok(None), State::stored)
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
