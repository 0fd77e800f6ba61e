//! What is refused before it is sent.

use serde_json::{Map, Value};
use transport_traits::limits::SizeLimit;
use transport_traits::{Error, ErrorKind, Record, RecordKey, StoreLimits};

pub(crate) fn key(limits: &StoreLimits, key: &RecordKey) -> Result<(), Error> {
    name("store name", limits.store_name, &key.store)?;
    name("key", limits.key, &key.key)
}

/// Checks a name: of a store, a record or a topic.
pub(crate) fn name(what: &str, limit: Option<SizeLimit>, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, format!("an empty {what}")));
    }
    size(what, limit, name.as_bytes())
}

pub(crate) fn size(what: &str, limit: Option<SizeLimit>, data: &[u8]) -> Result<(), Error> {
    limit.map_or(Ok(()), |limit| limit.check(what, data))
}

pub(crate) fn record(limits: &StoreLimits, record: &Record) -> Result<(), Error> {
    size("value", limits.value, record.value.as_bytes())?;
    size("metadata", limits.metadata, record.metadata.as_bytes())?;
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if !record.metadata.bytes().all(plain) {
        return Err(Error::new(ErrorKind::Invalid, "metadata that is not plain printable ASCII"));
    }
    match serde_json::from_str::<Map<String, Value>>(&record.value) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(Error::new(ErrorKind::Invalid, "a value that is no JSON object").with_source(error))
        }
    }
}
