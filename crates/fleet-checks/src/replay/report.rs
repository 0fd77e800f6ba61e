//! What became of each scenario, and the sums.

use std::fmt;

/// What became of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything holds.
    Passed,
    /// Something does not: what, a line each.
    Failed(Vec<String>),
    /// No rule speaks of it, and why.
    Unjudged(String),
}

/// What became of a whole recording.
#[derive(Debug)]
pub struct Report {
    scenarios: Vec<(String, Outcome)>,
}

impl Report {
    pub(crate) fn new(scenarios: Vec<(String, Outcome)>) -> Self {
        Self { scenarios }
    }

    /// The scenarios by name, in the order of the recording.
    pub fn scenarios(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        self.scenarios.iter().map(|(name, outcome)| (name.as_str(), outcome))
    }

    /// Whether a scenario failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_))) > 0
    }

    /// The sums in a line: `N passed, N failed, N skipped`, and the unjudged ones if there are any.
    #[must_use]
    pub fn sums(&self) -> String {
        let passed = self.count(|outcome| *outcome == Outcome::Passed);
        let failed = self.count(|outcome| matches!(outcome, Outcome::Failed(_)));
        let unjudged = self.count(|outcome| matches!(outcome, Outcome::Unjudged(_)));
        let tail = if unjudged > 0 { format!(", {unjudged} unjudged") } else { String::new() };
        // No scenario is ever skipped; who reads the line should not have to know that.
        format!("{passed} passed, {failed} failed, 0 skipped{tail}")
    }

    fn count(&self, which: impl Fn(&Outcome) -> bool) -> usize {
        self.scenarios.iter().filter(|(_, outcome)| which(outcome)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.scenarios {
            match outcome {
                Outcome::Passed => writeln!(f, "passed    {name}")?,
                Outcome::Unjudged(reason) => writeln!(f, "unjudged  {name} ({reason})")?,
                Outcome::Failed(problems) => {
                    writeln!(f, "FAILED    {name}")?;
                    problems.iter().try_for_each(|problem| writeln!(f, "          {problem}"))?;
                }
            }
        }
        f.write_str(&self.sums())
    }
}
