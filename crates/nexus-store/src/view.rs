//! What a record's users read, without asking the machine.

use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard};
use serde_json::Value;
use transport_traits::Error;

use crate::Object;

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

/// A record's visible fields and load state. The machine writes it, everybody reads it; a reader holds its
/// lock only while it copies a pointer or a value.
#[derive(Debug)]
pub struct View {
    object: RwLock<Arc<Object>>,
    load: RwLock<LoadState>,
}

impl View {
    pub(crate) fn new() -> Self {
        Self { object: RwLock::default(), load: RwLock::new(LoadState::Loading) }
    }

    /// All visible fields, as they are now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Object> {
        Arc::clone(&self.object.read())
    }

    /// The visible value of a field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<Arc<Value>> {
        self.object.read().get(field).cloned()
    }

    /// Whether the record was loaded.
    #[must_use]
    pub fn load_state(&self) -> LoadState {
        self.load.read().clone()
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Arc<Object>> {
        self.object.read()
    }

    pub(crate) fn replace(&self, object: Arc<Object>) -> Arc<Object> {
        std::mem::replace(&mut self.object.write(), object)
    }

    /// Changes the fields in place where nobody holds a snapshot, else a copy.
    pub(crate) fn edit<T>(&self, edit: impl FnOnce(&mut Object) -> T) -> T {
        edit(Arc::make_mut(&mut self.object.write()))
    }

    pub(crate) fn set_load_state(&self, state: LoadState) {
        *self.load.write() = state;
    }
}
