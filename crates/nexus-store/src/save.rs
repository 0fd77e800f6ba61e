//! What code that uses a record may ask for, so that its tests need no services.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use crate::{
    DecodeError, EditError, Fields, FlushError, LoadState, Object, SaveData, UpdateError, Updates, WriteError,
};

/// An open record: a [`SaveData`], or in tests a [`LocalSaveData`](crate::LocalSaveData).
///
/// Every call does what the one of the same name does on [`SaveData`].
///
/// ```
/// use nexus_store::{LocalSaveData, Save, WriteError};
///
/// async fn reward(save: &impl Save) -> Result<i64, WriteError> {
///     save.increment("coins", 10)?;
///     save.set("rewarded", true)?;
///     Ok(save.get_as("coins").ok().flatten().unwrap_or(0))
/// }
///
/// # futures::executor::block_on(async {
/// let save = LocalSaveData::new();
/// save.set("coins", 5)?;
/// assert_eq!(reward(&save).await?, 15);
/// # Ok::<(), WriteError>(()) }).unwrap();
/// ```
pub trait Save: Send + Sync {
    /// The record itself. Its calls that wait must be run by [`drive`](Self::drive).
    fn record(&self) -> &SaveData;

    /// Runs a call of the record, and with it whatever it waits for that nobody else does.
    fn drive<F: Future + Send>(&self, call: F) -> impl Future<Output = F::Output> + Send;

    /// See [`SaveData::load_state`].
    fn load_state(&self) -> LoadState {
        self.record().load_state()
    }

    /// See [`SaveData::get`].
    fn get(&self, field: &str) -> Option<Arc<Value>> {
        self.record().get(field)
    }

    /// See [`SaveData::get_as`].
    ///
    /// # Errors
    /// The value is no `T`.
    fn get_as<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>, DecodeError> {
        self.record().get_as(field)
    }

    /// See [`SaveData::snapshot`].
    fn snapshot(&self) -> Arc<Object> {
        self.record().snapshot()
    }

    /// See [`SaveData::read`].
    ///
    /// # Errors
    /// The record is no `T`.
    fn read<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.record().read()
    }

    /// See [`SaveData::set`].
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    fn set(&self, field: &str, value: impl Serialize) -> Result<(), WriteError> {
        self.record().set(field, value)
    }

    /// See [`SaveData::remove`].
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    fn remove(&self, field: &str) -> Result<(), WriteError> {
        self.record().remove(field)
    }

    /// See [`SaveData::increment`].
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    fn increment(&self, field: &str, by: impl Into<Number>) -> Result<(), WriteError> {
        self.record().increment(field, by)
    }

    /// See [`SaveData::max`].
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    fn max(&self, field: &str, to: impl Into<Number>) -> Result<(), WriteError> {
        self.record().max(field, to)
    }

    /// See [`SaveData::min`].
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    fn min(&self, field: &str, to: impl Into<Number>) -> Result<(), WriteError> {
        self.record().min(field, to)
    }

    /// See [`SaveData::edit`].
    ///
    /// # Errors
    /// See [`EditError`]; nothing changed.
    fn edit<T: Serialize + DeserializeOwned, R>(&self, f: impl FnOnce(&mut T) -> R) -> Result<R, EditError> {
        self.record().edit(f)
    }

    /// See [`SaveData::update`].
    ///
    /// # Errors
    /// See [`UpdateError`].
    fn update<T, E, F>(&self, fields: &[&str], f: F) -> impl Future<Output = Result<T, UpdateError<E>>> + Send
    where
        F: FnMut(&mut Fields) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.drive(self.record().update(fields, f))
    }

    /// See [`SaveData::update_as`].
    ///
    /// # Errors
    /// See [`UpdateError`].
    fn update_as<T, R, E, F>(&self, f: F) -> impl Future<Output = Result<R, UpdateError<E>>> + Send
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(&mut T) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: Send + 'static,
    {
        self.drive(self.record().update_as(f))
    }

    /// See [`SaveData::delete`].
    ///
    /// # Errors
    /// See [`UpdateError`].
    fn delete(&self) -> impl Future<Output = Result<(), UpdateError<Infallible>>> + Send {
        self.drive(self.record().delete())
    }

    /// See [`SaveData::users`].
    fn users(&self) -> Arc<[Arc<str>]> {
        self.record().users()
    }

    /// See [`SaveData::add_user`].
    ///
    /// # Errors
    /// See [`UpdateError`].
    fn add_user(&self, user: &str) -> impl Future<Output = Result<(), UpdateError<Infallible>>> + Send {
        self.drive(self.record().add_user(user))
    }

    /// See [`SaveData::remove_user`].
    ///
    /// # Errors
    /// See [`UpdateError`].
    fn remove_user(&self, user: &str) -> impl Future<Output = Result<(), UpdateError<Infallible>>> + Send {
        self.drive(self.record().remove_user(user))
    }

    /// See [`SaveData::flush`].
    ///
    /// # Errors
    /// See [`FlushError`].
    fn flush(&self) -> impl Future<Output = Result<(), FlushError>> + Send {
        self.drive(self.record().flush())
    }

    /// See [`SaveData::on_update`].
    fn on_update(&self, field: &str) -> Updates {
        self.record().on_update(field)
    }

    /// See [`SaveData::on_any_update`].
    fn on_any_update(&self) -> Updates {
        self.record().on_any_update()
    }
}

impl Save for SaveData {
    fn record(&self) -> &SaveData {
        self
    }

    fn drive<F: Future + Send>(&self, call: F) -> impl Future<Output = F::Output> + Send {
        call
    }
}
