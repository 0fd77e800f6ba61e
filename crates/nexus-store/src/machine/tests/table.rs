//! The rule of application, against a model that remembers everything.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use transport_traits::WallTime;

use crate::machine::table::{Entry, Full, Identity, Judgement, Room, Table};

const ROOM: Room = Room { writers: 2, text: 300 };

fn seconds(seconds: u64) -> WallTime {
    WallTime::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
}

fn commit(table: &Table, writer: u64, last: u64, at: u64) -> Result<Table, Full> {
    table.commit(&BTreeMap::from([(writer, last)]), seconds(at), ROOM).map(|(table, _)| table)
}

fn identity(writer: u64, sequence: u64, pred: u64, commit: u64) -> Identity {
    Identity { writer, sequence, pred, epoch: 0, commit }
}

fn judge(table: &Table, id: Identity) -> Judgement {
    table.judge(id, &BTreeMap::new())
}

#[test]
fn the_rule_says_what_it_should() {
    let mut table = Table::new(0);
    table.commits = 9;
    table.fence = 5;
    table.writers.insert(1, Entry { last: 10, moved: 7 });
    let cases = [
        (identity(1, 10, 0, 9), Judgement::Applied),
        (identity(1, 11, 0, 2), Judgement::Admitted),
        (identity(1, 11, 9, 9), Judgement::Admitted),
        (identity(1, 12, 11, 9), Judgement::Hole),
        (identity(2, 3, 0, 5), Judgement::Admitted),
        (identity(2, 3, 0, 4), Judgement::Refused),
        (identity(2, 3, 2, 5), Judgement::Hole),
        (Identity { epoch: 1, ..identity(1, 11, 0, 9) }, Judgement::Refused),
    ];
    for (id, expected) in cases {
        assert_eq!(judge(&table, id), expected, "{id:?}");
    }
}

#[test]
fn a_writer_is_forgotten_only_when_room_is_needed_and_it_is_old() {
    let table = commit(&Table::new(0), 1, 1, 0).unwrap();
    let table = commit(&table, 2, 1, 10).unwrap();
    assert_eq!(commit(&table, 3, 1, 20), Err(Full), "both are recent");
    let aged = commit(&table, 2, 2, 70).unwrap();
    assert_eq!(aged.writers.len(), 2, "no room is needed");
    let pruned = commit(&aged, 3, 1, 71).unwrap();
    assert_eq!(pruned.writers.keys().copied().collect::<Vec<_>>(), [2, 3]);
    assert_eq!(pruned.fence, 1);
}

#[test]
fn a_full_table_that_nobody_moved_for_long_has_room_at_once() {
    let table = commit(&Table::new(0), 1, 1, 0).unwrap();
    let table = commit(&table, 1, 2, 59).unwrap();
    let table = commit(&table, 2, 1, 59).unwrap();
    assert_eq!(commit(&table, 3, 1, 119), Err(Full), "as far as is known, both may have moved just now");
    let pruned = commit(&table, 3, 1, 120).unwrap();
    assert_eq!(pruned.writers.keys().copied().collect::<Vec<_>>(), [2, 3]);
    assert_eq!((pruned.fence, pruned.aged), (2, 3));
}

#[test]
fn a_mark_from_a_clock_far_ahead_does_not_stop_forgetting() {
    let table = commit(&Table::new(0), 1, 1, 1_000_000).unwrap();
    let table = commit(&table, 2, 1, 0).unwrap();
    let table = commit(&table, 2, 2, 61).unwrap();
    let table = commit(&table, 2, 3, 122).unwrap();
    assert!(commit(&table, 3, 1, 123).is_ok());
}

/// A step of the model: an operation is made by a writer on some base, or tried to be applied.
#[derive(Clone, Debug)]
enum Step {
    /// A writer makes an operation on a past table, so many commits back.
    Make {
        writer: u64,
        back: usize,
    },
    /// Any operation made so far is tried.
    Try {
        op: usize,
    },
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..5_u64, 0..4_usize).prop_map(|(writer, back)| Step::Make { writer, back }),
        5 => (0..200_usize).prop_map(|op| Step::Try { op }),
        1 => Just(Step::Wait),
    ]
}

proptest! {
    /// The safety of the whole crate: whatever is tried, in whatever order and however often.
    #[test]
    fn an_operation_is_applied_at_most_once(steps in prop::collection::vec(step(), 1..200)) {
        let mut history = vec![Table::new(0)];
        let mut made: Vec<Identity> = Vec::new();
        let mut applied: BTreeSet<(u64, u64)> = BTreeSet::new();
        let mut now = 0;
        for step in steps {
            let table = history.last().unwrap().clone();
            match step {
                Step::Wait => now += 70,
                Step::Make { writer, back } => {
                    let base = &history[history.len().saturating_sub(1 + back)];
                    let sequence = made.len() as u64 + 1;
                    // The writer knows what its base says of it.
                    let unconfirmed = made.iter().rfind(|op| op.writer == writer
                        && base.judge(**op, &BTreeMap::new()) != Judgement::Applied);
                    let pred = unconfirmed.map_or(0, |op| op.sequence);
                    made.push(identity(writer, sequence, pred, base.commits));
                }
                Step::Try { op } => {
                    let Some(&op) = made.get(op % made.len().max(1)) else { continue };
                    if judge(&table, op) != Judgement::Admitted {
                        continue;
                    }
                    if let Ok(next) = commit(&table, op.writer, op.sequence, now) {
                        prop_assert!(applied.insert((op.writer, op.sequence)), "{op:?} is applied twice");
                        if op.pred != 0 {
                            prop_assert!(applied.contains(&(op.writer, op.pred)), "{op:?} leaves a hole");
                        }
                        history.push(next);
                    }
                }
            }
        }
    }
}
