//! The data store of a scenario: compare-and-swap, with the faults that the scenario injects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use transport_traits::{ErrorKind, Precondition, Record, RecordKey, Stored, Version, WallTime};

use super::recording::{Fault, Setup};

/// Who asks for what.
type Asked = (String, RecordKey);

pub(crate) struct Store<'a> {
    setup: &'a Setup,
    kept: BTreeMap<RecordKey, Stored>,
    versions: u64,
    /// Loads and Fetch reads of each server so far, and its writes.
    gets: BTreeMap<String, u64>,
    updates: BTreeMap<String, u64>,
    /// The fault that meets a write which has begun.
    armed: BTreeMap<Asked, &'a Fault>,
    /// Writes that begin again after a conflict, and so are counted already.
    again: BTreeSet<Asked>,
    /// No more faults.
    pub(crate) healed: bool,
    /// Writes of servers that were committed.
    pub(crate) commits: usize,
}

impl<'a> Store<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Self {
        let mut store = Self {
            setup,
            kept: BTreeMap::new(),
            versions: 0,
            gets: BTreeMap::new(),
            updates: BTreeMap::new(),
            armed: BTreeMap::new(),
            again: BTreeSet::new(),
            healed: false,
            commits: 0,
        };
        for (name, records) in setup.initial_store.as_object().into_iter().flatten() {
            for (key, value) in records.as_object().into_iter().flatten() {
                store.commit(RecordKey::new(name.as_str(), key.as_str()), Record::new(value.to_string()));
            }
        }
        store
    }

    /// The fault that meets the request of this number.
    fn fault(&self, on: &str, server: &str, number: u64) -> Option<&'a Fault> {
        let hits = |fault: &&Fault| {
            fault.on == on
                && fault.server.as_deref().is_none_or(|of| of == server)
                && fault.nth.is_none_or(|nth| nth == number)
        };
        self.setup.faults.iter().find(hits).filter(|_| !self.healed)
    }

    /// A read that is no part of a write.
    pub(crate) fn get(&mut self, server: &str, key: &RecordKey) -> Result<Option<Stored>, ErrorKind> {
        let number = self.gets.entry(server.to_owned()).or_default();
        *number += 1;
        let number = *number;
        match self.fault("get", server, number) {
            Some(_) => Err(ErrorKind::Unavailable),
            None => Ok(self.read(key)),
        }
    }

    /// What is stored, whatever faults there are.
    pub(crate) fn read(&self, key: &RecordKey) -> Option<Stored> {
        self.kept.get(key).cloned()
    }

    /// Counts a write that begins, unless it only begins again. It may fail before anything was done.
    pub(crate) fn begin_update(&mut self, server: &str, key: &RecordKey) -> Result<(), ErrorKind> {
        let asked = (server.to_owned(), key.clone());
        if self.again.remove(&asked) {
            return Ok(());
        }
        let number = self.updates.entry(server.to_owned()).or_default();
        *number += 1;
        let number = *number;
        self.armed.remove(&asked);
        match self.fault("update", server, number) {
            Some(fault) if matches!(fault.fault.as_str(), "throw" | "before") => Err(ErrorKind::Unavailable),
            fault => {
                self.armed.extend(fault.map(|fault| (asked, fault)));
                Ok(())
            }
        }
    }

    /// Carries out a write that has begun.
    pub(crate) fn put(
        &mut self,
        server: &str,
        key: RecordKey,
        record: Record,
        precondition: &Precondition,
    ) -> Result<Version, ErrorKind> {
        let asked = (server.to_owned(), key.clone());
        let fault = self.armed.remove(&asked);
        match fault.map(|fault| fault.fault.as_str()) {
            None | Some("ambiguous") => {}
            Some("conflict") => self.commit_other(&key, fault),
            Some(_) => return Err(ErrorKind::Unavailable),
        }
        let version = self.kept.get(&key).map(|stored| &stored.version);
        let holds = match precondition {
            Precondition::Always => true,
            Precondition::Absent => version.is_none(),
            Precondition::Is(wanted) => version == Some(wanted),
        };
        if !holds {
            self.again.insert(asked);
            return Err(ErrorKind::Conflict);
        }
        self.commits += 1;
        let version = self.commit(key, record);
        if fault.is_some_and(|fault| fault.fault == "ambiguous") {
            Err(ErrorKind::Unknown)
        } else {
            Ok(version)
        }
    }

    /// What somebody else wrote in between: a value, or its text.
    fn commit_other(&mut self, key: &RecordKey, fault: Option<&Fault>) {
        let text = match fault.map(|fault| &fault.other_commit) {
            Some(Value::String(text)) => text.clone(),
            Some(value @ (Value::Object(_) | Value::Array(_))) => value.to_string(),
            _ => return,
        };
        self.commit(key.clone(), Record::new(text));
    }

    fn commit(&mut self, key: RecordKey, record: Record) -> Version {
        self.versions += 1;
        let version = Version::new(self.versions.to_string());
        let stored = Stored { record, version: version.clone(), modified: WallTime::default() };
        self.kept.insert(key, stored);
        version
    }

    /// Everything that is stored: stores, their keys, their values.
    pub(crate) fn contents(&self) -> Value {
        let mut all = Map::new();
        for (key, stored) in &self.kept {
            let value = serde_json::from_str(&stored.record.value).unwrap_or(Value::Null);
            let records = all.entry(key.store.to_string()).or_insert_with(|| Value::Object(Map::new()));
            records[&*key.key] = value;
        }
        Value::Object(all)
    }
}
