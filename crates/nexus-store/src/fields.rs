//! What the function of an `update` works on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::machine::UpdateRun;

/// The named fields of a record, as they are stored, with the writes that this server can see.
///
/// A function that touches another field has no effect at all: the update ends with
/// [`UpdateError::NotNamed`](crate::UpdateError::NotNamed).
#[derive(Debug)]
pub struct Fields {
    values: BTreeMap<Arc<str>, Option<Arc<Value>>>,
    changed: BTreeMap<Arc<str>, Option<Arc<Value>>>,
    not_named: parking_lot::Mutex<Option<Arc<str>>>,
}

impl Fields {
    pub(crate) fn new(values: BTreeMap<Arc<str>, Option<Arc<Value>>>) -> Self {
        Self { values, changed: BTreeMap::new(), not_named: parking_lot::Mutex::default() }
    }

    /// The value of a field, with the changes made so far; `None` if there is no such field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        let Some(stored) = self.values.get(field) else {
            *self.not_named.lock() = Some(field.into());
            return None;
        };
        self.changed.get(field).unwrap_or(stored).as_deref()
    }

    /// Sets a field.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.change(field, Some(Arc::new(value.into())));
    }

    /// Removes a field.
    pub fn remove(&mut self, field: &str) {
        self.change(field, None);
    }

    fn change(&mut self, field: &str, value: Option<Arc<Value>>) {
        match self.values.get_key_value(field) {
            Some((name, _)) => drop(self.changed.insert(Arc::clone(name), value)),
            None => *self.not_named.lock() = Some(field.into()),
        }
    }

    /// What a function that succeeded made of them.
    pub(crate) fn into_run(self) -> UpdateRun {
        match self.not_named.into_inner() {
            Some(field) => UpdateRun::NotNamed(field),
            None => UpdateRun::Changes(self.changed.into_iter().collect()),
        }
    }
}
