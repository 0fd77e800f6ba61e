//! Conveniences over the ports, available on every implementation.

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::{DataStore, Error, Outgoing, Precondition, Publisher, Record, RecordKey, Topic, Version};

/// Short forms of [`Publisher::publish`].
pub trait PublisherExt: Publisher {
    /// Publishes `body` on `topic` with normal priority. See [`Publisher::publish`].
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    fn send(&self, topic: impl Into<Topic>, body: impl Into<Bytes>) -> BoxFuture<'_, Result<(), Error>> {
        self.publish(Outgoing::new(topic, body))
    }
}

impl<P: Publisher + ?Sized> PublisherExt for P {}

/// Short forms of [`DataStore::put`].
pub trait DataStoreExt: DataStore {
    /// Writes a record if the key has none. See [`DataStore::put`].
    ///
    /// # Errors
    /// As [`DataStore::put`]: `Conflict` if there is one.
    fn create(&self, key: RecordKey, record: Record) -> BoxFuture<'_, Result<Version, Error>> {
        self.put(key, record, Precondition::Absent)
    }

    /// Writes a record if it is still in the state `seen`. See [`DataStore::put`].
    ///
    /// # Errors
    /// As [`DataStore::put`]: `Conflict` if it is not.
    fn compare_and_swap(
        &self,
        key: RecordKey,
        seen: Version,
        record: Record,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        self.put(key, record, Precondition::Is(seen))
    }
}

impl<S: DataStore + ?Sized> DataStoreExt for S {}
