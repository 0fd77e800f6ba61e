//! The store as its users hold it.

use std::sync::Arc;

use transport_traits::{DataStore, Publisher, RecordKey, Subscriber, Timer};

use crate::driver::Ports;
use crate::engine::Engine;
use crate::machine::Outcome;
use crate::shared::Shared;
use crate::{Config, Driver, Failed, FlushError, OpenError, SaveData, ShutdownReport, Stats, Unsaved};

/// Save data over a data store and a bus. Clones are handles of the same store.
pub struct NexusStore {
    shared: Arc<Shared>,
}

impl NexusStore {
    /// A store over these ports, and the future that does its work: spawn it.
    ///
    /// The fleet must share the data store and the bus; each process makes one store of its own.
    pub fn new(
        store: Arc<dyn DataStore>,
        publisher: Arc<dyn Publisher>,
        subscriber: Arc<dyn Subscriber>,
        timer: Arc<dyn Timer>,
        config: Config,
    ) -> (Self, Driver) {
        let update_buffer = config.update_buffer;
        let (limits, bus) = (store.limits().clone(), publisher.limits().clone());
        let machine = Engine::new(config, limits, bus, timer.now(), timer.wall_clock());
        let shared = Arc::new(Shared::new(machine, timer, update_buffer));
        shared.add_handle();
        let driver = Driver::new(Arc::clone(&shared), Ports { store, publisher, subscriber });
        (Self { shared }, driver)
    }

    /// Opens a record: loads it, or joins those who hold it already. Ready when the first attempt to load it
    /// is over, also if it failed; [`SaveData::load_state`] tells.
    ///
    /// Dropping the future closes the record again.
    ///
    /// # Errors
    /// The name cannot be used, or the store was shut down.
    pub async fn open(&self, key: RecordKey) -> Result<SaveData, OpenError> {
        let (id, view, opened) = self.shared.open(key)?;
        let record = SaveData::new(Arc::clone(&self.shared), id, view);
        match opened.await {
            Ok(_) => Ok(record),
            Err(_) => Err(OpenError::Closed),
        }
    }

    /// Makes everything durable that was accepted before the call, on every record, and says what could not
    /// be saved. It waits for a store that is throttled or cannot be reached, so set a time limit of your own.
    /// Dropping the future takes the haste away: what was accepted is saved when it would have been without it.
    pub async fn flush_all(&self) -> ShutdownReport {
        let mut report = ShutdownReport::default();
        for (key, flush) in self.shared.flush_all() {
            let (undetermined, error) = match flush.flushed().await {
                Ok(()) => continue,
                Err(FlushError::Undetermined { operations }) => (operations, None),
                Err(FlushError::Refused(error)) => (0, Some(error)),
                Err(FlushError::NotLoaded | FlushError::Closed) => (0, None),
            };
            report.unsaved.push(Unsaved { key, undetermined, error });
        }
        report
    }

    /// Saves everything, refuses further writes, ends the driver, and says what could not be saved within
    /// [`Config::shutdown_timeout`]. Dropping the future does not stop it.
    ///
    /// # Errors
    /// The save data of this process failed, by a panic that was told, before it was shut down or meanwhile: nothing is
    /// known of what is saved, and what was not durable is lost.
    pub async fn shutdown(&self) -> Result<ShutdownReport, Failed> {
        if self.shared.is_broken() {
            return Err(Failed);
        }
        match self.shared.call(Engine::shut_down).await {
            Ok(Outcome::ShutDown(report)) => Ok(report),
            _ => Err(Failed),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What the store did so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl Clone for NexusStore {
    fn clone(&self) -> Self {
        self.shared.add_handle();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for NexusStore {
    fn drop(&mut self) {
        self.shared.drop_handle();
    }
}
