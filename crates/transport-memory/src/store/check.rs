//! Whether a name or a record is one that the store takes at all.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
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
    if !record.metadata.bytes().all(is_plain) {
        return Err(Error::new(ErrorKind::Invalid, "metadata that is not plain printable ASCII"));
    }
    check_object(&record.value)
}

fn check_size(what: &str, text: &str, limit: Option<SizeLimit>) -> Result<(), Error> {
    limit.map_or(Ok(()), |limit| limit.check(what, text.as_bytes()))
}

/// Whether the byte may stand in metadata, as [`Record::metadata`] has it.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// One pass over the text, which builds nothing.
fn check_object(value: &str) -> Result<(), Error> {
    let invalid = || Error::new(ErrorKind::Invalid, "a value that is no JSON object");
    serde_json::from_str::<Readable>(value).map_err(|error| invalid().with_source(error))?;
    // JSON's own white space, which is less than Unicode's; the parser has seen that nothing else is there.
    if value.trim_ascii_start().starts_with('{') { Ok(()) } else { Err(invalid()) }
}

/// JSON that was read to its depth and thrown away. Unlike `IgnoredAny` it has the parser look at what strings and
/// numbers mean and at how deep they lie, so what it takes every reader can take, as [`Record::value`] demands.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
