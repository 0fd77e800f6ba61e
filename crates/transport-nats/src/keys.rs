//! The names of subjects: readable where they can be, and reversible.

use std::sync::Arc;

use transport_traits::{Error, ErrorKind, RecordKey};

use crate::escape::{escape, unescape};

/// Marks an escaped byte. NATS allows it in the keys of a bucket, which `%` is not.
const MARK: char = '=';

/// The stream that holds a bucket (NATS ADR-8, "JetStream based Key-Value Stores").
pub(crate) fn stream(bucket: &str) -> String {
    format!("KV_{bucket}")
}

/// The subjects of everything in a bucket.
pub(crate) fn everything(bucket: &str) -> String {
    format!("$KV.{bucket}.>")
}

/// The subject that holds a record: `$KV.nexus.players.7`.
pub(crate) fn record(bucket: &str, key: &RecordKey) -> String {
    format!("$KV.{bucket}.{}.{}", token(&key.store), token(&key.key))
}

/// The subjects of all records of a store.
pub(crate) fn records(bucket: &str, store: &str) -> String {
    format!("$KV.{bucket}.{}.*", token(store))
}

/// The key of the record that `subject` holds, if it is one of the store's.
pub(crate) fn key_of(bucket: &str, store: &str, subject: &str) -> Option<Arc<str>> {
    let key = unescape(subject.strip_prefix(records(bucket, store).strip_suffix('*')?)?, MARK)?;
    // Others may have written the same key in another way, which is not where ours is looked for.
    let ours = record(bucket, &RecordKey::new(store, key.as_str())) == subject;
    ours.then(|| key.into())
}

/// The subject of a topic: `nexus.news`.
pub(crate) fn topic(prefix: &str, topic: &str) -> String {
    format!("{prefix}{}", token(topic))
}

/// A name as one token of a subject.
fn token(name: &str) -> String {
    escape(name, MARK, is_plain)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Checks what the names of all subjects are built on.
pub(crate) fn check(prefix: &str, bucket: &str) -> Result<(), Error> {
    let tokens = |text: &str| text.split('.').all(|token| !token.is_empty() && token.bytes().all(is_plain));
    let prefix_holds = prefix.is_empty() || tokens(prefix.strip_suffix('.').unwrap_or(prefix));
    if prefix_holds && tokens(bucket) && !bucket.contains('.') {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, "a prefix or bucket with characters beyond a-z, A-Z, 0-9, - and _"))
}

#[cfg(test)]
mod tests;
