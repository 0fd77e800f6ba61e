//! What the verdict makes of files that lost, doubled or invented something.

use serde_json::{Map, Value};

use super::*;
use crate::demo::tally::mark;

const ALIVE: usize = 1;
const KILLED: usize = 9;

/// The fields of a record in which operation `i` of ten coins each is counted `times[i]` times.
fn fields(times: &[i64]) -> Map<String, Value> {
    let mut fields = Map::new();
    for (index, times) in (0..).zip(times) {
        let (tally, unit) = mark(index);
        for (field, by) in [(tally.as_str(), unit), ("coins", 10)] {
            let sum = fields.get(field).and_then(Value::as_i64).unwrap_or(0) + by * times;
            fields.insert(field.to_owned(), sum.into());
        }
    }
    fields
}

fn record(times: &[i64]) -> SavedPlayer {
    SavedPlayer::new(fields(times))
}

fn verdict(asked: &[(usize, Standing)], saved: SavedPlayer) -> Verdict {
    let operation = |&(server, standing): &(usize, Standing)| {
        let mut operation = Operation::asked(server, 10);
        operation.standing = standing;
        operation
    };
    let operations = asked.iter().map(operation).collect();
    judge(&[operations], &BTreeMap::from([(0, saved)]), &BTreeSet::from([KILLED]))
}

#[test]
fn each_standing_is_held_to_its_promise() {
    use Standing::{Accepted, Doubtful, Durable, Issued, Unaffordable};
    // What was asked for, how often it is in the file, and (lost, doubled, phantom, at risk, survived).
    let cases = [
        ((ALIVE, Durable), 1, (0, 0, 0, 0, 0)),
        ((ALIVE, Durable), 0, (1, 0, 0, 0, 0)),
        ((ALIVE, Durable), 2, (0, 1, 0, 0, 0)),
        ((KILLED, Durable), 0, (1, 0, 0, 0, 0)),
        ((ALIVE, Accepted), 0, (1, 0, 0, 0, 0)),
        ((KILLED, Accepted), 0, (0, 0, 0, 1, 0)),
        ((KILLED, Accepted), 1, (0, 0, 0, 1, 1)),
        ((KILLED, Accepted), 2, (0, 1, 0, 1, 1)),
        ((KILLED, Issued), 1, (0, 0, 0, 1, 1)),
        ((ALIVE, Unaffordable), 0, (0, 0, 0, 0, 0)),
        ((ALIVE, Unaffordable), 1, (0, 0, 1, 0, 0)),
        ((ALIVE, Doubtful), 0, (0, 0, 0, 0, 0)),
        ((ALIVE, Doubtful), 1, (0, 0, 0, 0, 0)),
        ((ALIVE, Doubtful), 3, (0, 1, 0, 0, 0)),
    ];
    for (asked, times, (lost, doubled, phantom, at_risk, at_risk_survived)) in cases {
        let got = verdict(&[asked], record(&[times]));
        let got = (got.lost, got.doubled, got.phantom, got.at_risk, got.at_risk_survived);
        assert_eq!(got, (lost, doubled, phantom, at_risk, at_risk_survived), "{asked:?} {times} times");
    }
}

#[test]
fn one_lost_and_one_doubled_do_not_make_up_for_each_other() {
    let got = verdict(&[(ALIVE, Standing::Durable); 2], record(&[0, 2]));
    assert_eq!((got.lost, got.doubled), (1, 1));
    assert_eq!((got.coins_by_ledger, got.coins_by_file), (20, 20));
}

#[test]
fn an_operation_that_nobody_asked_for_is_a_phantom() {
    assert_eq!(verdict(&[(ALIVE, Standing::Durable)], record(&[1, 1])).phantom, 1);
}

#[test]
fn coins_that_are_no_sum_of_the_operations_are_wrong() {
    let mut fields = fields(&[1]);
    fields.insert("coins".into(), 11.into());
    let saved = SavedPlayer::new(fields);
    assert_eq!(verdict(&[(ALIVE, Standing::Durable)], saved.clone()).wrong_sums, 1);
    let at_risk = verdict(&[(KILLED, Standing::Accepted)], saved);
    assert_eq!(at_risk.wrong_sums, 0, "what was at risk may be cut anywhere");
}

#[test]
fn only_a_dead_server_may_refuse_what_a_player_can_afford() {
    assert_eq!(verdict(&[(ALIVE, Standing::Refused)], record(&[0])).refused, 1);
    assert_eq!(verdict(&[(KILLED, Standing::Refused)], record(&[0])).refused, 0);
    assert_eq!(verdict(&[(ALIVE, Standing::Unaffordable)], record(&[0])).refused, 0);
}
