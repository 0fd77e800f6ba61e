//! What the function of an `update` works on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codec::{self, NotJson};
use crate::error::DecodeError;
use crate::machine::{UpdateChanges, UpdateInput, UpdateRun};

/// The fields and user tags of a record, as they are stored, with the writes that this server can see.
///
/// A function that touches a field which the call does not name has no effect at all: the update ends with
/// [`UpdateError::NotNamed`](crate::UpdateError::NotNamed).
#[derive(Debug)]
pub struct Fields {
    input: UpdateInput,
    changed: BTreeMap<Arc<str>, Option<Arc<Value>>>,
    users: Option<Arc<[Arc<str>]>>,
    not_named: parking_lot::Mutex<Option<Arc<str>>>,
    not_json: Option<(Arc<str>, NotJson)>,
}

impl Fields {
    pub(crate) fn new(input: UpdateInput) -> Self {
        Self {
            input,
            changed: BTreeMap::new(),
            users: None,
            not_named: parking_lot::Mutex::default(),
            not_json: None,
        }
    }

    /// The value of a field, with the changes made so far; `None` if there is no such field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        if let Some(changed) = self.changed.get(field) {
            return changed.as_deref();
        }
        match self.input.fields.get(field) {
            Some(stored) => stored.as_deref(),
            None => {
                self.name(field);
                None
            }
        }
    }

    /// The value of a field as a `T`; `None` if there is no such field.
    ///
    /// # Errors
    /// The value is no `T`.
    pub fn get_as<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>, DecodeError> {
        self.get(field).map(|value| codec::decode(field, value)).transpose()
    }

    /// Sets a field. What cannot be JSON, such as a `NaN`, makes the whole update end with
    /// [`UpdateError::NotJson`](crate::UpdateError::NotJson).
    pub fn set(&mut self, field: &str, value: impl Serialize) {
        match codec::encode(&value) {
            Ok(value) => self.change(field, Some(Arc::new(value))),
            Err(error) => self.not_json = Some((field.into(), error)),
        }
    }

    /// Removes a field.
    pub fn remove(&mut self, field: &str) {
        self.change(field, None);
    }

    /// The record's user tags: the ids of the users whose data it is, with the changes made so far.
    #[must_use]
    pub fn users(&self) -> &[Arc<str>] {
        self.users.as_ref().unwrap_or(&self.input.users)
    }

    /// Gives the record these user tags instead of those it has. Repeated ones count once.
    pub fn set_users<U: Into<Arc<str>>>(&mut self, users: impl IntoIterator<Item = U>) {
        let mut unique: Vec<Arc<str>> = Vec::new();
        for user in users.into_iter().map(Into::into) {
            if !unique.contains(&user) {
                unique.push(user);
            }
        }
        self.users = Some(unique.into());
    }

    /// All fields that there are now.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        let kept = self.input.fields.iter().filter(|(field, _)| !self.changed.contains_key(*field));
        kept.chain(&self.changed).filter_map(|(field, value)| Some((&**field, value.as_deref()?)))
    }

    /// Empties the record, its user tags included.
    pub(crate) fn clear(&mut self) {
        let fields: Vec<Arc<str>> = self.all().map(|(field, _)| field.into()).collect();
        self.changed.extend(fields.into_iter().map(|field| (field, None)));
        self.users = Some(Arc::default());
    }

    pub(crate) fn change(&mut self, field: &str, value: Option<Arc<Value>>) {
        if let Some(name) = self.name(field) {
            self.changed.insert(name, value);
        }
    }

    /// The field's name, if the function may touch it.
    fn name(&self, field: &str) -> Option<Arc<str>> {
        match self.input.fields.get_key_value(field) {
            Some((name, _)) => Some(Arc::clone(name)),
            None if self.input.whole_record => Some(field.into()),
            None => {
                *self.not_named.lock() = Some(field.into());
                None
            }
        }
    }

    /// What a function set that is no JSON.
    pub(crate) fn take_not_json(&mut self) -> Option<(Arc<str>, NotJson)> {
        self.not_json.take()
    }

    /// What a function that succeeded made of them.
    pub(crate) fn into_run(self) -> UpdateRun {
        if let Some(field) = self.not_named.into_inner() {
            return UpdateRun::NotNamed(field);
        }
        let users = self.users.filter(|users| *users != self.input.users);
        UpdateRun::Changes(UpdateChanges { fields: self.changed.into_iter().collect(), users })
    }
}
