//! Tests of the judgement on counts.

use std::collections::BTreeMap;

use super::{Budget, Ground, Verdict};

fn counts(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|&(name, count)| (name.to_owned(), count)).collect()
}

fn budget(instructions: &[(&str, u64)]) -> Budget {
    let counted_on =
        Ground { rustc: "1.95.0".into(), system: "x86_64 linux".into(), libc: "glibc 2.36".into() };
    Budget { counted_on, instructions: counts(instructions) }
}

/// The verdict on a path with a budget of 1,000.
fn verdict(counted: u64) -> Verdict {
    budget(&[("push", 1_000)]).compare(&counts(&[("push", counted)]))[0].verdict()
}

#[test]
fn three_percent_more_pass_and_not_one_instruction_beyond() {
    assert_eq!(verdict(1_000), Verdict::Within);
    assert_eq!(verdict(1_030), Verdict::Within);
    assert_eq!(verdict(1_031), Verdict::Exceeded);
    assert!(verdict(1_031).fails());
}

#[test]
fn a_path_that_takes_much_less_passes_and_is_named() {
    assert_eq!(verdict(970), Verdict::Within);
    assert_eq!(verdict(969), Verdict::Loose);
    assert!(!verdict(969).fails());
}

#[test]
fn a_path_without_a_budget_and_a_budget_without_a_path_fail() {
    let lines = budget(&[("gone", 1), ("push", 1)]).compare(&counts(&[("push", 1), ("new", 1)]));
    let verdicts: Vec<_> = lines.iter().map(|line| (line.name.as_str(), line.verdict())).collect();
    let expected = [("gone", Verdict::Unknown), ("new", Verdict::Unknown), ("push", Verdict::Within)];
    assert_eq!(verdicts, expected);
    assert!(Verdict::Unknown.fails());
}

#[test]
fn the_committed_budget_can_be_read_and_every_path_in_it_takes_something() {
    let budget: Budget = serde_json::from_str(include_str!("../../../../hot-paths/budget.json")).unwrap();
    assert!(!budget.instructions.is_empty() && budget.instructions.values().all(|&count| count > 0));
}
