//! The questions that readers ask.

use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, Error as SqliteError, OptionalExtension, Result, Row, params};
use transport_traits::{Record, RecordKey, Stored, Version, VersionInfo, WallTime};

const GET: &str = "
    SELECT value, metadata, users, version, modified FROM records WHERE store = ?1 AND key = ?2";
const GET_VERSION: &str = "
    SELECT value, metadata, users, version, modified FROM records
    WHERE store = ?1 AND key = ?2 AND version = ?3
    UNION ALL
    SELECT value, metadata, users, version, modified FROM history
    WHERE version = ?3 AND store = ?1 AND key = ?2 AND value IS NOT NULL";
const VERSIONS: &str = "
    SELECT version, modified, 0 FROM records WHERE store = ?1 AND key = ?2
    UNION ALL
    SELECT version, modified, value IS NULL FROM history WHERE store = ?1 AND key = ?2
    ORDER BY version DESC";
const KEYS: &str = "SELECT key FROM records WHERE store = ?1 AND key >= ?2 ORDER BY key LIMIT ?3";

/// Keys read at once: a long list holds no snapshot, so it keeps nothing from the log's end.
const PAGE: u16 = 256;

/// The present state of a record.
pub(crate) fn get(connection: &Connection, key: &RecordKey) -> Result<Option<Stored>> {
    connection.prepare_cached(GET)?.query_row(params![key.store, key.key], stored).optional()
}

/// A present or past state of a record.
pub(crate) fn get_version(
    connection: &Connection,
    key: &RecordKey,
    version: &Version,
) -> Result<Option<Stored>> {
    let number = version.as_str().parse::<i64>().ok().filter(|n| n.to_string() == version.as_str());
    let Some(number) = number else { return Ok(None) };
    let mut statement = connection.prepare_cached(GET_VERSION)?;
    statement.query_row(params![key.store, key.key, number], stored).optional()
}

/// The states of a record, latest first.
pub(crate) fn versions(connection: &Connection, key: &RecordKey) -> Result<Vec<VersionInfo>> {
    let mut statement = connection.prepare_cached(VERSIONS)?;
    let rows = statement.query_map(params![key.store, key.key], |row| {
        Ok(VersionInfo { version: version(row, 0)?, modified: time(row, 1)?, deleted: row.get(2)? })
    })?;
    rows.collect()
}

/// A listing on its way through the keys.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    store: Arc<str>,
    prefix: Arc<str>,
    /// The least text that the next key may be.
    from: Arc<str>,
}

impl Cursor {
    pub(crate) fn new(store: Arc<str>, prefix: Arc<str>) -> Self {
        Self { store, from: prefix.clone(), prefix }
    }

    pub(crate) fn store(&self) -> &Arc<str> {
        &self.store
    }

    /// The next keys in the order of their bytes, and where to go on if there may be more.
    ///
    /// In that order the keys with a prefix follow each other, beginning with the prefix itself; so none of
    /// its characters has a meaning.
    pub(crate) fn next(mut self, connection: &Connection) -> Result<(Vec<Arc<str>>, Option<Self>)> {
        let mut statement = connection.prepare_cached(KEYS)?;
        let rows = statement.query_map(params![self.store, self.from, PAGE], |row| row.get(0))?;
        let mut keys: Vec<Arc<str>> = rows.collect::<Result<_>>()?;
        let found = keys.len();
        keys.truncate(keys.partition_point(|key| key.starts_with(&*self.prefix)));
        match keys.last() {
            Some(last) if keys.len() == found && found == usize::from(PAGE) => {
                self.from = format!("{last}\0").into();
                Ok((keys, Some(self)))
            }
            _ => Ok((keys, None)),
        }
    }
}

/// The name of a state: its number in digits.
pub(crate) fn version_name(number: i64) -> Version {
    Version::new(number.to_string())
}

fn stored(row: &Row<'_>) -> Result<Stored> {
    let users: Vec<String> = serde_json::from_str(row.get_ref(2)?.as_str()?)
        .map_err(|error| SqliteError::FromSqlConversionFailure(2, Type::Text, error.into()))?;
    let record = Record::new(row.get::<_, Arc<str>>(0)?)
        .with_metadata(row.get::<_, Arc<str>>(1)?)
        .with_users(users.into_iter().map(Arc::from));
    Ok(Stored { record, version: version(row, 3)?, modified: time(row, 4)? })
}

fn version(row: &Row<'_>, column: usize) -> Result<Version> {
    row.get(column).map(version_name)
}

fn time(row: &Row<'_>, column: usize) -> Result<WallTime> {
    let micros: i64 = row.get(column)?;
    let micros = u64::try_from(micros).map_err(|_| SqliteError::IntegralValueOutOfRange(column, micros))?;
    Ok(WallTime::from_micros(micros))
}
