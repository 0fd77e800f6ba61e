//! The store: a row a record.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use transport_adapter::check;
use transport_traits::{
    Capabilities, DataStore, Error, ErrorKind, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
    VersionInfo,
};

use crate::fault::Does;
use crate::link::Link;
use crate::names::{escape, unescape};
use crate::schema::Tables;
use crate::statements::Statements;
use crate::target::Target;
use crate::{Options, state};

/// Keys in one page of a listing.
const PAGE: i64 = 256;

/// How often a write is tried whose record is made and deleted by others all the time.
const ATTEMPTS: usize = 16;

/// A data store in a PostgreSQL database. Clones share a few connections, which are made when they are needed and made
/// anew after they broke. See the [crate](crate) for what is promised.
#[derive(Clone)]
pub struct PostgresStore {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link,
    options: Options,
    statements: Statements,
}

impl PostgresStore {
    /// Connects to `postgres://[user[:password]@]host[:port][/database][?parameters]` with [`Options::default`]. The
    /// parameters are those of `libpq` that [`tokio_postgres::Config`] lists, such as `sslmode=require`, or
    /// `host=/run/postgresql` for a Unix socket. Needs a tokio runtime, as do all calls. Dropping the future connects nothing.
    ///
    /// # Errors
    /// `Invalid` for the URL, for a database that does not encode text as UTF-8 and for tables that are not this
    /// crate's; `Denied` for the credentials; `Unavailable` if nobody answers, and if the tables are missing, which
    /// [`migrate`](Self::migrate) makes.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Options::default().store(url).await
    }

    /// Makes the two tables in the database, where they are missing, with [`Options::default`]: once before a fleet
    /// starts, by a user who may make tables. Dropping the future leaves all of it done or nothing.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and `Denied` for the permission.
    pub async fn migrate(url: &str) -> Result<(), Error> {
        Options::default().migrate(url).await
    }

    pub(crate) async fn start(url: &str, options: Options) -> Result<Self, Error> {
        let link = Link::new(Target::new(url, &options)?, options.connections, &options);
        let tables = Tables::new(&options.prefix);
        tables.check(&link).await?;
        let statements = Statements::new(&tables);
        Ok(Self { shared: Arc::new(Shared { link, options, statements }) })
    }

    async fn read(
        &self,
        statement: &str,
        key: &RecordKey,
        third: Option<&(dyn ToSql + Sync)>,
    ) -> Result<Vec<Row>, Error> {
        check::key(self.limits(), key)?;
        let (store, key) = (escape(&key.store), escape(&key.key));
        let values: [&(dyn ToSql + Sync); 2] = [&store, &key];
        let values: Vec<_> = values.into_iter().chain(third).collect();
        self.shared.link.call("reading", Does::Read, statement, &values).await
    }

    /// Tries to write: `None` if the precondition does not hold, or if others made the record meanwhile.
    async fn try_put(&self, place: &Place<'_>, record: &Record) -> Result<Option<Version>, Error> {
        let users: Vec<_> = record.users.iter().map(|user| escape(user)).collect();
        let (value, metadata) = (&*record.value, &*record.metadata);
        let values: [&(dyn ToSql + Sync); 3] = [&value, &metadata, &users];
        let values: Vec<_> = place.values().into_iter().chain(values).collect();
        let rows =
            self.shared.link.call("writing", Does::Change, &self.shared.statements.put, &values).await?;
        rows.first().map(|row| state::version(row).map_err(unknown)).transpose()
    }

    /// Tries to delete: whether the precondition held, whether there was a record, and whether it was deleted.
    async fn try_delete(&self, place: &Place<'_>) -> Result<[bool; 3], Error> {
        let Shared { link, statements, .. } = &*self.shared;
        let rows = link.call("deleting", Does::Change, &statements.delete, &place.values()).await?;
        let row = rows.first().ok_or_else(|| Error::new(ErrorKind::Unknown, "deleting: no row"))?;
        let [allowed, was_there, deleted] = [0, 1, 2].map(|at| state::column(row, at).map_err(unknown));
        Ok([allowed?, was_there?, deleted?])
    }

    fn place<'a>(&self, key: &'a RecordKey, precondition: &'a Precondition) -> Place<'a> {
        let (condition, seen) = match precondition {
            Precondition::Always => ("always", None),
            Precondition::Absent => ("absent", None),
            Precondition::Is(version) => ("is", possible(version)),
        };
        let keep = i64::from(self.shared.options.history_versions);
        Place { store: escape(&key.store), key: escape(&key.key), condition, seen, keep }
    }

    fn check_history(&self, key: &RecordKey) -> Result<(), Error> {
        if self.shared.options.history_versions > 0 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unsupported, format!("history of {key}")))
    }

    /// A page of a listing that begins at `first`, and where the next one does, if there is one. All names are as in the
    /// table.
    async fn page(
        &self,
        store: &str,
        prefix: &str,
        first: String,
    ) -> Result<(Vec<Arc<str>>, Option<String>), Error> {
        let Shared { link, statements, .. } = &*self.shared;
        let rows = link.call("listing", Does::Read, &statements.list, &[&store, &first, &PAGE]).await?;
        let names: Vec<String> = rows.iter().map(|row| state::column(row, 0)).collect::<Result<_, _>>()?;
        // The table is ordered by bytes, so that those with the prefix follow each other.
        let wanted = names.iter().take_while(|name| name.starts_with(prefix));
        let keys: Vec<Arc<str>> = wanted.map(|name| Arc::from(unescape(name))).collect();
        // No text is between a name and the same with the least character behind it.
        let last = names.last().filter(|_| keys.len() == PAGE as usize);
        Ok((keys, last.map(|last| format!("{last}\u{1}"))))
    }
}

/// What both writes begin with.
struct Place<'a> {
    store: Cow<'a, str>,
    key: Cow<'a, str>,
    condition: &'static str,
    seen: Option<&'a str>,
    keep: i64,
}

impl Place<'_> {
    fn values(&self) -> [&(dyn ToSql + Sync); 5] {
        [&self.store, &self.key, &self.condition, &self.seen, &self.keep]
    }
}

/// The version as the server can read it. No state has a name with U+0000; NULL is no state's name either.
fn possible(version: &Version) -> Option<&str> {
    Some(version.as_str()).filter(|name| !name.contains('\0'))
}

fn conflict(key: &RecordKey) -> Error {
    Error::new(ErrorKind::Conflict, format!("writing {key}"))
}

fn contended(key: &RecordKey) -> Error {
    Error::new(ErrorKind::Unavailable, format!("writing {key}: others make and delete it all the time"))
}

/// The answer to a write was not understood.
fn unknown(error: Error) -> Error {
    Error::new(ErrorKind::Unknown, "writing").with_source(error)
}

impl DataStore for PostgresStore {
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
            let rows = self.read(&self.shared.statements.get, &key, None).await?;
            rows.first().map(state::stored).transpose()
        })
    }

    fn put(
        &self,
        key: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        Box::pin(async move {
            check::key(self.limits(), &key)?;
            check::record(self.limits(), &record)?;
            let place = self.place(&key, &precondition);
            for _ in 0..ATTEMPTS {
                match self.try_put(&place, &record).await? {
                    Some(version) => return Ok(version),
                    None if precondition == Precondition::Always => {}
                    None => return Err(conflict(&key)),
                }
            }
            Err(contended(&key))
        })
    }

    fn delete(&self, key: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            check::key(self.limits(), &key)?;
            let place = self.place(&key, &precondition);
            for _ in 0..ATTEMPTS {
                match self.try_delete(&place).await? {
                    [false, ..] => return Err(conflict(&key)),
                    [true, was_there, deleted] if was_there == deleted => return Ok(()),
                    _ => {}
                }
            }
            Err(contended(&key))
        })
    }

    fn list(&self, store: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        let first = escape(&prefix).into_owned();
        let pages = stream::try_unfold(Some(first), move |first| {
            let (store, prefix) = (store.clone(), prefix.clone());
            async move {
                let Some(first) = first else { return Ok(None) };
                check::store_name(self.limits(), &store)?;
                let (keys, next) = self.page(&escape(&store), &escape(&prefix), first).await?;
                Ok::<_, Error>(Some((stream::iter(keys).map(Ok), next)))
            }
        });
        pages.try_flatten().boxed()
    }

    fn versions(&self, key: RecordKey) -> BoxFuture<'_, Result<Vec<VersionInfo>, Error>> {
        Box::pin(async move {
            self.check_history(&key)?;
            let most = i64::from(self.shared.options.history_versions) + 1;
            let rows = self.read(&self.shared.statements.versions, &key, Some(&most)).await?;
            rows.iter().map(state::info).collect()
        })
    }

    fn get_version(&self, key: RecordKey, version: Version) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move {
            self.check_history(&key)?;
            let version = possible(&version);
            let rows = self.read(&self.shared.statements.get_version, &key, Some(&version)).await?;
            rows.first().map(state::stored).transpose()
        })
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
