//! What the store holds, as far as this process knows.

use std::sync::Arc;

use transport_traits::{Error, ErrorKind, Precondition, Record, Stored, Version};

use super::table::Table;
use super::table_text::{MAX_ID, MAX_NUMBER, Unreadable};
use crate::Object;
use crate::json::{self, Fnv};
use crate::names::Names;

/// One stored state of a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Base {
    /// `None`: there is no record.
    pub(crate) version: Option<Version>,
    pub(crate) object: Arc<Object>,
    pub(crate) table: Table,
    /// Who the data belongs to; kept through every write.
    pub(crate) users: Arc<[Arc<str>]>,
}

/// How a state came to have a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was stored with it, or nothing is stored.
    Ours,
    /// Another program wrote the state, without a table of ours: one begins here.
    Foreign,
}

impl Base {
    /// The base of a record that does not exist. `previous` is the last state that this process saw, if the
    /// record existed then: its next life must not be mistaken for the one before.
    pub(crate) fn absent(previous: Option<&Version>) -> Self {
        let epoch = previous.map_or(0, |version| epoch_of("deleted", version));
        Self { table: Table::new(epoch), ..Self::default() }
    }

    /// The base that a read gave.
    ///
    /// A table begins with the epoch that its version gives, so all servers that read a foreign state agree.
    ///
    /// # Errors
    /// `Malformed` if the value is no object, `Unsupported` if the bookkeeping is of a later version.
    pub(crate) fn from_stored(stored: &Stored, names: &mut Names) -> Result<(Self, Origin), Error> {
        let object = json::parse_sharing(&stored.record.value, names)
            .map_err(|message| Error::new(ErrorKind::Malformed, message))?;
        let (table, origin) = match Table::parse(&stored.record.metadata) {
            Ok(table) => (table, Origin::Ours),
            Err(Unreadable::Foreign) => (Table::new(epoch_of("foreign", &stored.version)), Origin::Foreign),
            Err(Unreadable::Newer) => return Err(newer()),
        };
        let base = Self {
            version: Some(stored.version.clone()),
            object: Arc::new(object),
            table,
            users: users_of(stored),
        };
        Ok((base, origin))
    }

    /// The base of a state that cannot be understood, for somebody who may overwrite it: as much of it as
    /// can be read, under a table of our own.
    pub(crate) fn over(stored: &Stored, names: &mut Names) -> Self {
        Self {
            version: Some(stored.version.clone()),
            object: Arc::new(json::parse_sharing(&stored.record.value, names).unwrap_or_default()),
            table: Table::new(epoch_of("foreign", &stored.version)),
            users: users_of(stored),
        }
    }

    pub(crate) fn precondition(&self) -> Precondition {
        self.version.clone().map_or(Precondition::Absent, Precondition::Is)
    }

    /// What is to be stored for this state.
    pub(crate) fn to_record(&self) -> Record {
        Record::new(json::to_text(&self.object))
            .with_metadata(self.table.to_text())
            .with_users(self.users.iter().cloned())
    }

    /// A hash of all that is stored, the same on every server: 53 bits.
    pub(crate) fn digest(&self) -> u64 {
        let mut hash = Fnv::new();
        hash.write_object(&self.object);
        hash.write_text(&self.table.to_text());
        self.users.iter().for_each(|user| hash.write_text(user));
        hash.finish() % MAX_NUMBER
    }
}

/// Records without tags share one empty list.
fn users_of(stored: &Stored) -> Arc<[Arc<str>]> {
    if stored.record.users.is_empty() { Arc::default() } else { Arc::clone(&stored.record.users) }
}

fn newer() -> Error {
    Error::new(ErrorKind::Unsupported, "the record's bookkeeping is of a later version of this crate")
}

fn epoch_of(how: &str, version: &Version) -> u64 {
    let mut hash = Fnv::new();
    hash.write_text(how);
    hash.write_text(version.as_str());
    hash.finish() % MAX_ID
}
