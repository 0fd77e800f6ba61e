//! The port to a data store: one JSON object a key, with compare-and-swap.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::limits::StoreLimits;
use crate::{Error, ErrorKind, WallTime};

/// The name of a record: a store (a table, a bucket, a collection) and a key in it. Any text but the empty
/// one, which is refused as [`ErrorKind::Invalid`]; adapters encode both reversibly where a service restricts
/// them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The store's name.
    pub store: Arc<str>,
    /// The key within the store.
    pub key: Arc<str>,
}

impl RecordKey {
    /// The record `key` of `store`.
    pub fn new(store: impl Into<Arc<str>>, key: impl Into<Arc<str>>) -> Self {
        Self { store: store.into(), key: key.into() }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.store, self.key)
    }
}

/// The name of one state of a record, given by the store. Opaque: only equality means anything, and no
/// two states of a key ever have the same one, also after it was deleted and created again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Arc<str>);

impl Version {
    /// A version with the store's own name for it.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The store's own name for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a record holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// A JSON object as text (RFC 8259), and nothing else: any client of the store can read it. So what many
    /// parsers refuse is [`ErrorKind::Invalid`]: escapes of half a surrogate pair, numbers beyond the
    /// range of a double, more than 127 levels of objects and arrays.
    ///
    /// A store that keeps JSON parsed (`jsonb`) may give back another text of the same object, and may refuse
    /// strings with the character U+0000 as `Invalid`.
    pub value: Arc<str>,
    /// Bookkeeping of the writer's, kept beside the value and never interpreted by the store. Printable
    /// ASCII without quotes and backslashes, so that it costs its own length wherever it is put; anything
    /// else is [`ErrorKind::Invalid`].
    pub metadata: Arc<str>,
    /// The users whose data this is, as the service writes their ids: what an erasure request looks for.
    pub users: Arc<[Arc<str>]>,
}

impl Record {
    /// A record with this value, without metadata or user tags.
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self { value: value.into(), ..Self::default() }
    }

    /// The same record with this metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: impl Into<Arc<str>>) -> Self {
        self.metadata = metadata.into();
        self
    }

    /// The same record with these user tags.
    #[must_use]
    pub fn with_users(mut self, users: impl IntoIterator<Item = Arc<str>>) -> Self {
        self.users = users.into_iter().collect();
        self
    }
}

/// A record as the store gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What it holds.
    pub record: Record,
    /// The name of this state of it.
    pub version: Version,
    /// When it was written, by the store's clock.
    pub modified: WallTime,
}

/// What must hold for a write to happen. The store checks it in one step with the write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    Always,
    /// The key has no record.
    Absent,
    /// The record is in this state.
    Is(Version),
}

/// What a data store can do beyond reading and writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// [`DataStore::versions`] and [`DataStore::get_version`] work.
    pub history: bool,
}

/// One past or present state of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionInfo {
    /// Its name.
    pub version: Version,
    /// When it was written, by the store's clock.
    pub modified: WallTime,
    /// Whether this state is the record's deletion.
    pub deleted: bool,
}

/// A key-value store with an atomic compare-and-swap per key.
///
/// Calls do nothing before they are first polled. A write whose future is dropped after that has an
/// unknown outcome. Each method fails with the kinds that [`ErrorKind`] describes; a write that fails
/// with anything but [`ErrorKind::Unknown`] has surely not happened.
pub trait DataStore: Send + Sync {
    /// What the store allows. Constant for the life of the store.
    fn limits(&self) -> &StoreLimits;

    /// What the store can do beyond reading and writing.
    fn capabilities(&self) -> Capabilities;

    /// Reads a record: the latest committed state, never a cached one. `None` if there is none.
    ///
    /// # Errors
    /// See [`ErrorKind`]; `Malformed` if what is stored under the key is no record.
    fn get(&self, key: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>>;

    /// Writes a whole record if `precondition` holds, and says which state it is now in.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if the precondition does not hold, [`ErrorKind::Invalid`] if the value is
    /// no JSON object, [`ErrorKind::TooLarge`], and the rest of [`ErrorKind`].
    fn put(
        &self,
        key: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>>;

    /// Deletes a record if `precondition` holds. Deleting what is not there succeeds, unless a version
    /// was demanded.
    ///
    /// # Errors
    /// As for [`put`](Self::put).
    fn delete(&self, key: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>>;

    /// The keys of `store` that begin with `prefix`, in no particular order, each once. A record that
    /// appears or vanishes meanwhile may or may not be listed. Asks the service only while it is read, and ends after
    /// the first error, which is as for [`get`](Self::get).
    fn list(&self, store: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>>;

    /// The states of a record that the store still knows, latest first. A capability.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where [`Capabilities::history`] is false.
    fn versions(&self, key: RecordKey) -> BoxFuture<'_, Result<Vec<VersionInfo>, Error>> {
        Box::pin(std::future::ready(Err(no_history(&key))))
    }

    /// Reads a record as it was in a past state; `None` if the store does not know that state any more
    /// or it is a deletion. A capability.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where [`Capabilities::history`] is false.
    fn get_version(&self, key: RecordKey, version: Version) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        let _ = version;
        Box::pin(std::future::ready(Err(no_history(&key))))
    }
}

fn no_history(key: &RecordKey) -> Error {
    Error::new(ErrorKind::Unsupported, format!("history of {key}"))
}
