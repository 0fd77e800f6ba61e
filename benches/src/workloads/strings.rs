//! Plain strings of random length.

use std::ops::RangeInclusive;

use transport_traits::Topic;

use super::Message;

/// Without anything that JSON escapes.
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789 ";

/// Texts with lengths spread evenly over `lengths`, in bytes, of letters, digits and spaces. Each goes to one of `topics`
/// inner topics `T0`, `T1`, …, drawn evenly.
#[must_use]
pub fn strings(seed: u64, count: usize, lengths: RangeInclusive<usize>, topics: usize) -> Vec<Message> {
    let mut random = fastrand::Rng::with_seed(seed);
    let topics: Vec<Topic> = (0..topics).map(|number| format!("T{number}").into()).collect();
    let message = |_| {
        let topic = topics[random.usize(..topics.len())].clone();
        let len = random.usize(lengths.clone());
        let text = (0..len).map(|_| char::from(ALPHABET[random.usize(..ALPHABET.len())])).collect();
        Message { topic, text }
    };
    (0..count).map(message).collect()
}
