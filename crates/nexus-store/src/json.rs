//! JSON values compared, measured and hashed by what they mean, whatever the order of their members.

use std::io;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::Object;
use crate::names::Names;

/// The deepest nesting of a value: what is deeper could be written, but not read again, since `serde_json`
/// reads 128 levels and the record itself is one.
pub(crate) const MAX_DEPTH: usize = 120;

/// A number by its value: `1` and `1.0` are one, as they are to every store that keeps JSON parsed.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Canonical {
    Integer(i128),
    Float(f64),
}

/// Integers that every double represents exactly lie within ±2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Canonical {
    pub(crate) fn of(number: &Number) -> Self {
        if let Some(integer) = number.as_i128() {
            return Self::Integer(integer);
        }
        let float = number.as_f64().unwrap_or(f64::MAX);
        if float.fract() == 0.0 && float.abs() <= EXACT {
            return Self::Integer(float as i128);
        }
        Self::Float(float)
    }

    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }
}

/// Whether two values mean the same.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Canonical::of(a) == Canonical::of(b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Whether two objects mean the same.
pub(crate) fn same_object(a: &Object, b: &Object) -> bool {
    let same_member =
        |((a, one), (b, other)): ((_, &Arc<Value>), (_, &Arc<Value>))| a == b && same(one, other);
    a.len() == b.len() && a.iter().zip(b).all(same_member)
}

/// Whether two fields mean the same; `None` is a field that is not there.
pub(crate) fn same_field(a: Option<&Arc<Value>>, b: Option<&Arc<Value>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || same(a, b),
        (None, None) => true,
        _ => false,
    }
}

/// Whether arrays and objects are nested deeper than [`MAX_DEPTH`].
pub(crate) fn is_too_deep(value: &Value) -> bool {
    fn deeper_than(value: &Value, left: usize) -> bool {
        match value {
            Value::Array(_) | Value::Object(_) if left == 0 => true,
            Value::Array(items) => items.iter().any(|value| deeper_than(value, left - 1)),
            Value::Object(members) => members.values().any(|value| deeper_than(value, left - 1)),
            _ => false,
        }
    }
    deeper_than(value, MAX_DEPTH)
}

/// The length of the JSON text of a value or number, in bytes.
pub(crate) fn text_len(value: &impl serde::Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).expect("JSON has a text, and counting cannot fail");
    count.0
}

/// About the bytes that a value takes in memory: its own place, and what it allocates.
pub(crate) fn memory(value: &Value) -> usize {
    let members = |map: &Map<String, Value>| -> usize {
        map.iter().map(|(name, value)| size_of::<String>() + name.len() + memory(value)).sum()
    };
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(memory).sum(),
            Value::Object(map) => members(map) * 3 / 2, // Nodes of a tree are about two thirds full.
        }
}

/// Reads a record's value: an object, or the empty array, as which some languages write an empty object.
pub(crate) fn parse_object(text: &str) -> Result<Object, String> {
    parse_sharing(text, &mut Names::new())
}

/// The same, with names that are shared between records.
pub(crate) fn parse_sharing(text: &str, names: &mut Names) -> Result<Object, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => {
            Ok(members.into_iter().map(|(name, value)| (names.share(&name), Arc::new(value))).collect())
        }
        Ok(Value::Array(items)) if items.is_empty() => Ok(Object::new()),
        Ok(_) => Err("the value is no JSON object".to_owned()),
        Err(error) => Err(format!("the value is no JSON: {error}")),
    }
}

/// The text of a record's value.
pub(crate) fn to_text(object: &Object) -> String {
    serde_json::to_string(object).expect("a map from strings to JSON values has a text")
}

/// FNV-1a over 64 bits (Fowler, Noll, Vo: draft-eastlake-fnv): for telling states apart, not for security.
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Text with its length, so that no two sequences of texts hash alike by moving a border.
    pub(crate) fn write_text(&mut self, text: &str) {
        self.write(&(text.len() as u64).to_le_bytes());
        self.write(text.as_bytes());
    }

    pub(crate) fn write_object(&mut self, object: &Object) {
        self.write(b"{");
        for (name, value) in object {
            self.write_text(name);
            self.write_value(value);
        }
        self.write(b"}");
    }

    fn write_value(&mut self, value: &Value) {
        match value {
            Value::Null => self.write(b"n"),
            Value::Bool(truth) => self.write(if *truth { b"t" } else { b"f" }),
            Value::Number(number) => self.write_number(number),
            Value::String(text) => {
                self.write(b"s");
                self.write_text(text);
            }
            Value::Array(items) => {
                self.write(b"[");
                items.iter().for_each(|item| self.write_value(item));
                self.write(b"]");
            }
            Value::Object(members) => self.write_members(members),
        }
    }

    fn write_number(&mut self, number: &Number) {
        match Canonical::of(number) {
            Canonical::Integer(integer) => {
                self.write(b"i");
                self.write(&integer.to_le_bytes());
            }
            Canonical::Float(float) => {
                self.write(b"d");
                self.write(&float.to_bits().to_le_bytes());
            }
        }
    }

    fn write_members(&mut self, members: &Map<String, Value>) {
        let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
        sorted.sort_unstable_by_key(|(name, _)| *name);
        self.write(b"{");
        for (name, value) in sorted {
            self.write_text(name);
            self.write_value(value);
        }
        self.write(b"}");
    }

    pub(crate) const fn finish(self) -> u64 {
        self.0
    }
}
