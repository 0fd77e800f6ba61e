//! A record without services, for tests.

mod ports;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::FutureExt;
use parking_lot::Mutex;
use transport_traits::RecordKey;

use self::ports::{LocalStore, Silence, Standstill};
use crate::{Config, Driver, NexusStore, Save, SaveData};

/// A record in memory that no store and no other server stands behind: for tests of code that takes a
/// [`Save`]. It needs no runtime, no driver and no time: calls that wait are ready when first polled.
///
/// It is a real [`SaveData`] with the same rules and errors, over a store of its own that takes everything
/// at once. Clones are handles of the same record.
#[derive(Clone)]
pub struct LocalSaveData {
    save: SaveData,
    driver: Arc<Mutex<Driver>>,
}

impl LocalSaveData {
    /// An empty record.
    #[must_use]
    pub fn new() -> Self {
        let config =
            Config { flush_delay: Duration::ZERO, publish_interval: Duration::ZERO, ..Config::default() };
        let (store, bus) = (Arc::new(LocalStore::default()), Arc::new(Silence::default()));
        let (store, driver) = NexusStore::new(store, bus.clone(), bus, Arc::new(Standstill), config);
        let driver = Arc::new(Mutex::new(driver));
        let open = store.open(RecordKey::new("local", "save"));
        let opened = drive(&driver, open).now_or_never();
        let save = opened.expect("memory answers at once").expect("the name is short and the store is open");
        Self { save, driver }
    }
}

impl Default for LocalSaveData {
    fn default() -> Self {
        Self::new()
    }
}

impl Save for LocalSaveData {
    fn record(&self) -> &SaveData {
        work(&self.driver, &mut Context::from_waker(Waker::noop())); // What was written before is saved.
        &self.save
    }

    fn drive<F: Future + Send>(&self, call: F) -> impl Future<Output = F::Output> + Send {
        drive(&self.driver, call)
    }
}

/// Polls a call and, in between, the driver that does what it waits for.
async fn drive<F: Future>(driver: &Mutex<Driver>, call: F) -> F::Output {
    let mut call = pin!(call);
    poll_fn(|cx| {
        if let Poll::Ready(result) = call.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        work(driver, cx);
        call.as_mut().poll(cx)
    })
    .await
}

/// Lets the driver work, unless it is at work: then this is a call from another thread, or from the function of
/// an update. Whoever has it at work may be past looking at this call, so another look is asked for.
fn work(driver: &Mutex<Driver>, cx: &mut Context<'_>) {
    match driver.try_lock() {
        Some(mut driver) => drop(driver.poll_unpin(cx)),
        None => cx.waker().wake_by_ref(),
    }
}
