//! Typed reads and writes of a record, through serde.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::SaveData;
use crate::change::Change;
use crate::codec;
use crate::error::{DecodeError, EditError, WriteError};

impl SaveData {
    /// The visible value of a field as a `T`; `None` if there is no such field.
    ///
    /// # Errors
    /// The value is no `T`.
    pub fn get_as<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>, DecodeError> {
        self.view().with(|fields| fields.get(field).map(|value| codec::decode(field, value)).transpose())
    }

    /// All visible fields as one `T`, a struct as a rule. Fields that it does not know are passed over; let
    /// the others have defaults (`#[serde(default)]`), since a new record has none.
    ///
    /// # Errors
    /// The record is no `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.view().with(|fields| codec::decode_all(fields.iter().map(|(field, value)| (&**field, &**value))))
    }

    /// Runs `f` on all visible fields as one `T`, and writes the fields that it changed, all or none, as
    /// [`set`](Self::set) and [`remove`](Self::remove) do. All other fields are left alone, those that `T`
    /// does not know among them. A field that `f` makes disappear, say by a skipped `None`, is removed.
    ///
    /// Numbers that several servers change belong into [`increment`](Self::increment): of `set`s that did not
    /// see each other one wins. [`update_as`](Self::update_as) works on what is stored.
    ///
    /// # Errors
    /// See [`EditError`]; nothing changed.
    pub fn edit<T: Serialize + DeserializeOwned, R>(
        &self,
        f: impl FnOnce(&mut T) -> R,
    ) -> Result<R, EditError> {
        let not_json = |why| EditError::Write(WriteError::NotJson { field: None, why });
        let mut record: T = self.read().map_err(EditError::Decode)?;
        let before = codec::encode(&record).map_err(not_json)?;
        let returned = f(&mut record);
        let changes = codec::differences(before, &record).map_err(not_json)?;
        let change = |value: Option<Arc<_>>| value.map_or(Change::Remove, Change::Set);
        let changes = changes.into_iter().map(|(field, value)| (field, change(value))).collect();
        self.write_all(changes).map_err(EditError::Write)?;
        Ok(returned)
    }
}
