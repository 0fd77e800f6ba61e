//! The services of a local record: one record in memory, a bus that nobody is on, a clock that stands still.

use std::future::ready;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::{BoxFuture, pending};
use futures::stream::{self, BoxStream};
use parking_lot::Mutex;
use transport_traits::{
    BusLimits, Capabilities, DataStore, Error, ErrorKind, Instant, Outgoing, Precondition, Publisher, Record,
    RecordKey, StoreLimits, Stored, Subscriber, Subscription, Timer, Topic, Version, WallTime,
};

/// A store for one record.
#[derive(Default)]
pub(super) struct LocalStore {
    limits: StoreLimits,
    /// How often it was written, and what it holds.
    state: Mutex<(u64, Option<Stored>)>,
}

impl LocalStore {
    fn write(&self, record: Option<Record>, precondition: &Precondition) -> Result<Version, Error> {
        let mut state = self.state.lock();
        let present = state.1.as_ref().map(|stored| &stored.version);
        let holds = match precondition {
            Precondition::Always => true,
            Precondition::Absent => present.is_none(),
            Precondition::Is(version) => present == Some(version),
        };
        if !holds {
            return Err(Error::new(ErrorKind::Conflict, "the record is in another state"));
        }
        state.0 += 1;
        let version = Version::new(state.0.to_string());
        state.1 =
            record.map(|record| Stored { record, version: version.clone(), modified: WallTime::default() });
        Ok(version)
    }
}

impl DataStore for LocalStore {
    fn limits(&self) -> &StoreLimits {
        &self.limits
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn get(&self, _: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async { Ok(self.state.lock().1.clone()) })
    }

    fn put(
        &self,
        _: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        Box::pin(async move { self.write(Some(record), &precondition) })
    }

    fn delete(&self, _: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.write(None, &precondition).map(drop) })
    }

    fn list(&self, _: Arc<str>, _: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        stream::empty().boxed()
    }
}

/// A bus with nobody on it.
#[derive(Default)]
pub(super) struct Silence(BusLimits);

impl Publisher for Silence {
    fn limits(&self) -> &BusLimits {
        &self.0
    }

    fn publish(&self, _: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }
}

impl Subscriber for Silence {
    fn subscribe(&self, _: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(ready(Ok(stream::pending().boxed())))
    }

    fn hears_own_echo(&self) -> bool {
        false
    }
}

/// A clock that stands still: nothing here waits for time.
pub(super) struct Standstill;

impl Timer for Standstill {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn wall_clock(&self) -> WallTime {
        WallTime::default()
    }

    fn sleep_until(&self, _: Instant) -> BoxFuture<'_, ()> {
        Box::pin(pending())
    }
}
