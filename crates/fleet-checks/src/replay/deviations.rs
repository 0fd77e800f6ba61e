//! Where ours differs from a recording on purpose.

use super::compare::Mismatch;
use super::recording::Scenario;
use super::report::Outcome;

/// One field of one scenario that comes out otherwise than recorded, because the original is wrong there.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    /// The scenario's name.
    pub scenario: &'static str,
    /// The recording's field.
    pub field: &'static str,
    /// The weakness of the original, by number and slug of `docs/weaknesses.md`.
    pub weakness: &'static str,
}

/// All deviations there are: none is needed for what is recorded so far.
pub const DEVIATIONS: &[Deviation] = &[];

/// What remains of the mismatches. A deviation that does not show fails.
pub(crate) fn apply(scenario: &Scenario, mismatches: Vec<Mismatch>, deviations: &[Deviation]) -> Outcome {
    let here = || deviations.iter().filter(|deviation| deviation.scenario == scenario.name);
    let unused = here().filter(|deviation| !mismatches.iter().any(|found| found.field == deviation.field));
    let mut problems: Vec<_> = unused
        .map(|Deviation { field, weakness, .. }| {
            format!("{field}: the deviation for {weakness} does not show")
        })
        .collect();
    let expected = |found: &&Mismatch| here().any(|deviation| deviation.field == found.field);
    problems.extend(mismatches.iter().filter(|found| !expected(found)).map(ToString::to_string));
    if problems.is_empty() { Outcome::Passed } else { Outcome::Failed(problems) }
}
