//! Whether a text is a JSON object that every reader can take.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use transport_traits::{Error, ErrorKind};

/// One pass over the text, which builds nothing.
pub(crate) fn check_object(value: &str) -> Result<(), Error> {
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
