//! The names of Redis keys: readable, reversible, and with all keys of one record in one slot of a cluster.

use std::sync::Arc;

use transport_traits::RecordKey;

/// The hash that holds a record: `nexus:{players:7}`. What stands in braces decides the slot (Redis Cluster
/// specification, "hash tags").
pub(crate) fn record(prefix: &str, key: &RecordKey) -> String {
    format!("{}{}}}", stem(prefix, &key.store), escape(&key.key))
}

/// The list of its past states, in the same slot.
pub(crate) fn history(prefix: &str, key: &RecordKey) -> String {
    record(prefix, key) + ":history"
}

/// What the keys of all records of a store begin with.
fn stem(prefix: &str, store: &str) -> String {
    format!("{prefix}{{{}:", escape(store))
}

/// The pattern of the keys of a store's records that begin with `wanted`, for `SCAN`.
pub(crate) fn pattern(prefix: &str, store: &str, wanted: &str) -> String {
    format!("{}*}}", glob(&format!("{}{}", stem(prefix, store), escape(wanted))))
}

/// The key of the record that is held by `name`, if it is one of the store's.
pub(crate) fn key_of(prefix: &str, store: &str, name: &[u8]) -> Option<Arc<str>> {
    let name = std::str::from_utf8(name).ok()?;
    let escaped = name.strip_prefix(&stem(prefix, store))?.strip_suffix('}')?;
    unescape(escaped).map(Arc::from)
}

/// The name with the characters that have a meaning in ours replaced by `%` and two hexadecimal digits.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '%' => escaped.push_str("%25"),
            ':' => escaped.push_str("%3A"),
            '{' => escaped.push_str("%7B"),
            '}' => escaped.push_str("%7D"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The name that was escaped; `None` if it is none of ours.
fn unescape(escaped: &str) -> Option<String> {
    let mut parts = escaped.split('%');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        name.push(match part.get(..2)? {
            "25" => '%',
            "3A" => ':',
            "7B" => '{',
            "7D" => '}',
            _ => return None,
        });
        name.push_str(&part[2..]);
    }
    Some(name)
}

/// The text as a pattern that matches it alone.
fn glob(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
