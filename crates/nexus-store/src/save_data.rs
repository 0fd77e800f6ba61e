//! One record as its users hold it.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Number, Value};
use transport_traits::RecordKey;

use crate::change::Change;
use crate::codec;
use crate::machine::{Input, RecordId};
use crate::shared::Shared;
use crate::{FlushError, LoadState, Object, Updates, View, WriteError};

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
    view: Arc<View>,
}

impl SaveData {
    pub(crate) fn new(shared: Arc<Shared>, id: RecordId, view: Arc<View>) -> Self {
        shared.add_handle();
        Self { lease: Arc::new(Lease { shared, id, view }) }
    }

    /// The record's name.
    #[must_use]
    pub fn key(&self) -> &RecordKey {
        self.lease.view.key()
    }

    /// Whether it was loaded.
    #[must_use]
    pub fn load_state(&self) -> LoadState {
        self.lease.view.load_state()
    }

    /// Gives up what is stored if the record could not be loaded because that makes no sense: no JSON object,
    /// or bookkeeping of a later version of this crate. The load is tried again at once, and then succeeds
    /// with whatever fields could be read, under a new epoch; the next write overwrites the rest.
    ///
    /// It concerns the load that failed, or that has not ended yet, and no later one. A load that fails
    /// because the store does not answer stays failed until it does: writes are kept until then, and are
    /// merged with what is stored instead of replacing it unseen.
    pub fn overwrite_failed_load(&self) {
        self.lease.shared.with(|machine, now| machine.allow_overwrite(now, self.lease.id));
    }

    /// The visible value of a field; `None` if there is no such field. It is shared, so it costs the same
    /// whatever its size.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<Arc<Value>> {
        self.lease.view.get(field)
    }

    /// All visible fields as they are now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Object> {
        self.lease.view.snapshot()
    }

    /// Sets a field to the JSON of a value.
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    pub fn set(&self, field: &str, value: impl Serialize) -> Result<(), WriteError> {
        let value =
            codec::encode(&value).map_err(|why| WriteError::NotJson { field: Some(field.into()), why })?;
        self.write(field, Change::Set(Arc::new(value)))
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

    /// Accepts several writes, all or none.
    pub(crate) fn write_all(&self, changes: Vec<(Arc<str>, Change)>) -> Result<(), WriteError> {
        let lease = &self.lease;
        lease.shared.with(|machine, now| machine.write_all(now, lease.id, changes))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.lease.shared
    }

    pub(crate) fn id(&self) -> RecordId {
        self.lease.id
    }

    pub(crate) fn view(&self) -> &View {
        &self.lease.view
    }

    fn write(&self, field: &str, change: Change) -> Result<(), WriteError> {
        let lease = &self.lease;
        lease.shared.with(|machine, now| machine.write(now, lease.id, field, change))
    }

    /// Makes everything durable that was accepted before the call. It waits for a store that is throttled or
    /// cannot be reached, so set a time limit of your own. Dropping the future takes the haste away: what was
    /// accepted is saved when it would have been without it.
    ///
    /// # Errors
    /// See [`FlushError`].
    pub async fn flush(&self) -> Result<(), FlushError> {
        self.lease.shared.flush(self.lease.id).flushed().await
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
        self.shared.with_at_drop(|machine, now| machine.handle(now, Input::Release(self.id)));
        self.shared.drop_handle();
    }
}
