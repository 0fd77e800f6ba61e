//! Which of our servers wrote a record last: in its metadata, until an original wipes that.
//!
//! `o1` and up to a dozen marks, newest first, each after a dot: a writer in hexadecimal, a hyphen and its sequence. Each
//! write adds its own mark to those it found; the first in a row stands on a root, which names the version it found.
//! So a write whose outcome is unknown happened if its mark is there; and it did not, and never will, if what it was to
//! stand on is there without it, since its precondition no longer holds.

use transport_traits::{StoreLimits, Version};

use crate::json::Fnv;

const MAGIC: &str = "o1.";
const MOST: usize = 12;
/// No text is longer, whatever the store allows.
const LONGEST: usize = 300;

/// The marks of a state, newest first; never none.
pub(crate) fn read(metadata: &str, version: Option<&Version>) -> Vec<String> {
    let marks = metadata.strip_prefix(MAGIC).map(|marks| marks.split('.').map(str::to_owned).collect());
    marks.unwrap_or_else(|| vec![root(version)])
}

fn root(version: Option<&Version>) -> String {
    let mut hash = Fnv::new();
    hash.write_text(version.map_or("", Version::as_str));
    format!("r{:x}", hash.finish())
}

/// The mark of one write.
pub(crate) fn mark(writer: u64, sequence: u64) -> String {
    format!("{writer:x}-{sequence:x}")
}

/// The metadata of a write with this mark on a state with those.
pub(crate) fn write(mark: &str, before: &[String], limits: &StoreLimits) -> String {
    let longest = limits.metadata.map_or(LONGEST, |limit| limit.max.min(LONGEST));
    let mut text = format!("{MAGIC}{mark}");
    for older in before.iter().take(MOST - 1) {
        if text.len() + 1 + older.len() > longest {
            break;
        }
        text.push('.');
        text.push_str(older);
    }
    text
}
