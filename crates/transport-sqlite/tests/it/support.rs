//! What the tests share: a store in a folder of its own, and looking at the file from outside.

use std::path::{Path, PathBuf};

use futures::executor::block_on;
use tempfile::TempDir;
use transport_sqlite::{Options, SqliteStore};
use transport_traits::{DataStore, Error, Precondition, Record, RecordKey, Stored, Version};

/// A folder that is removed in the end, with a name for a file in it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saves.sqlite");
        Self { folder, path }
    }

    /// The file as any other program sees it.
    pub(crate) fn outside(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.path).unwrap()
    }

    /// The first column of the first row of an outside query.
    pub(crate) fn ask<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.outside().query_row(sql, (), |row| row.get(0)).unwrap()
    }

    pub(crate) fn check_integrity(&self) {
        assert_eq!(self.ask::<String>("PRAGMA integrity_check"), "ok");
    }
}

/// A store with this configuration, in a place of its own.
pub(crate) fn store_with(options: Options) -> (Place, SqliteStore) {
    let place = Place::new();
    let store = options.open(&place.path).unwrap();
    (place, store)
}

pub(crate) fn store() -> (Place, SqliteStore) {
    store_with(Options::default())
}

pub(crate) fn key(name: &str) -> RecordKey {
    RecordKey::new("store", name)
}

/// A record that holds one number.
pub(crate) fn number(n: u64) -> Record {
    Record::new(format!(r#"{{"n":{n}}}"#))
}

/// A record of about so many bytes.
pub(crate) fn bulky(bytes: usize) -> Record {
    Record::new(format!(r#"{{"pad":"{}"}}"#, "x".repeat(bytes)))
}

pub(crate) fn put(store: &SqliteStore, name: &str, record: Record) -> Result<Version, Error> {
    block_on(store.put(key(name), record, Precondition::Always))
}

/// The number in a record; 0 if there is none.
pub(crate) fn number_of(store: &SqliteStore, name: &str) -> u64 {
    let stored = block_on(store.get(key(name))).unwrap();
    stored.as_ref().map_or(0, number_in)
}

/// The number in what was read.
pub(crate) fn number_in(stored: &Stored) -> u64 {
    let value: serde_json::Value = serde_json::from_str(&stored.record.value).unwrap();
    value["n"].as_u64().unwrap()
}

/// The names of the files in a folder.
pub(crate) fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
