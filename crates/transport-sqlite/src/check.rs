//! What is refused before it reaches the file.

use serde_json::{Map, Value};
use transport_traits::limits::SizeLimit;
use transport_traits::{Error, ErrorKind, Record, RecordKey, StoreLimits};

/// SQLite's own limit of a row is 1,000,000,000 bytes; this leaves room for what goes with it.
/// Source: <https://www.sqlite.org/limits.html>, "maximum length of a string or BLOB".
const ROW: SizeLimit = SizeLimit::bytes(999_000_000);

/// Checks the name of a store.
pub(crate) fn store_name(limits: &StoreLimits, store: &str) -> Result<(), Error> {
    name("store name", limits.store_name, store)
}

/// Checks the name of a record.
pub(crate) fn key(limits: &StoreLimits, key: &RecordKey) -> Result<(), Error> {
    store_name(limits, &key.store)?;
    name("key", limits.key, &key.key)
}

/// Checks what a record shall hold.
pub(crate) fn record(limits: &StoreLimits, record: &Record) -> Result<(), Error> {
    within("value", limits.value, &record.value)?;
    within("metadata", limits.metadata, &record.metadata)?;
    row(record)?;
    if !record.metadata.bytes().all(is_plain) {
        return Err(Error::new(ErrorKind::Invalid, "metadata is not plain printable ASCII"));
    }
    match serde_json::from_str::<Map<String, Value>>(&record.value) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new(ErrorKind::Invalid, "the value is no JSON object").with_source(error)),
    }
}

fn name(what: &str, limit: Option<SizeLimit>, text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, format!("the {what} is empty")));
    }
    within(what, limit, text)
}

fn within(what: &str, limit: Option<SizeLimit>, text: &str) -> Result<(), Error> {
    limit.map_or(Ok(()), |limit| limit.check(what, text.as_bytes()))
}

fn row(record: &Record) -> Result<(), Error> {
    let users: usize = record.users.iter().map(|user| user.len()).sum();
    let size = record.value.len() + record.metadata.len() + users;
    if size <= ROW.max {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TooLarge { size, limit: ROW.max }, "record"))
}

/// Whether the byte may stand in metadata, as [`Record::metadata`] has it.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}
