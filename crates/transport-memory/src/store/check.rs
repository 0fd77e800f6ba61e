//! Whether a name or a record is one that the store takes at all.

use serde::de::IgnoredAny;
use transport_traits::limits::SizeLimit;
use transport_traits::{Error, ErrorKind, Record, RecordKey, StoreLimits};

pub(super) fn check_key(limits: &StoreLimits, key: &RecordKey) -> Result<(), Error> {
    check_name("store name", &key.store, limits.store_name)?;
    check_name("key", &key.key, limits.key)
}

pub(super) fn check_name(what: &str, name: &str, limit: Option<SizeLimit>) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, format!("an empty {what}")));
    }
    check_size(what, name, limit)
}

pub(super) fn check_record(limits: &StoreLimits, record: &Record) -> Result<(), Error> {
    check_size("value", &record.value, limits.value)?;
    check_size("metadata", &record.metadata, limits.metadata)?;
    check_object(&record.value)
}

fn check_size(what: &str, text: &str, limit: Option<SizeLimit>) -> Result<(), Error> {
    limit.map_or(Ok(()), |limit| limit.check(what, text.as_bytes()))
}

/// One pass over the text, which builds nothing.
fn check_object(value: &str) -> Result<(), Error> {
    let invalid = || Error::new(ErrorKind::Invalid, "a value that is no JSON object");
    serde_json::from_str::<IgnoredAny>(value).map_err(|error| invalid().with_source(error))?;
    // JSON's own white space, which is less than Unicode's; the parser has seen that nothing else is there.
    if value.trim_ascii_start().starts_with('{') { Ok(()) } else { Err(invalid()) }
}
