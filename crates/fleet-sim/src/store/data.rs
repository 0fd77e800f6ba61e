//! What the store of a simulation holds, and the log of how it came about.

use std::collections::BTreeMap;
use std::sync::Arc;

use transport_traits::{ErrorKind, Instant, Precondition, Record, RecordKey, Stored, Version, WallTime};

use crate::HostId;

/// One write that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// When.
    pub at: Instant,
    /// Whose request it was; `None` if it was no server's.
    pub by: Option<HostId>,
    /// Which record.
    pub key: RecordKey,
    /// What it holds since; `None` if it was deleted.
    pub record: Option<Record>,
}

#[derive(Debug, Default)]
pub(super) struct Data {
    records: BTreeMap<RecordKey, Stored>,
    pub(super) commits: Vec<Commit>,
}

impl Data {
    pub(super) fn get(&self, key: &RecordKey) -> Option<&Stored> {
        self.records.get(key)
    }

    /// The keys of a store that begin with a prefix.
    pub(super) fn list(&self, store: &str, prefix: &str) -> Vec<Arc<str>> {
        let keys = self.records.keys().filter(|key| *key.store == *store && key.key.starts_with(prefix));
        keys.map(|key| key.key.clone()).collect()
    }

    /// Writes or deletes a record. To delete what is not there is no commit.
    pub(super) fn commit(
        &mut self,
        commit: Commit,
        modified: WallTime,
        precondition: &Precondition,
    ) -> Result<Version, ErrorKind> {
        let stored = self.records.get(&commit.key);
        let holds = match precondition {
            Precondition::Always => true,
            Precondition::Absent => stored.is_none(),
            Precondition::Is(version) => stored.is_some_and(|stored| stored.version == *version),
        };
        if !holds {
            return Err(ErrorKind::Conflict);
        }
        // Numbered over all records, so no version is ever used twice.
        let version = Version::new((self.commits.len() + 1).to_string());
        let was_there = match commit.record.clone() {
            Some(record) => {
                let stored = Stored { record, version: version.clone(), modified };
                self.records.insert(commit.key.clone(), stored);
                true
            }
            None => self.records.remove(&commit.key).is_some(),
        };
        if was_there {
            self.commits.push(commit);
        }
        Ok(version)
    }
}
