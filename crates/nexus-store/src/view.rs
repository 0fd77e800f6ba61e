//! What a record's users read, without asking the machine.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use parking_lot::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};
use serde_json::Value;
use transport_traits::{Error, RecordKey};

use crate::Object;

#[cfg(test)]
mod tests;

/// Whether a record was loaded.
#[derive(Clone, Debug)]
pub enum LoadState {
    /// The first attempt is under way.
    Loading,
    /// It was.
    Loaded,
    /// The latest attempt failed; further ones are made. Writes are kept and visible here, and nothing is
    /// saved, so that what is stored is not overwritten unseen.
    Failed(Arc<Error>),
}

/// A record's visible fields and load state. The machine writes it, everybody reads it.
///
/// A reader takes no lock, so reads of one record from many threads do not slow each other down; what two of
/// them share is the count of a value whose pointer both copy. Only the first read after a change takes the
/// lock, for as long as it takes to copy a pointer.
#[derive(Debug)]
pub struct View {
    key: RecordKey,
    shown: RwLock<Shown>,
    /// The same object once somebody has read it since its last change. It is withdrawn under the lock before
    /// each change, so a change that returned is seen by every later read, and the object is changed in place
    /// unless a reader still holds it.
    published: ArcSwapOption<Object>,
}

/// What changes of a view.
#[derive(Debug)]
struct Shown {
    object: Arc<Object>,
    load: LoadState,
}

impl View {
    pub(crate) fn new(key: RecordKey) -> Self {
        let shown = Shown { object: Arc::default(), load: LoadState::Loading };
        Self { key, shown: RwLock::new(shown), published: ArcSwapOption::empty() }
    }

    /// Which record it is of.
    #[must_use]
    pub const fn key(&self) -> &RecordKey {
        &self.key
    }

    /// All visible fields, as they are now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Object> {
        self.published.load_full().unwrap_or_else(|| self.publish())
    }

    /// The visible value of a field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<Arc<Value>> {
        self.with(|object| object.get(field).cloned())
    }

    /// Runs `f` on the visible fields. No lock is held meanwhile, so `f` may do anything; the fields it sees do
    /// not change while it runs.
    pub fn with<T>(&self, f: impl FnOnce(&Object) -> T) -> T {
        match &*self.published.load() {
            Some(object) => f(object),
            None => f(&self.publish()),
        }
    }

    #[cold]
    fn publish(&self) -> Arc<Object> {
        let shown = self.shown.read();
        self.published.store(Some(Arc::clone(&shown.object)));
        Arc::clone(&shown.object)
    }

    /// Whether the record was loaded.
    #[must_use]
    pub fn load_state(&self) -> LoadState {
        self.shown.read().load.clone()
    }

    pub(crate) fn read(&self) -> MappedRwLockReadGuard<'_, Arc<Object>> {
        RwLockReadGuard::map(self.shown.read(), |shown| &shown.object)
    }

    pub(crate) fn replace(&self, new: Arc<Object>) -> Arc<Object> {
        let mut shown = self.shown.write();
        self.withdraw();
        std::mem::replace(&mut shown.object, new)
    }

    /// Changes the fields in place where nobody holds them, else a copy.
    pub(crate) fn edit<T>(&self, edit: impl FnOnce(&mut Object) -> T) -> T {
        let object = &mut self.shown.write().object;
        if Arc::strong_count(object) > 1 {
            self.withdraw(); // What is published counts, so of one holder nothing is.
        }
        edit(Arc::make_mut(object))
    }

    /// From here on readers want the lock. The caller holds it for writing.
    fn withdraw(&self) {
        if self.published.load().is_some() {
            self.published.store(None);
        }
    }

    pub(crate) fn set_load_state(&self, state: LoadState) {
        self.shown.write().load = state;
    }
}
