//! What errors of SQLite's mean at the port.

use std::sync::Arc;

use rusqlite::{Error as SqliteError, ErrorCode};
use transport_traits::{Error, ErrorKind, RecordKey};

/// The error of a read.
pub(crate) fn unread(what: &str, error: SqliteError) -> Error {
    Error::new(kind(&error), format!("reading {what}")).with_source(error)
}

/// The error of a write that surely did not happen.
pub(crate) fn unwritten(key: &RecordKey, error: &Arc<SqliteError>) -> Error {
    let kind = match kind(error) {
        // What the write found was not understood, but nobody asked it to read.
        ErrorKind::Malformed => ErrorKind::Unavailable,
        other => other,
    };
    Error::new(kind, format!("writing {key}")).with_source(Arc::clone(error))
}

/// The error of a write that may have happened.
pub(crate) fn unknown(key: &RecordKey, error: &Arc<SqliteError>) -> Error {
    Error::new(ErrorKind::Unknown, format!("writing {key}")).with_source(Arc::clone(error))
}

/// The error of every call after the end.
pub(crate) fn closed(what: &str) -> Error {
    Error::new(ErrorKind::Closed, format!("{what}: the store was closed"))
}

fn kind(error: &SqliteError) -> ErrorKind {
    match error {
        SqliteError::SqliteFailure(failure, _) => kind_of_code(failure.code),
        // Somebody wrote what we never write: another type in a column, no array of users, text that is
        // not UTF-8, no counter.
        _ => ErrorKind::Malformed,
    }
}

fn kind_of_code(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            ErrorKind::Denied
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => ErrorKind::Malformed,
        // Busy, full, out of memory, a failed read or write of the file system.
        _ => ErrorKind::Unavailable,
    }
}
