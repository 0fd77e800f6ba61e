//! What is in the file, and how to tell whose file it is.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::OpenError;

/// "Nexu" in ASCII: the mark of our files in the header of the database.
pub(crate) const APPLICATION_ID: i32 = 0x4e65_7875;

/// The version of the format below.
pub(crate) const FORMAT: i32 = 1;

/// `records` holds the present state of each record. `history` holds past states and deletions, which have
/// no value. Both name a state by a number of `counter`, which only grows. Times are microseconds since
/// 1970 UTC; `users` is a JSON array of strings.
///
/// Only what SQLite 3.7 knows is used, so that old programs can read the file.
const TABLES: &str = "
    CREATE TABLE records (
        store TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        metadata TEXT NOT NULL,
        users TEXT NOT NULL,
        version INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        PRIMARY KEY (store, key)
    );
    CREATE TABLE history (
        version INTEGER PRIMARY KEY,
        store TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT,
        metadata TEXT,
        users TEXT,
        modified INTEGER NOT NULL
    );
    CREATE INDEX history_by_record ON history (store, key, version);
    CREATE TABLE counter (last_version INTEGER NOT NULL);
    INSERT INTO counter VALUES (0);
    CREATE VIEW saves AS
        SELECT store, key, value AS json, version,
            strftime('%Y-%m-%dT%H:%M:%fZ', modified / 1000000.0, 'unixepoch') AS time
        FROM records;
";

/// Whose file it is.
pub(crate) enum Owner {
    /// Nobody's: there is nothing in it yet.
    Nobody,
    /// Ours, in a format that we know.
    Us,
}

/// Tells whose file it is, by its header.
pub(crate) fn owner(connection: &Connection, path: &Path) -> Result<Owner, OpenError> {
    let snapshot = connection.unchecked_transaction().map_err(|error| OpenError::of(path, error))?;
    owner_in(&snapshot, path)
}

/// The same within a transaction: others may be creating the file meanwhile, so all must be read at once.
fn owner_in(connection: &Transaction<'_>, path: &Path) -> Result<Owner, OpenError> {
    let number = |question| {
        let value: rusqlite::Result<i32> = connection.query_one(question, (), |row| row.get(0));
        value.map_err(|error| OpenError::of(path, error))
    };
    let application_id = number("PRAGMA application_id")?;
    let found = number("PRAGMA user_version")?;
    match application_id {
        APPLICATION_ID if found <= FORMAT => Ok(Owner::Us),
        APPLICATION_ID => Err(OpenError::TooNew { path: path.to_owned(), found, supported: FORMAT }),
        0 if found == 0 && number("SELECT count(*) FROM sqlite_master")? == 0 => Ok(Owner::Nobody),
        _ => Err(OpenError::Foreign { path: path.to_owned(), application_id }),
    }
}

/// Fills an empty file, unless another process is faster.
///
/// All in one transaction, so a process that dies in it leaves the file empty; and before the file gets a
/// write-ahead log, so that the marks are in the file itself from its first byte on.
pub(crate) fn create(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let at = |error| OpenError::of(path, error);
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate).map_err(at)?;
    if matches!(owner_in(&transaction, path)?, Owner::Us) {
        return Ok(());
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(at)?;
    transaction.pragma_update(None, "user_version", FORMAT).map_err(at)?;
    transaction.execute_batch(TABLES).map_err(at)?;
    transaction.commit().map_err(at)
}
