//! One record as its users hold it.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Number, Value};
use transport_traits::RecordKey;

use crate::change::Change;
use crate::machine::{Input, Outcome, RecordId, Ticket, UpdateOutcome, UpdateRun};
use crate::shared::Shared;
use crate::{Fields, FlushError, LoadState, Object, UpdateError, Updates, View, WriteError};

/// An open record. Clones are handles of the same record; once the last is dropped, the record is saved and
/// then forgotten.
///
/// Reads and writes are immediate: they touch memory only. What a write is worth is said in the
/// [crate's contract](crate#what-is-promised).
#[derive(Clone)]
pub struct SaveData {
    lease: Arc<Lease>,
}

/// The right to a record, given back when dropped.
struct Lease {
    shared: Arc<Shared>,
    id: RecordId,
    key: RecordKey,
    view: Arc<View>,
}

impl SaveData {
    pub(crate) fn new(shared: Arc<Shared>, id: RecordId, key: RecordKey, view: Arc<View>) -> Self {
        shared.add_handle();
        Self { lease: Arc::new(Lease { shared, id, key, view }) }
    }

    /// The record's name.
    #[must_use]
    pub fn key(&self) -> &RecordKey {
        &self.lease.key
    }

    /// Whether it was loaded.
    #[must_use]
    pub fn load_state(&self) -> LoadState {
        self.lease.view.load_state()
    }

    /// The visible value of a field; `None` if there is no such field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<Value> {
        self.lease.view.get(field).map(Arc::unwrap_or_clone)
    }

    /// All visible fields as they are now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Object> {
        self.lease.view.snapshot()
    }

    /// Sets a field.
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    pub fn set(&self, field: &str, value: impl Into<Value>) -> Result<(), WriteError> {
        self.write(field, Change::Set(Arc::new(value.into())))
    }

    /// Removes a field. One that is not there stays so.
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    pub fn remove(&self, field: &str) -> Result<(), WriteError> {
        self.write(field, Change::Remove)
    }

    /// Adds to a field; one that is not there counts as 0. Increments of all servers add up. Where the
    /// stored value turns out to be no number, or the sum not to fit, it has no effect, which
    /// [`Stats::without_effect`](crate::Stats::without_effect) counts.
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    pub fn increment(&self, field: &str, by: impl Into<Number>) -> Result<(), WriteError> {
        self.write(field, Change::Increment(by.into()))
    }

    /// Raises a field to at least `to`; one that is not there becomes `to`.
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    pub fn max(&self, field: &str, to: impl Into<Number>) -> Result<(), WriteError> {
        self.write(field, Change::Max(to.into()))
    }

    /// Lowers a field to at most `to`; one that is not there becomes `to`.
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    pub fn min(&self, field: &str, to: impl Into<Number>) -> Result<(), WriteError> {
        self.write(field, Change::Min(to.into()))
    }

    fn write(&self, field: &str, change: Change) -> Result<(), WriteError> {
        let lease = &self.lease;
        lease.shared.with(|machine, now| machine.write(now, lease.id, field, change))
    }

    /// Runs `f` on the named fields as they are stored, with every write that is visible here, and stores
    /// its changes together with these, all or nothing. `Ok`: it is durable.
    ///
    /// `f` runs on the driver, so it must not block, and runs again when another server was faster. Its
    /// error aborts and comes back, once the store has confirmed the values that it was decided on. A panic
    /// is caught. Dropping the future cancels an update that was not sent yet; later its outcome is unknown.
    ///
    /// # Errors
    /// See [`UpdateError`]: but for `Unknown`, nothing changed.
    pub async fn update<T, E, F>(&self, fields: &[&str], mut f: F) -> Result<T, UpdateError<E>>
    where
        F: FnMut(&mut Fields) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let result = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&result);
        let runner = Box::new(move |mut fields: Fields| {
            let returned = f(&mut fields);
            let run = if returned.is_ok() { fields.into_run() } else { UpdateRun::Aborted };
            *slot.lock() = Some(returned);
            run
        });
        let lease = &self.lease;
        let (ticket, done) = lease.shared.call_update(runner, |machine, _| machine.update(lease.id, fields));
        let mut guard = CancelOnDrop { shared: &lease.shared, ticket: Some(ticket) };
        let outcome = done.await;
        guard.ticket = None;
        let outcome = match outcome {
            Ok(Outcome::Updated(outcome)) => outcome,
            _ => UpdateOutcome::Closed,
        };
        let returned = result.lock().take();
        answer(outcome, returned)
    }

    /// Makes everything durable that was accepted before the call. It waits for a store that is throttled or
    /// cannot be reached, so set a time limit of your own. Dropping the future changes nothing but that
    /// nobody waits.
    ///
    /// # Errors
    /// See [`FlushError`].
    pub async fn flush(&self) -> Result<(), FlushError> {
        let lease = &self.lease;
        match lease.shared.call(|machine, now| machine.flush(now, lease.id)).await {
            Ok(Outcome::Flushed(result)) => result,
            _ => Err(FlushError::Closed),
        }
    }

    /// The changes of a field's visible value, from now on.
    pub fn on_update(&self, field: &str) -> Updates {
        self.lease.shared.listen(self.lease.id, Some(field.into()))
    }

    /// The changes of all fields' visible values, from now on.
    pub fn on_any_update(&self) -> Updates {
        self.lease.shared.listen(self.lease.id, None)
    }
}

impl fmt::Debug for SaveData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaveData").field("key", self.key()).finish_non_exhaustive()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.with(|machine, now| machine.handle(now, Input::Release(self.id)));
        self.shared.drop_handle();
    }
}

struct CancelOnDrop<'a> {
    shared: &'a Shared,
    ticket: Option<Ticket>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.cancel_update(ticket);
        }
    }
}

/// What the caller of an update gets, from what became of it and what its function returned last.
fn answer<T, E>(outcome: UpdateOutcome, returned: Option<Result<T, E>>) -> Result<T, UpdateError<E>> {
    match (outcome, returned) {
        (UpdateOutcome::Committed(_) | UpdateOutcome::Unchanged, Some(Ok(value))) => Ok(value),
        (UpdateOutcome::Aborted, Some(Err(error))) => Err(UpdateError::Aborted(error)),
        (UpdateOutcome::NotNamed(field), _) => Err(UpdateError::NotNamed(field)),
        (UpdateOutcome::NotLoaded, _) => Err(UpdateError::NotLoaded),
        (UpdateOutcome::Refused(error), _) => Err(UpdateError::Refused(error)),
        (UpdateOutcome::Unknown(id), _) => Err(UpdateError::Unknown(id)),
        (UpdateOutcome::Panicked, _) => Err(UpdateError::Panicked),
        _ => Err(UpdateError::Closed),
    }
}
