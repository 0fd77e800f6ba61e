//! What the ledger finds in records that were never stored.

use serde_json::Map;

use super::*;

const LIFE: u64 = 3;

/// Operations that the life was told to be accepted.
const ACCEPTED: i64 = 10;

/// What one write makes of a record.
#[derive(Clone)]
enum Write {
    Add(String, i64),
    Put(String, Option<i64>),
}

fn key() -> RecordKey {
    RecordKey::new("players", "0")
}

/// The writes of the first operations, in their order.
fn writes(operations: i64) -> Vec<Write> {
    let of = |number: i64| {
        [
            Write::Add(sum(LIFE), number),
            Write::Add(own(LIFE), 1),
            Write::Add(SHARED.to_owned(), 1),
            Write::Put(last(LIFE), Some(number)),
            Write::Put(high(LIFE), Some(number)),
            Write::Put(odd(LIFE), (number % 2 == 1).then_some(number)),
        ]
    };
    (1..=operations).flat_map(of).collect()
}

fn stored(writes: &[Write]) -> Value {
    let mut stored = Map::new();
    for write in writes {
        let (field, value) = match write {
            Write::Add(field, by) => {
                (field, Some(stored.get(field).and_then(Value::as_i64).unwrap_or(0) + by))
            }
            Write::Put(field, value) => (field, *value),
        };
        match value {
            Some(value) => drop(stored.insert(field.clone(), value.into())),
            None => drop(stored.remove(field)),
        }
    }
    stored.into()
}

/// Whether anything is wrong with what is left of a life that crashed and was never told that anything is durable.
fn is_found(writes: &[Write]) -> bool {
    let mut ledger = Ledger::default();
    ledger.account(LIFE, &key()).accepted = ACCEPTED;
    ledger.crashed(LIFE);
    let stored = stored(writes);
    !ledger.check(&key(), &stored).is_empty() || ledger.check_prefix(&key(), &stored).is_some()
}

#[test]
fn any_beginning_of_what_a_crashed_life_wrote_may_survive() {
    let all = writes(ACCEPTED);
    assert!((0..=all.len()).all(|count| !is_found(&all[..count])));
    assert!(is_found(&writes(ACCEPTED + 1)), "it was not told that much was accepted");
}

#[test]
fn of_what_a_crashed_life_wrote_nothing_may_be_missing_in_the_middle() {
    for operations in 1..ACCEPTED {
        let all = writes(operations);
        // What is overwritten by the next leaves no trace.
        let adds = (0..all.len()).filter(|&at| matches!(all[at], Write::Add(..)));
        for at in adds.filter(|at| *at < all.len() - 6) {
            assert!(
                is_found(&[&all[..at], &all[at + 1..]].concat()),
                "write {at} of {operations} operations"
            );
        }
    }
}

#[test]
fn what_a_crashed_life_added_may_not_count_twice() {
    for operations in 1..ACCEPTED {
        let all = writes(operations);
        for twice in all.iter().filter(|write| matches!(write, Write::Add(..))) {
            let found = is_found(&[&all[..], std::slice::from_ref(twice)].concat());
            assert!(found, "{:?} after {operations} operations", stored(std::slice::from_ref(twice)));
        }
    }
}
