//! What servers tell each other about a record: JSON text, as short as it goes without being obscure.
//!
//! ```text
//! [1, writer, epoch, ops]            operations
//! [1, writer, epoch, ops, commit]    operations, and what was committed
//! op     = [sequence, pred, commit, stamp, [field, kind, operand, …]]
//! commit = [from, to]                the stored value moved from one commit to another: read it
//!        | [from, to, version, digest, [writer, last, age, …], [field, kind, operand, …], mark, pruned]
//! kind   = 0 set | 1 increment | 2 max | 3 min | 4 remove (operand null)
//! ```
//!
//! All operations of a message carry its epoch. `age` says how many commits ago the writer moved; `mark` is
//! 0 or the time of a new mark; the fields after the writers are those that updates changed, as they are
//! at `to`. Ids are below 2⁴⁸ and other numbers below 2⁵³. A message of another version is ignored.

use std::sync::Arc;

use serde_json::{Value, json};
use transport_traits::Version;

use crate::change::Change;
use crate::machine::Operation;
use crate::machine::clock::LATEST;
use crate::machine::table::{Entry, Upkeep};
use crate::machine::table_text::{MAX_ID, MAX_NUMBER};

const FORMAT: u64 = 1;

/// One message about a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Announcement {
    pub(crate) writer: u64,
    pub(crate) epoch: u64,
    pub(crate) ops: Vec<Operation>,
    pub(crate) commit: Option<CommitNote>,
}

/// That the stored value moved on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CommitNote {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) details: Option<CommitDetails>,
}

/// Enough to follow a commit without a read, for those who have its operations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CommitDetails {
    pub(crate) version: Version,
    pub(crate) digest: u64,
    pub(crate) entries: Vec<(u64, Entry)>,
    pub(crate) sets: Vec<(Arc<str>, Change)>,
    pub(crate) upkeep: Upkeep,
}

/// Why a message is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// Not by the rules of this format.
    Damaged,
    /// Of another format version.
    Version,
}

/// The text of one operation.
pub(crate) fn operation_text(op: &Operation) -> String {
    json!([op.sequence, op.pred, op.commit, op.stamp, changes_value(&op.changes)]).to_string()
}

/// The text of a commit note.
pub(crate) fn commit_text(note: &CommitNote) -> String {
    let Some(details) = &note.details else {
        return json!([note.from, note.to]).to_string();
    };
    let entries: Vec<u64> = details
        .entries
        .iter()
        .flat_map(|(writer, entry)| [*writer, entry.last, note.to - entry.moved])
        .collect();
    json!([
        note.from,
        note.to,
        details.version.as_str(),
        details.digest,
        entries,
        changes_value(&details.sets),
        details.upkeep.marked.unwrap_or(0),
        details.upkeep.pruned,
    ])
    .to_string()
}

/// A whole message of operations and a commit note that are texts already.
pub(crate) fn message_text(writer: u64, epoch: u64, ops: &[String], commit: Option<&str>) -> String {
    let ops = ops.join(",");
    let comma = if commit.is_some() { "," } else { "" };
    format!("[{FORMAT},{writer},{epoch},[{ops}]{comma}{}]", commit.unwrap_or(""))
}

fn changes_value(changes: &[(Arc<str>, Change)]) -> Value {
    let triples = changes.iter().flat_map(|(field, change)| {
        let (kind, operand) = match change {
            Change::Set(value) => (0, Value::clone(value)),
            Change::Increment(number) => (1, Value::Number(number.clone())),
            Change::Max(number) => (2, Value::Number(number.clone())),
            Change::Min(number) => (3, Value::Number(number.clone())),
            Change::Remove => (4, Value::Null),
        };
        [Value::from(&**field), Value::from(kind), operand]
    });
    Value::Array(triples.collect())
}

impl Announcement {
    /// Reads a message from whoever sent it: nothing about it is taken for granted.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Rejected> {
        let value: Value = serde_json::from_slice(body).map_err(|_| Rejected::Damaged)?;
        let mut parts = Parts::of(value).ok_or(Rejected::Damaged)?;
        match parts.number() {
            Some(FORMAT) => parts.announcement().ok_or(Rejected::Damaged),
            Some(_) => Err(Rejected::Version),
            None => Err(Rejected::Damaged),
        }
    }
}

/// The members of an array, taken from the front.
struct Parts(std::vec::IntoIter<Value>);

impl Parts {
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(Self(items.into_iter())),
            _ => None,
        }
    }

    fn inner(&mut self) -> Option<Self> {
        Self::of(self.0.next()?)
    }

    fn number(&mut self) -> Option<u64> {
        self.0.next()?.as_u64().filter(|&number| number < MAX_NUMBER)
    }

    fn id(&mut self) -> Option<u64> {
        self.number().filter(|&id| id < MAX_ID)
    }

    fn text(&mut self) -> Option<String> {
        match self.0.next()? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// What is left, as groups that `read` takes.
    fn groups<T>(mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut groups = Vec::new();
        while self.0.len() > 0 {
            groups.push(read(&mut self)?);
        }
        Some(groups)
    }

    fn announcement(&mut self) -> Option<Announcement> {
        let (writer, epoch) = (self.id()?, self.id()?);
        let ops = self.inner()?.groups(|parts| parts.inner()?.operation(writer, epoch))?;
        let commit = match self.0.next() {
            Some(commit) => Some(Self::of(commit)?.commit()?),
            None => None,
        };
        Some(Announcement { writer, epoch, ops, commit })
    }

    fn operation(mut self, writer: u64, epoch: u64) -> Option<Operation> {
        let (sequence, pred) = (self.number()?, self.number()?);
        let (commit, stamp) = (self.number()?, self.number()?);
        let changes = self.inner()?.changes()?;
        let sound = sequence > pred && stamp < LATEST && !changes.is_empty();
        sound.then_some(Operation { writer, sequence, pred, epoch, commit, stamp, changes })
    }

    fn changes(self) -> Option<Vec<(Arc<str>, Change)>> {
        self.groups(|parts| Some((parts.text()?.into(), parts.change()?)))
    }

    fn change(&mut self) -> Option<Change> {
        let kind = self.number()?;
        let operand = self.0.next()?;
        if kind == 0 {
            return Some(Change::Set(Arc::new(operand)));
        }
        match (kind, operand) {
            (1, Value::Number(number)) => Some(Change::Increment(number)),
            (2, Value::Number(number)) => Some(Change::Max(number)),
            (3, Value::Number(number)) => Some(Change::Min(number)),
            (4, Value::Null) => Some(Change::Remove),
            _ => None,
        }
    }

    fn commit(mut self) -> Option<CommitNote> {
        let (from, to) = (self.number()?, self.number()?);
        if from >= to {
            return None;
        }
        let details = if self.0.len() > 0 { Some(self.details(to)?) } else { None };
        Some(CommitNote { from, to, details })
    }

    fn details(&mut self, to: u64) -> Option<CommitDetails> {
        let version = Version::new(self.text()?);
        let digest = self.number()?;
        let entries = self.inner()?.groups(|parts| {
            let (writer, last) = (parts.id()?, parts.number()?);
            Some((writer, Entry { last, moved: to.checked_sub(parts.number()?)? }))
        })?;
        let sets = self.inner()?.changes()?;
        let marked = Some(self.number()?).filter(|&mark| mark > 0);
        let pruned = usize::try_from(self.number()?).ok()?;
        Some(CommitDetails { version, digest, entries, sets, upkeep: Upkeep { marked, pruned } })
    }
}

/// A change that leaves a field with exactly this content.
pub(crate) fn exactly(value: Option<&Arc<Value>>) -> Change {
    value.map_or(Change::Remove, |value| Change::Set(Arc::clone(value)))
}
