//! Entries by key, where there are many whose keys lie anywhere in memory.

#[cfg(test)]
mod tests;

use crate::events::Entry;

/// The entries in the order of their keys, of which there is one each.
///
/// The keys of a pool mostly begin alike and differ soon behind. So the eight bytes behind what all have in common are
/// read once and decide nearly all comparisons, where each would have to fetch two keys from anywhere in memory. (Poor
/// man's normalized keys in Graefe: Implementing sorting in database systems, 2006.)
pub(crate) fn by_key<T>(entries: Vec<Entry<T>>) -> Vec<Entry<T>> {
    let Some((first, rest)) = entries.split_first() else { return entries };
    let first = first.key.as_bytes();
    let common = rest.iter().fold(first.len(), |most, entry| common(&first[..most], entry.key.as_bytes()));
    let with_word = |entry: Entry<T>| (word(&entry.key.as_bytes()[common..]), entry);
    let mut entries: Vec<_> = entries.into_iter().map(with_word).collect();
    entries.sort_unstable_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.key.cmp(&right.key)));
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// How many bytes two texts begin with alike.
fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

/// The first eight bytes as a number of the same order, zeros behind shorter ones.
fn word(text: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = text.len().min(8);
    bytes[..length].copy_from_slice(&text[..length]);
    u64::from_be_bytes(bytes)
}
