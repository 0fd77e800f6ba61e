//! The calls that run a function of the user's on what is stored.

use std::convert::Infallible;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use transport_traits::RecordKey;

use crate::codec;
use crate::engine::Engine;
use crate::error::{OpenError, UpdateError};
use crate::machine::{Outcome, RecordId, Scope, Ticket, UpdateOutcome, UpdateRun};
use crate::shared::{Runner, Shared};
use crate::{Fields, NexusStore, SaveData};

/// What the function of an update came to, put aside until the update is answered.
type Slot<T, E> = Arc<Mutex<Option<Result<T, UpdateError<E>>>>>;

impl SaveData {
    /// Runs `f` on the named fields as they are stored, with every write that is visible here, and stores
    /// its changes together with these, all or nothing. `Ok`: it is durable. The user tags may be changed
    /// along with the fields.
    ///
    /// `f` runs on the driver, so it must not block, and runs again when another server was faster. Its
    /// error aborts and comes back, once the store has confirmed the values that it was decided on. A panic
    /// is caught.
    ///
    /// It waits as long as the store cannot be reached, so set a time limit of your own where that matters:
    /// dropping the future cancels an update that was not sent yet; later its outcome is unknown.
    ///
    /// # Errors
    /// See [`UpdateError`]: but for `Unknown`, nothing changed.
    pub async fn update<T, E, F>(&self, fields: &[&str], f: F) -> Result<T, UpdateError<E>>
    where
        F: FnMut(&mut Fields) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.run(Scope::Fields(fields), wrap(f)).await
    }

    /// As [`update`](Self::update), on the whole record as a `T`: the fields that `f` changes are stored, and
    /// those that `T` does not know are kept. A field that `f` makes disappear, say by a skipped `None`, is
    /// removed.
    ///
    /// # Errors
    /// See [`UpdateError`]; `Decode` if what is stored is no `T`.
    pub async fn update_as<T, R, E, F>(&self, mut f: F) -> Result<R, UpdateError<E>>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(&mut T) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: Send + 'static,
    {
        self.run(Scope::Record, move |fields| {
            let mut record: T = codec::decode_all(fields.all()).map_err(UpdateError::Decode)?;
            let no_object = |why| UpdateError::NotJson { field: None, why };
            let before = codec::encode(&record).map_err(no_object)?;
            let returned = f(&mut record).map_err(UpdateError::Aborted)?;
            for (field, value) in codec::differences(before, &record).map_err(no_object)? {
                fields.change(&field, value);
            }
            Ok(returned)
        })
        .await
    }

    /// Deletes the record: removes all fields and user tags, durably, seen on every server.
    ///
    /// An empty object stays in the store, with the bookkeeping beside it, so that nothing that was applied
    /// before can ever come back, however late its message. Writes that this server could see are gone with
    /// the rest; writes that it could not see count as made after the deletion, whenever they arrive. The
    /// record stays open, and can be written again at once.
    ///
    /// # Errors
    /// See [`UpdateError`].
    pub async fn delete(&self) -> Result<(), UpdateError<Infallible>> {
        self.run(Scope::Record, |fields| {
            fields.clear();
            Ok(())
        })
        .await
    }

    /// The ids of the users whose data the record is: what an erasure request looks for. As they were stored
    /// when this server last looked.
    #[must_use]
    pub fn users(&self) -> Arc<[Arc<str>]> {
        self.shared().with(|machine, _| machine.users(self.id()))
    }

    /// Tags the record with a user's id, durably. A tag that is there already stays, once.
    ///
    /// # Errors
    /// See [`UpdateError`].
    pub async fn add_user(&self, user: impl Into<Arc<str>>) -> Result<(), UpdateError<Infallible>> {
        let user = user.into();
        self.retag(move |users| {
            users.retain(|held| *held != user);
            users.push(Arc::clone(&user));
        })
        .await
    }

    /// Removes a user's id from the record's tags, durably.
    ///
    /// # Errors
    /// See [`UpdateError`].
    pub async fn remove_user(&self, user: &str) -> Result<(), UpdateError<Infallible>> {
        let user: Arc<str> = user.into();
        self.retag(move |users| users.retain(|held| *held != user)).await
    }

    async fn retag(
        &self,
        mut f: impl FnMut(&mut Vec<Arc<str>>) + Send + 'static,
    ) -> Result<(), UpdateError<Infallible>> {
        self.run(Scope::Fields(&[]), move |fields| {
            let mut users = fields.users().to_vec();
            f(&mut users);
            fields.set_users(users);
            Ok(())
        })
        .await
    }

    async fn run<T, E, F>(&self, scope: Scope<'_>, f: F) -> Result<T, UpdateError<E>>
    where
        F: FnMut(&mut Fields) -> Result<T, UpdateError<E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let id: RecordId = self.id();
        call(self.shared(), f, |machine, _| Ok(machine.update(id, scope))).await
    }
}

impl NexusStore {
    /// As [`SaveData::update`], on a record that need not be open, and is not kept open: nothing is
    /// subscribed to, and the record is forgotten when the update is done. Other servers that have it open
    /// are told. For gifts to players who are offline, and the like.
    ///
    /// # Errors
    /// See [`UpdateError`].
    pub async fn update_once<T, E, F>(
        &self,
        key: RecordKey,
        fields: &[&str],
        f: F,
    ) -> Result<T, UpdateError<E>>
    where
        F: FnMut(&mut Fields) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let scope = Scope::Fields(fields);
        call(self.shared(), wrap(f), |machine, now| machine.update_once(now, key, scope)).await
    }
}

/// A function of the user's as one whose errors say what they are.
fn wrap<T, E>(
    mut f: impl FnMut(&mut Fields) -> Result<T, E> + Send + 'static,
) -> impl FnMut(&mut Fields) -> Result<T, UpdateError<E>> + Send + 'static {
    move |fields| f(fields).map_err(UpdateError::Aborted)
}

/// Queues an update with `start` and waits for it.
async fn call<T, E, F>(
    shared: &Shared,
    f: F,
    start: impl FnOnce(&mut Engine, transport_traits::Instant) -> Result<Ticket, OpenError>,
) -> Result<T, UpdateError<E>>
where
    F: FnMut(&mut Fields) -> Result<T, UpdateError<E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let slot: Slot<T, E> = Arc::default();
    let outcome = match shared.call_update(runner(f, Arc::clone(&slot)), start)?.over().await {
        Some(Outcome::Updated(outcome)) => outcome,
        _ => UpdateOutcome::Closed,
    };
    let returned = slot.lock().take();
    answer(outcome, returned)
}

fn runner<T, E, F>(mut f: F, slot: Slot<T, E>) -> Runner
where
    F: FnMut(&mut Fields) -> Result<T, UpdateError<E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    Box::new(move |mut fields: Fields| {
        let returned = match (f(&mut fields), fields.take_not_json()) {
            (Ok(_), Some((field, why))) => Err(UpdateError::NotJson { field: Some(field), why }),
            (returned, _) => returned,
        };
        let run = if returned.is_ok() { fields.into_run() } else { UpdateRun::Aborted };
        *slot.lock() = Some(returned);
        run
    })
}

/// What the caller of an update gets, from what became of it and what its function returned last.
fn answer<T, E>(
    outcome: UpdateOutcome,
    returned: Option<Result<T, UpdateError<E>>>,
) -> Result<T, UpdateError<E>> {
    match (outcome, returned) {
        (UpdateOutcome::Committed(_) | UpdateOutcome::Unchanged, Some(Ok(value))) => Ok(value),
        (UpdateOutcome::Aborted, Some(Err(error))) => Err(error),
        (UpdateOutcome::NotNamed(field), _) => Err(UpdateError::NotNamed(field)),
        (UpdateOutcome::NotLoaded, _) => Err(UpdateError::NotLoaded),
        (UpdateOutcome::Refused(error), _) => Err(UpdateError::Refused(error)),
        (UpdateOutcome::Unknown(id), _) => Err(UpdateError::Unknown(id)),
        (UpdateOutcome::Panicked, _) => Err(UpdateError::Panicked),
        _ => Err(UpdateError::Closed),
    }
}

impl<E> From<OpenError> for UpdateError<E> {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Name(error) => Self::Name(error),
            OpenError::Closed => Self::Closed,
        }
    }
}
