//! The simulated data store as a port.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use transport_traits::{
    BusLimits, Capabilities, DataStore, Error, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
};

use super::calls::Answer;
use super::desk::Desk;
use crate::{Action, Event};

/// The data store of a simulation, as one process has it. It has no history.
#[derive(Debug)]
pub struct SimStore {
    desk: Arc<Mutex<Desk>>,
    limits: Arc<(BusLimits, StoreLimits)>,
}

impl SimStore {
    pub(super) const fn new(desk: Arc<Mutex<Desk>>, limits: Arc<(BusLimits, StoreLimits)>) -> Self {
        Self { desk, limits }
    }
}

impl DataStore for SimStore {
    fn limits(&self) -> &StoreLimits {
        &self.limits.1
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn get(&self, key: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move {
            match Answer::of(&self.desk, |id| Action::Get(id, key)).await {
                Event::Got(_, result) => result,
                other => unreachable!("a read is answered as one, and not by {other:?}"),
            }
        })
    }

    fn put(
        &self,
        key: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        Box::pin(async move {
            match Answer::of(&self.desk, |id| Action::Put(id, key, record, precondition)).await {
                Event::Put(_, result) => result,
                other => unreachable!("a write is answered as one, and not by {other:?}"),
            }
        })
    }

    fn delete(&self, key: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            match Answer::of(&self.desk, |id| Action::Delete(id, key, precondition)).await {
                Event::Deleted(_, result) => result,
                other => unreachable!("a deletion is answered as one, and not by {other:?}"),
            }
        })
    }

    fn list(&self, store: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        let listed = async move {
            let keys = match Answer::of(&self.desk, |id| Action::List(id, store, prefix)).await {
                Event::Listed(_, Ok(keys)) => keys.into_iter().map(Ok).collect(),
                Event::Listed(_, Err(error)) => vec![Err(error)],
                other => unreachable!("a listing is answered as one, and not by {other:?}"),
            };
            stream::iter(keys)
        };
        stream::once(listed).flatten().boxed()
    }
}
