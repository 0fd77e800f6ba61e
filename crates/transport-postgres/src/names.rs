//! Names and texts as the server takes them: without the character U+0000, and short where they name a channel.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use transport_traits::{Error, ErrorKind};

/// The longest name of a channel or table in bytes. Source: PostgreSQL documentation, "identifiers and key words".
const LONGEST: usize = 63;

/// The longest prefix in bytes, so that a channel named by a hash still fits.
const LONGEST_PREFIX: usize = 20;

/// How much of a hash stands in a channel's name. Nobody can find two topics with the same 20 bytes of SHA-256.
const HASH: usize = 20;

/// What stands before the code of a character that cannot stand for itself. Other text keeps its length.
const ESCAPE: char = '\u{1b}';

/// The text without U+0000, which PostgreSQL has in no text.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return text.into();
    }
    let escaped = |letter| match letter {
        '\0' => [Some(ESCAPE), Some('0')],
        ESCAPE => [Some(ESCAPE), Some('1')],
        other => [Some(other), None],
    };
    text.chars().flat_map(escaped).flatten().collect()
}

/// The text that was escaped. What others wrote without a code stays as it is.
pub(crate) fn unescape(escaped: &str) -> Cow<'_, str> {
    if !escaped.contains(ESCAPE) {
        return escaped.into();
    }
    let mut parts = escaped.split(ESCAPE);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (letter, rest) = match part.as_bytes().first() {
            Some(b'0') => ('\0', &part[1..]),
            Some(b'1') => (ESCAPE, &part[1..]),
            _ => (ESCAPE, part),
        };
        text.push(letter);
        text.push_str(rest);
    }
    text.into()
}

/// The channel of a topic: `nexus_TOPIC`, or the topic's hash where that would be too long.
pub(crate) fn channel(prefix: &str, topic: &str) -> Arc<str> {
    let plain = format!("{prefix}{}", escape(topic));
    if plain.len() <= LONGEST {
        return plain.into();
    }
    // No topic is escaped to this beginning.
    let mut name = format!("{prefix}{ESCAPE}#");
    for byte in &Sha256::digest(topic)[..HASH] {
        write!(name, "{byte:02x}").expect("a string takes everything");
    }
    name.into()
}

/// Whether tables and channels can be named with the prefix.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), Error> {
    if prefix.len() <= LONGEST_PREFIX && !prefix.contains(['\0', ESCAPE]) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!("a prefix of more than {LONGEST_PREFIX} bytes, or with U+0000"),
    ))
}

/// The name as SQL has it, whatever it consists of.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
