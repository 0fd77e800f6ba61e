//! What is found in logs that were never written.

use serde_json::json;
use transport_traits::{Instant, Record};

use super::*;

/// The seats' values after operations of two lives, of which the odd ones touch `seat1`.
const A1: i64 = 1_000_001;
const B1: i64 = 2_000_001;

fn key() -> RecordKey {
    RecordKey::new("players", "0")
}

/// A state: how many operations of each of the two lives are in it, and what is on the second seat.
fn state(operations: [i64; 2], seat1: Option<i64>) -> Value {
    let mut state = json!({ "own1": operations[0], "own2": operations[1] });
    let sums = operations.map(|count| count * (count + 1) / 2);
    (state["sum1"], state["sum2"]) = (sums[0].into(), sums[1].into());
    // The second operation of each takes the other seat.
    let taken = operations.iter().rposition(|count| *count >= 2);
    taken.into_iter().for_each(|life| state["seat0"] = value(life as u64 + 1, 2).into());
    seat1.into_iter().for_each(|value| state["seat1"] = value.into());
    state
}

/// What is found where the second life wrote these states, and saw this on `seat1` before its first operation.
fn check(seen: Option<i64>, states: &[Value]) -> Option<String> {
    check_by(HostId(2), seen, states)
}

fn check_by(by: HostId, seen: Option<i64>, states: &[Value]) -> Option<String> {
    let mut seats = Seats::default();
    for (life, seen) in [(1, None), (2, seen)] {
        [seen, None, None].into_iter().for_each(|seen| seats.note((HostId(life as u32), life), &key(), seen));
    }
    let commit = |state: &Value| {
        let record = Some(Record::new(state.to_string()));
        Commit { at: Instant::ZERO, by: Some(by), key: key(), record }
    };
    let commits: Vec<Commit> = states.iter().map(commit).collect();
    seats.check(&key(), &commits, &Ledger::default())
}

#[test]
fn a_seat_is_what_the_last_that_came_made_of_it() {
    let good = [state([1, 0], Some(A1)), state([1, 1], Some(B1)), state([2, 1], Some(B1))];
    assert_eq!(check(Some(A1), &good), None);
    assert_eq!(check(None, &[state([1, 0], Some(A1)), state([3, 0], None)]), None, "the third removes it");
    for wrong in [None, Some(B1), Some(7)] {
        let found = check(None, &[state([1, 0], wrong)]);
        assert!(found.is_some(), "{wrong:?}");
    }
}

#[test]
fn nothing_comes_back_that_was_replaced_or_removed() {
    let back = [state([1, 0], Some(A1)), state([1, 1], Some(B1)), state([2, 1], Some(A1))];
    assert!(check(None, &back).is_some());
    let removed = [state([1, 0], Some(A1)), state([3, 0], None), state([3, 0], Some(A1))];
    assert!(check(None, &removed).is_some());
    let lost = [state([1, 0], Some(A1)), state([0, 1], Some(B1))];
    assert!(check(None, &lost).is_some(), "what is stored does not get lost");
}

#[test]
fn of_two_that_come_at_once_either_may_be_last_unless_one_saw_the_other() {
    for value in [A1, B1] {
        assert_eq!(check(None, &[state([1, 1], Some(value))]), None);
    }
    assert!(check(None, &[state([1, 1], None)]).is_some());
    assert_eq!(check(Some(A1), &[state([1, 1], Some(B1))]), None);
    assert!(check(Some(A1), &[state([1, 1], Some(A1))]).is_some(), "the second replaced it");
    let later = [state([0, 1], Some(B1)), state([1, 1], Some(A1))];
    assert_eq!(check(None, &later), None);
    assert!(check(Some(A1), &later).is_some(), "what it had replaced came later");
    assert_eq!(check_by(HostId(1), Some(A1), &later), None, "whoever stored it had not seen the other");
}

#[test]
fn of_an_operation_that_is_there_by_half_the_seat_may_be_there_or_not() {
    let mut half = state([0, 0], None);
    half["sum1"] = 1.into();
    assert_eq!(check(None, std::slice::from_ref(&half)), None);
    half["seat1"] = A1.into();
    assert_eq!(check(None, &[half.clone(), state([1, 0], Some(A1))]), None);
    assert!(check(None, &[half, state([1, 0], Some(B1))]).is_some());
}
