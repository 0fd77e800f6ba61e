//! A pool as its users hold it.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ContributeError;
use crate::events::{Entry, Events};
use crate::handle::Handle;
use crate::keyed::{Key, KeyedPool};
use crate::machine::{PoolId, ViewState};
use crate::table::Table;

/// A pool of entries of type `T`, shared by all servers that opened one of this name. Clones are the same
/// pool. Reads wait for no I/O: [`get`](Self::get) and [`len`](Self::len) at most for the insertion of one
/// entry, [`snapshot`](Self::snapshot) and what builds on it also for one that began before.
pub struct Pool<T> {
    handle: Arc<Handle>,
    table: Arc<Table<T>>,
    id: PoolId,
}

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self::new(self.handle.clone(), self.table.clone(), self.id)
    }
}

impl<T> Pool<T> {
    pub(crate) const fn new(handle: Arc<Handle>, table: Arc<Table<T>>, id: PoolId) -> Self {
        Self { handle, table, id }
    }

    /// The value under a key, whoever contributed it. Own contributions show at once.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Arc<T>> {
        self.table.get(key)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries at one moment, ordered by key. Copies one pointer triple for each, and puts them in order while
    /// others go on.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Entry<T>> {
        self.table.entries(|_| true)
    }

    /// The entries of a [`snapshot`](Self::snapshot) one by one.
    pub fn iter(&self) -> impl Iterator<Item = Entry<T>> + use<T> {
        self.snapshot().into_iter()
    }

    /// The entries that one server owns, ordered by key. Looks at all entries.
    #[must_use]
    pub fn by_owner(&self, server: &str) -> Vec<Entry<T>> {
        self.table.entries(|owner| owner == server)
    }

    /// What happens from now on.
    pub fn events(&self) -> Events<T> {
        self.watch().1
    }

    /// All entries at one moment, ordered by key, and what happens after that moment: together they miss
    /// nothing and repeat nothing.
    pub fn watch(&self) -> (Vec<Entry<T>>, Events<T>) {
        self.table.watch()
    }

    /// Waits until everything is known that the living servers have: a heartbeat and a half after the
    /// others were asked, and as soon as nothing of what they announced is missing. What is known is
    /// readable before. `false` if the pools were closed first. Cancelling changes nothing.
    pub async fn synced(&self) -> bool {
        std::future::poll_fn(|cx| self.table.poll_synced(cx)).await
    }

    /// The same pool with keys of another type than texts.
    #[must_use]
    pub fn keyed<K: Key>(&self) -> KeyedPool<K, T> {
        KeyedPool::new(self.clone())
    }

    /// Whether the bus was heard lately. `Stale` also after the end.
    #[must_use]
    pub fn view_state(&self) -> ViewState {
        self.table.state()
    }

    /// Takes a contribution of this server back. The others learn it soon. `false` if this server has none
    /// under the key (it never had, or another server overtook it), or the pools are closed.
    pub fn withdraw(&self, key: &str) -> bool {
        self.handle.shared.with_machine(|machine, now| machine.withdraw(now, self.id, key)).unwrap_or(false)
    }

    /// Takes everything back that this server contributes, and says how much that was. Entries that other
    /// servers overtook stay.
    pub fn withdraw_all(&self) -> usize {
        self.handle.shared.with_machine(|machine, now| machine.withdraw_all(now, self.id)).unwrap_or(0)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Pool<T> {
    /// Contributes an entry, or another value for it, and owns the key from now on: also if another
    /// server had it. It shows here at once; the others learn it soon. Entries that change often are sent
    /// less often, with their latest value. An equal value changes nothing.
    ///
    /// # Errors
    /// See [`ContributeError`].
    pub fn contribute(&self, key: &str, value: &T) -> Result<(), ContributeError> {
        let value = Arc::from(serde_json::to_string(value)?);
        let contributed =
            self.handle.shared.with_machine(|machine, now| machine.contribute(now, self.id, key, value));
        contributed.unwrap_or(Err(ContributeError::Closed))
    }
}
