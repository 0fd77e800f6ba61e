//! The data store as the demonstration watches it: calls counted, and the failure that ends a run noted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use parking_lot::Mutex;
use tokio::sync::Notify;
use transport_traits::{
    Capabilities, DataStore, Error, ErrorKind, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
};

use crate::failure::with_causes;

/// A store that passes everything on.
pub(super) struct Observed {
    store: Arc<dyn DataStore>,
    reads: AtomicU64,
    writes: AtomicU64,
    failure: Mutex<Option<String>>,
    failed: Notify,
}

impl Observed {
    pub(super) fn new(store: Arc<dyn DataStore>) -> Self {
        Self {
            store,
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            failure: Mutex::default(),
            failed: Notify::new(),
        }
    }

    /// Reads and writes asked for so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.reads.load(Ordering::Relaxed), self.writes.load(Ordering::Relaxed))
    }

    /// Ends with the text of the first call that failed for a reason that a retry of the run would meet
    /// again: no room, no file, no permission.
    pub(super) async fn unusable(&self) -> String {
        loop {
            let failed = self.failed.notified();
            if let Some(text) = self.failure.lock().clone() {
                return text;
            }
            failed.await;
        }
    }

    fn note<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &outcome
            && matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Denied | ErrorKind::Malformed)
        {
            self.failure.lock().get_or_insert_with(|| with_causes(error));
            self.failed.notify_waiters();
        }
        outcome
    }
}

impl DataStore for Observed {
    fn limits(&self) -> &StoreLimits {
        self.store.limits()
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn get(&self, key: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { self.note(self.store.get(key).await) })
    }

    fn put(
        &self,
        key: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { self.note(self.store.put(key, record, precondition).await) })
    }

    fn delete(&self, key: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        self.store.delete(key, precondition)
    }

    fn list(&self, store: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        self.store.list(store, prefix)
    }
}
