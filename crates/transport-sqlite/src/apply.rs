//! One write inside a transaction: the precondition, the history, the record.

use rusqlite::{Connection, OptionalExtension, Result, params};
use transport_traits::{Precondition, Record, RecordKey, WallTime};

use crate::write::{Change, Outcome, Write};

const COUNTER: &str = "SELECT last_version FROM counter";
const COUNT: &str = "UPDATE counter SET last_version = ?1";
const PRESENT: &str = "SELECT version FROM records WHERE store = ?1 AND key = ?2";
const PUT: &str = "
    INSERT INTO records (store, key, value, metadata, users, version, modified)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (store, key) DO UPDATE SET
        value = excluded.value, metadata = excluded.metadata, users = excluded.users,
        version = excluded.version, modified = excluded.modified";
const DELETE: &str = "DELETE FROM records WHERE store = ?1 AND key = ?2";
const KEEP: &str = "
    INSERT INTO history (version, store, key, value, metadata, users, modified)
    SELECT version, store, key, value, metadata, users, modified FROM records WHERE store = ?1 AND key = ?2";
const KEEP_DELETION: &str = "INSERT INTO history (version, store, key, modified) VALUES (?1, ?2, ?3, ?4)";
const PRUNE: &str = "
    DELETE FROM history WHERE store = ?1 AND key = ?2 AND version <= (
        SELECT version FROM history WHERE store = ?1 AND key = ?2 ORDER BY version DESC LIMIT 1 OFFSET ?3)";

/// The writes of one open transaction.
///
/// All of them bear one time. A version is the number after the last one, or the microseconds of that time if
/// they are more: so versions do not repeat after the file was replaced by an older copy either.
pub(crate) struct Batch<'a> {
    transaction: &'a Connection,
    history_versions: u32,
    now: i64,
    counter: i64,
    last_version: i64,
}

impl<'a> Batch<'a> {
    /// Begins with what the file has for a counter.
    pub(crate) fn begin(transaction: &'a Connection, history_versions: u32) -> Result<Self> {
        let counter = transaction.prepare_cached(COUNTER)?.query_one((), |row| row.get(0))?;
        let now = i64::try_from(WallTime::from_system_clock().as_micros()).unwrap_or(0);
        Ok(Self { transaction, history_versions, now, counter, last_version: counter })
    }

    /// Does one write, if its precondition holds.
    pub(crate) fn apply(&mut self, write: &Write) -> Result<Outcome> {
        let Write { key, change, precondition } = write;
        let present = self.present(key)?;
        if !holds(precondition, present) {
            return Ok(Outcome::Conflict);
        }
        match (change, present) {
            (Change::Put(record), _) => self.put(key, record, present.is_some()),
            (Change::Delete, Some(_)) => self.delete(key),
            (Change::Delete, None) => Ok(Outcome::Unchanged),
        }
    }

    /// Puts the counter back, unless nothing changed. The transaction may be committed then.
    pub(crate) fn finish(self) -> Result<()> {
        if self.last_version == self.counter {
            return Ok(());
        }
        self.transaction.prepare_cached(COUNT)?.execute([self.last_version]).map(drop)
    }

    fn present(&self, key: &RecordKey) -> Result<Option<i64>> {
        let mut statement = self.transaction.prepare_cached(PRESENT)?;
        statement.query_row(params![key.store, key.key], |row| row.get(0)).optional()
    }

    fn put(&mut self, key: &RecordKey, record: &Record, replaces: bool) -> Result<Outcome> {
        if replaces {
            self.keep(key)?;
        }
        let version = self.next_version()?;
        let users = users_as_json(record)?;
        let (value, metadata) = (&record.value, &record.metadata);
        let mut statement = self.transaction.prepare_cached(PUT)?;
        statement.execute(params![key.store, key.key, value, metadata, users, version, self.now])?;
        self.prune(key)?;
        Ok(Outcome::Changed(version))
    }

    fn delete(&mut self, key: &RecordKey) -> Result<Outcome> {
        self.keep(key)?;
        let version = self.next_version()?;
        self.transaction.prepare_cached(DELETE)?.execute(params![key.store, key.key])?;
        let mut statement = self.transaction.prepare_cached(KEEP_DELETION)?;
        statement.execute(params![version, key.store, key.key, self.now])?;
        self.prune(key)?;
        Ok(Outcome::Changed(version))
    }

    fn keep(&self, key: &RecordKey) -> Result<()> {
        if self.history_versions == 0 {
            return Ok(());
        }
        self.transaction.prepare_cached(KEEP)?.execute(params![key.store, key.key]).map(drop)
    }

    fn prune(&self, key: &RecordKey) -> Result<()> {
        let mut statement = self.transaction.prepare_cached(PRUNE)?;
        statement.execute(params![key.store, key.key, self.history_versions]).map(drop)
    }

    fn next_version(&mut self) -> Result<i64> {
        let next = self.last_version.checked_add(1);
        let next = next.ok_or(rusqlite::Error::IntegralValueOutOfRange(0, self.last_version))?;
        self.last_version = next.max(self.now);
        Ok(self.last_version)
    }
}

fn holds(precondition: &Precondition, present: Option<i64>) -> bool {
    match precondition {
        Precondition::Always => true,
        Precondition::Absent => present.is_none(),
        Precondition::Is(version) => present.is_some_and(|present| present.to_string() == version.as_str()),
    }
}

fn users_as_json(record: &Record) -> Result<String> {
    let users: Vec<&str> = record.users.iter().map(|user| &**user).collect();
    serde_json::to_string(&users).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
