//! What a table makes of the hashes.

use std::collections::BTreeSet;

use super::KeyHasher;

#[test]
fn places_and_marks_differ_from_key_to_key() {
    let hasher = KeyHasher::default();
    let spread: Vec<u64> = (0..1_000).map(|key: u32| hasher.hash(&key.to_string()).spread()).collect();
    let different =
        |part: fn(u64) -> u64| spread.iter().map(|hash| part(*hash)).collect::<BTreeSet<_>>().len();
    // Of 128 marks and of a table's 1,024 places: hardly ever less than all, and than 580.
    let (marks, places) = (different(|hash| hash >> 57), different(|hash| hash & 1_023));
    assert!(marks > 100 && places > 500, "{marks} marks, {places} places");
}
