//! Texts that are hard on JSON: of every two characters one is escaped.

use fastrand::Rng;

use super::Message;

/// What JSON writes in two characters, what it writes in six, and what takes several bytes and is written as it is.
const HARD: [char; 8] = ['"', '\\', '\n', '\t', '"', '\u{1}', 'é', '日'];

/// Texts of 10 to 50 characters that alternate between a letter and one of eight others: quotation marks (two of eight),
/// backslash, line break, tab, a control character, and letters of two and three bytes. All go to the inner topic `T0`.
#[must_use]
pub fn escapes(seed: u64, count: usize) -> Vec<Message> {
    let mut random = Rng::with_seed(seed);
    (0..count).map(|_| Message { topic: "T0".into(), text: text(&mut random) }).collect()
}

fn text(random: &mut Rng) -> String {
    let characters = random.usize(10..=50);
    let character =
        |number| if number % 2 == 0 { random.lowercase() } else { HARD[random.usize(..HARD.len())] };
    (0..characters).map(character).collect()
}
