//! A part of the store's keys, behind one lock.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use transport_traits::{
    Error, ErrorKind, Instant, Precondition, RecordKey, StoreLimits, Stored, Version, VersionInfo,
};

use super::entry::{Entry, State, holds};

/// Deleted keys of a shard whose history is kept.
const DELETED_KEPT: usize = 1_024;

/// Keys in order, so that a prefix is a range.
#[derive(Default)]
pub(super) struct Shard {
    entries: BTreeMap<RecordKey, Entry>,
    /// Keys that were deleted, with the deletion's version, oldest first.
    deleted: VecDeque<(RecordKey, Version)>,
}

impl Shard {
    pub(super) fn read(
        &mut self,
        key: &RecordKey,
        version: Option<&Version>,
        now: Instant,
    ) -> Result<Option<Stored>, Error> {
        self.entries.get_mut(key).map_or(Ok(None), |entry| entry.read(version, now))
    }

    pub(super) fn versions(&self, key: &RecordKey) -> Vec<VersionInfo> {
        self.entries.get(key).map_or_else(Vec::new, Entry::infos)
    }

    /// Moves `key` to the state that `next` makes, if `precondition` holds. Deleting what is not there
    /// changes nothing.
    pub(super) fn commit(
        &mut self,
        key: RecordKey,
        precondition: &Precondition,
        next: impl FnOnce() -> State,
        rules: Rules<'_>,
    ) -> Result<(), Error> {
        let entry = self.entries.get_mut(&key);
        if !holds(precondition, entry.as_deref()) {
            return Err(Error::new(ErrorKind::Conflict, key.to_string()));
        }
        let state = next();
        let deletion = state.record.is_none().then(|| state.version.clone());
        match entry {
            Some(entry) if deletion.is_some() && !entry.is_live() => return Ok(()),
            Some(entry) => entry.advance(state, rules.history, rules.now)?,
            None if deletion.is_some() => return Ok(()),
            None => {
                self.entries.insert(key.clone(), Entry::new(state, rules.limits, rules.now)?);
            }
        }
        if let Some(version) = deletion {
            self.remember_deletion(key, version, rules.now);
        }
        Ok(())
    }

    fn remember_deletion(&mut self, key: RecordKey, version: Version, now: Instant) {
        self.deleted.push_back((key, version));
        while self.deleted.len() > DELETED_KEPT && self.forget_oldest(now) {}
    }

    /// Forgets the key that has been deleted for longest. False if its throughput is still to be reckoned
    /// with.
    fn forget_oldest(&mut self, now: Instant) -> bool {
        let Some((key, version)) = self.deleted.front() else {
            return false;
        };
        if let Some(entry) = self.entries.get_mut(key)
            && entry.is_in(version)
        {
            if !entry.is_idle(now) {
                return false;
            }
            self.entries.remove(key);
        }
        self.deleted.pop_front();
        true
    }

    /// The keys of `store` that have a record and begin with `prefix`, in order.
    pub(super) fn keys(&self, store: &Arc<str>, prefix: &Arc<str>) -> Vec<Arc<str>> {
        let first = RecordKey::new(store.clone(), prefix.clone());
        let wanted = |key: &RecordKey| key.store == *store && key.key.starts_with(&**prefix);
        self.entries
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(|(key, _)| wanted(key))
            .filter(|(_, entry)| entry.is_live())
            .map(|(key, _)| key.key.clone())
            .collect()
    }
}

/// What a commit goes by, besides its precondition.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) limits: &'a StoreLimits,
    /// Past states to keep.
    pub(super) history: usize,
    pub(super) now: Instant,
}
