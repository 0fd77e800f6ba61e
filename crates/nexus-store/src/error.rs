//! What can go wrong, for each call.

use std::fmt;
use std::sync::Arc;

use transport_traits::{Error, RecordKey};

/// Why a record could not be opened. A load that fails does not keep a record from being opened: see
/// [`SaveData::load_state`](crate::SaveData::load_state).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store's name or the key is empty, or longer than the store allows.
    #[error("the record's name cannot be used")]
    Name(#[source] Arc<Error>),
    /// The store was shut down.
    #[error("the store was shut down")]
    Closed,
}

/// Why a write was not accepted. It changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Unsaved writes take all the memory that [`Config::max_journal_bytes`](crate::Config::max_journal_bytes)
    /// grants them. Wait for the store to come back.
    #[error("unsaved writes take all the memory they may")]
    JournalFull,
    /// The value alone is larger than the store takes for a whole record.
    #[error("a value of {size} is over the store's limit of {limit}")]
    TooLarge {
        /// Its size, as the store counts.
        size: usize,
        /// The store's limit for a record.
        limit: usize,
    },
    /// The value is nested deeper than 120 levels: it could not be read again.
    #[error("the value is nested too deeply")]
    TooDeep,
    /// The value cannot be JSON: a `NaN`, an infinity, a map whose keys are no strings; or a record that is no
    /// struct and no map.
    #[error("the value is no JSON: {why}")]
    NotJson {
        /// The field; `None` if it is about the whole record.
        field: Option<Arc<str>>,
        /// What is wrong with it.
        why: Arc<str>,
    },
    /// A number was to be changed, and the visible value is none.
    #[error("the value of `{field}` is no number")]
    NotANumber {
        /// The field.
        field: Arc<str>,
    },
    /// The sum does not fit: integers are kept exactly, between −2⁶³ and 2⁶⁴ − 1.
    #[error("the value of `{field}` would overflow")]
    Overflow {
        /// The field.
        field: Arc<str>,
    },
    /// The store was shut down.
    #[error("the store was shut down")]
    Closed,
}

/// What a record holds is not of the type that was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.subject())]
pub struct DecodeError {
    field: Option<Arc<str>>,
    source: Arc<serde_json::Error>,
}

impl DecodeError {
    pub(crate) fn new(field: Option<Arc<str>>, source: serde_json::Error) -> Self {
        Self { field, source: Arc::new(source) }
    }

    /// The field; `None` if it is about the whole record.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    fn subject(&self) -> String {
        match &self.field {
            Some(field) => format!("the value of `{field}` is of another type"),
            None => "the record is of another type".to_owned(),
        }
    }
}

/// Why an `edit` changed nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The record is not of this type.
    #[error(transparent)]
    Decode(DecodeError),
    /// The changes were not accepted.
    #[error(transparent)]
    Write(WriteError),
}

/// Why a flush did not make everything durable that was accepted before it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// What is stored makes no sense, or the store refuses to hand it out, so saving might overwrite it: see
    /// [`LoadState::Failed`](crate::LoadState::Failed) for the cause. The writes are kept and saved once it can be read.
    /// In the profiles of the original, also: no attempt to load it has succeeded yet.
    #[error("the record is not loaded, and its writes are kept until it is")]
    NotLoaded,
    /// Writes whose fate cannot be found out: the store forgot this writer, or another program wiped the
    /// bookkeeping. Each was applied once or never, and none is repeated.
    #[error("the fate of {operations} operations cannot be found out")]
    Undetermined {
        /// How many.
        operations: u64,
    },
    /// The store refuses the record: too large, not permitted. The writes are kept and tried again now and
    /// then.
    #[error("the store refuses the record")]
    Refused(#[source] Arc<Error>),
    /// The store was shut down before.
    #[error("the store was shut down")]
    Closed,
}

/// The identity of one committed `update`, or of one whose outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpdateId {
    /// The process that made it: 48 bits.
    pub writer: u64,
    /// Its number there.
    pub sequence: u64,
}

impl fmt::Display for UpdateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}:{}", self.writer, self.sequence)
    }
}

/// Why an `update` did not succeed. Except for [`Unknown`](Self::Unknown), it surely changed nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError<E> {
    /// The function returned this error.
    #[error("the update function refused")]
    Aborted(E),
    /// The function panicked.
    #[error("the update function panicked")]
    Panicked,
    /// The function touched a field that the call did not name.
    #[error("the update function touched `{0}`, which the call does not name")]
    NotNamed(Arc<str>),
    /// The function set what cannot be JSON: see [`WriteError::NotJson`].
    #[error("the update function set what is no JSON: {why}")]
    NotJson {
        /// The field; `None` if it is about the whole record.
        field: Option<Arc<str>>,
        /// What is wrong with it.
        why: Arc<str>,
    },
    /// What is stored is not of the type that the update works on.
    #[error(transparent)]
    Decode(DecodeError),
    /// The store's name or the key cannot be used.
    #[error("the record's name cannot be used")]
    Name(#[source] Arc<Error>),
    /// What is stored makes no sense, or the store refuses to hand it out: see
    /// [`LoadState::Failed`](crate::LoadState::Failed) for the cause. In the profiles of the original, also: no attempt to
    /// load it has succeeded yet.
    #[error("the record is not loaded")]
    NotLoaded,
    /// The store refuses the record with this change. In [`Profile::StrictNexus`](crate::Profile::StrictNexus),
    /// which tries nothing twice, also: a call to the store failed.
    #[error("the store refuses the record")]
    Refused(#[source] Arc<Error>),
    /// The write may or may not have happened, and it cannot be found out. It is not repeated.
    #[error("whether update {0} happened cannot be found out")]
    Unknown(UpdateId),
    /// The store was shut down before the update was tried.
    #[error("the store was shut down")]
    Closed,
}

/// A record that a shutdown could not save, or that it cannot say so of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unsaved {
    /// The record.
    pub key: RecordKey,
    /// Operations whose fate cannot be found out, and that no flush has reported before: see
    /// [`FlushError::Undetermined`]. At the end of a store this is 0 where nothing but time was missing.
    pub undetermined: u64,
    /// Why not, if the store said so.
    pub error: Option<Arc<Error>>,
}

/// The save data of this process failed: see the panic that was told before. What was not durable is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the save data of this process failed, and what was not durable is lost")]
pub struct Failed;

/// How a shutdown went.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ShutdownReport {
    /// The records whose writes could not be made durable. They are lost with this process, unless other
    /// servers heard of them. Of records that were closed before the shutdown, the first thousand.
    pub unsaved: Vec<Unsaved>,
}
