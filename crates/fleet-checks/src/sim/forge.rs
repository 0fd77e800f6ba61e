//! What a machine with a planted bug would have read: messages and metadata with something left out.

use bytes::Bytes;
use serde_json::Value;

/// The metadata of a stored record, without what it says of applied operations: `N1`, an epoch of 8 characters, five
/// numbers, and then a count of writers that is zero.
pub(super) fn without_writers(metadata: &str) -> String {
    const LEAD: usize = 2 + 8;
    // The last symbol of a number is one of the first 32 of the alphabet.
    let is_last = |symbol: u8| symbol.is_ascii_uppercase() || (b'a'..=b'f').contains(&symbol);
    let ends = metadata.bytes().enumerate().skip(LEAD).filter(|(_, symbol)| is_last(*symbol));
    let fifth = ends.map(|(place, _)| place).nth(4);
    fifth.map_or(metadata.to_owned(), |fifth| format!("{}A", &metadata[..=fifth]))
}

/// A message of save data in which no operation has a predecessor: `[1, writer, epoch, [[sequence, pred, …], …], …]`.
pub(super) fn without_predecessors(message: &Bytes) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<Value>(message) else { return message.clone() };
    let operations = value.get_mut(3).and_then(Value::as_array_mut).into_iter().flatten();
    operations.filter_map(|operation| operation.get_mut(1)).for_each(|pred| *pred = Value::from(0));
    value.to_string().into()
}

/// The server that a pool's frame is from: `[1, kind, server, …]`.
pub(super) fn sender_of(frame: &Bytes) -> Option<String> {
    let value = serde_json::from_slice::<Value>(frame).ok()?;
    Some(value.get(2)?.as_str()?.to_owned())
}
