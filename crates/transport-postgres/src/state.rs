//! States of a record as the server gives them.

use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;
use transport_traits::{Error, ErrorKind, Record, Stored, Version, VersionInfo, WallTime};

use crate::names::unescape;

/// A state with its record: version, time, value, metadata, users.
pub(crate) fn stored(row: &Row) -> Result<Stored, Error> {
    let users: Vec<String> = column(row, 4)?;
    let users = users.iter().map(|user| Arc::from(unescape(user)));
    let record =
        Record::new(column::<String>(row, 2)?).with_metadata(column::<String>(row, 3)?).with_users(users);
    Ok(Stored { record, version: version(row)?, modified: modified(row)? })
}

/// A state without its record: version, time, whether it is a deletion.
pub(crate) fn info(row: &Row) -> Result<VersionInfo, Error> {
    Ok(VersionInfo { version: version(row)?, modified: modified(row)?, deleted: column(row, 2)? })
}

pub(crate) fn version(row: &Row) -> Result<Version, Error> {
    column::<String>(row, 0).map(Version::new)
}

/// Of the time before 1970 there is none.
fn modified(row: &Row) -> Result<WallTime, Error> {
    column::<i64>(row, 1).map(|micros| WallTime::from_micros(micros.try_into().unwrap_or(0)))
}

pub(crate) fn column<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T, Error> {
    row.try_get(at).map_err(|error| Error::new(ErrorKind::Malformed, "a row of the table").with_source(error))
}
