//! What is refused before it is sent: names, sizes and records against limits and against the contract of the ports, and
//! times to wait.
//!
//! All errors are [`ErrorKind::Invalid`] or [`ErrorKind::TooLarge`], and name what they are about.

use std::time::Duration;

use transport_traits::limits::{Content, SizeLimit};
use transport_traits::{BusLimits, Error, ErrorKind, Record, RecordKey, StoreLimits};

use crate::json;

/// Checks the name of a record and of its store.
///
/// # Errors
/// If one is empty or over its limit.
pub fn key(limits: &StoreLimits, key: &RecordKey) -> Result<(), Error> {
    store_name(limits, &key.store)?;
    name("key", limits.key, &key.key)
}

/// Checks the name of a store.
///
/// # Errors
/// If it is empty or over its limit.
pub fn store_name(limits: &StoreLimits, store: &str) -> Result<(), Error> {
    name("store name", limits.store_name, store)
}

/// Checks a name; `what` says in errors what it is the name of.
///
/// # Errors
/// If it is empty or over its limit.
pub fn name(what: &str, limit: Option<SizeLimit>, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, format!("an empty {what}")));
    }
    size(what, limit, name.as_bytes())
}

/// Checks a size; `what` says in errors of what.
///
/// # Errors
/// If it is over its limit.
pub fn size(what: &str, limit: Option<SizeLimit>, data: &[u8]) -> Result<(), Error> {
    limit.map_or(Ok(()), |limit| limit.check(what, data))
}

/// Checks how long to wait for an answer.
///
/// # Errors
/// If it is zero: no answer comes at once.
pub fn timeout(timeout: Duration) -> Result<(), Error> {
    if timeout.is_zero() { Err(Error::new(ErrorKind::Invalid, "a timeout of zero")) } else { Ok(()) }
}

/// Checks the body of a message.
///
/// # Errors
/// If it is over its limit, or no text on a bus that carries text alone.
pub fn body(limits: &BusLimits, body: &[u8]) -> Result<(), Error> {
    size("body", limits.body, body)?;
    if limits.content == Content::Text
        && let Err(error) = std::str::from_utf8(body)
    {
        return Err(Error::new(ErrorKind::Invalid, "a body that is not text").with_source(error));
    }
    Ok(())
}

/// Checks what a record shall hold, as [`Record`] demands. One pass over the value, which builds nothing.
///
/// # Errors
/// If a part is over its limit, the metadata is not plain ASCII, or the value no JSON object that every reader can take.
pub fn record(limits: &StoreLimits, record: &Record) -> Result<(), Error> {
    size("value", limits.value, record.value.as_bytes())?;
    size("metadata", limits.metadata, record.metadata.as_bytes())?;
    if !record.metadata.bytes().all(is_plain) {
        return Err(Error::new(ErrorKind::Invalid, "metadata that is not plain printable ASCII"));
    }
    json::check_object(&record.value)
}

/// Whether the byte may stand in metadata, as [`Record::metadata`] has it.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}
