//! What goes into the machine and what comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use transport_traits::{Error, Outgoing, Precondition, Record, RecordKey, Stored, Topic, Version, WallTime};

use crate::error::{FlushError, ShutdownReport, UpdateId};

/// A record that is open in a machine. Never given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub(crate) u64);

/// A call whose answer comes later, as [`Output::Done`]. Never given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(crate) u64);

/// What happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// What the wall clock says now. Give it now and then: it may jump.
    WallClock(WallTime),
    /// The answer to [`Output::Get`].
    Got(RecordId, Result<Option<Stored>, Arc<Error>>),
    /// The answer to [`Output::Put`].
    PutDone(RecordId, Result<Version, Arc<Error>>),
    /// The answer to [`Output::Publish`].
    Published(RecordId, Result<(), Arc<Error>>),
    /// The answer to [`Output::Subscribe`].
    Subscribed(RecordId, Result<(), Arc<Error>>),
    /// The record's subscription ended by itself.
    SubscriptionEnded(RecordId),
    /// A message arrived on the record's topic.
    Received(RecordId, Bytes),
    /// Messages on the record's topic may have been lost.
    Gap(RecordId),
    /// The answer to [`Output::RunUpdate`].
    UpdateRan(Ticket, UpdateRun),
    /// Nobody waits for an update any more. If it was not tried yet, it will not be.
    CancelUpdate(Ticket),
    /// Nobody waits for a flush of the record any more. What is not under way yet has no haste any more.
    CancelFlush(RecordId, Ticket),
    /// One holder of the record less.
    Release(RecordId),
}

/// How the function of an update ended.
#[derive(Clone, Debug)]
pub enum UpdateRun {
    /// With these changes.
    Changes(UpdateChanges),
    /// With an error of its own: nothing is to be written.
    Aborted,
    /// With a panic.
    Panicked,
    /// It touched a field that it had no right to.
    NotNamed(Arc<str>),
}

/// What an update changes.
#[derive(Clone, Debug, Default)]
pub struct UpdateChanges {
    /// New values of fields; `None` removes one. Fields that are left alone are missing.
    pub fields: Vec<(Arc<str>, Option<Arc<Value>>)>,
    /// The user tags from now on, if they are to change.
    pub users: Option<Arc<[Arc<str>]>>,
}

impl UpdateChanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.users.is_none()
    }
}

/// Which fields an update may touch.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// These.
    Fields(&'a [&'a str]),
    /// All, also such as do not exist yet.
    Record,
}

/// What the function of an update works on: the stored state with the visible operations.
#[derive(Clone, Debug, Default)]
pub struct UpdateInput {
    /// The fields that it may see; `None` is one that is not there.
    pub fields: BTreeMap<Arc<str>, Option<Arc<Value>>>,
    /// It may touch fields that are not listed too: they are not there.
    pub whole_record: bool,
    /// The record's user tags.
    pub users: Arc<[Arc<str>]>,
}

/// What is to be done outside.
#[derive(Clone, Debug)]
pub enum Output {
    /// Read a record. At most one request a record is under way.
    Get(RecordId, RecordKey),
    /// Write a record. At most one request a record is under way.
    Put(RecordId, RecordKey, Record, Precondition),
    /// Publish a message. At most one a record is under way, but for the strict profile, which does not wait.
    Publish(RecordId, Outgoing),
    /// Subscribe to a record's topic.
    Subscribe(RecordId, Topic),
    /// The record is closed: end its subscription and forget it.
    Closed(RecordId),
    /// Run an update's function on this.
    RunUpdate(Ticket, UpdateInput),
    /// The visible value of fields changed.
    Changed(RecordId, Vec<FieldChange>),
    /// The answer to a call.
    Done(Ticket, Outcome),
}

/// One visible change.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// The field.
    pub field: Arc<str>,
    /// What it was.
    pub old: Option<Arc<Value>>,
    /// What it is.
    pub new: Option<Arc<Value>>,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// An open: the first attempt to load is over.
    Opened,
    /// A flush.
    Flushed(Result<(), FlushError>),
    /// An update.
    Updated(UpdateOutcome),
    /// A shutdown.
    ShutDown(ShutdownReport),
}

/// How an update ended.
#[derive(Clone, Debug)]
pub enum UpdateOutcome {
    /// It is durable.
    Committed(UpdateId),
    /// The function changed nothing, on the latest stored value, and there was nothing else to store.
    Unchanged,
    /// The function refused, on the latest stored value.
    Aborted,
    /// The function panicked.
    Panicked,
    /// The function touched a field that it had no right to.
    NotNamed(Arc<str>),
    /// The record is not loaded.
    NotLoaded,
    /// The store refuses the record with this change.
    Refused(Arc<Error>),
    /// It happened or not.
    Unknown(UpdateId),
    /// It was canceled, or the machine was shut down, before it was tried.
    Closed,
}
