//! What a run of the tests comes to, read from what the test programs print.

#[cfg(test)]
mod tests;

use std::fmt;

/// Counts of tests, the names of those that were skipped, and what tests measured.
///
/// Reads the lines of libtest, the harness of `cargo test`, when it runs with `--show-output`: each test
/// program then ends with a section of what its passing tests printed.
#[derive(Debug, Default)]
pub(crate) struct Report {
    passed: u64,
    failed: u64,
    skips: Vec<Skip>,
    /// What passing tests say in lines like `measured: <what>`.
    measured: Vec<String>,
    /// Inside the section of what passing tests printed.
    in_successes: bool,
}

/// A test that did not test what it is there for.
#[derive(Debug, PartialEq, Eq)]
struct Skip {
    name: String,
    reason: String,
}

impl Report {
    /// Takes in a line, and says whether people should see it: what passing tests print is left out.
    pub(crate) fn read(&mut self, line: &str) -> bool {
        match line {
            "successes:" => self.in_successes = true,
            "failures:" => self.in_successes = false,
            _ if line.starts_with("running ") => self.in_successes = false,
            _ if line.starts_with("test result: ") => {
                self.in_successes = false;
                self.count(line);
            }
            _ => {
                self.measured.extend(line.strip_prefix("measured: ").map(String::from));
                self.skips.extend(Skip::of_test(line).or_else(|| Skip::of_ignored(line)));
            }
        }
        !self.in_successes
    }

    /// Whether any test was skipped.
    pub(crate) fn any_skipped(&self) -> bool {
        !self.skips.is_empty()
    }

    fn count(&mut self, line: &str) {
        self.passed += number_before("passed", line);
        self.failed += number_before("failed", line);
    }
}

/// The number before `what` in a line like `test result: ok. 3 passed; 0 failed; finished in 0.01s`.
fn number_before(what: &str, line: &str) -> u64 {
    let words: Vec<&str> = line.split([' ', ';']).collect();
    let pair = words.windows(2).find(|pair| pair[1] == what);
    pair.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

impl Skip {
    /// The line that a test prints when it needs something that is absent: `skipped: <name>: <reason>`.
    fn of_test(line: &str) -> Option<Self> {
        let said = line.strip_prefix("skipped: ")?;
        let (name, reason) = said.split_once(": ").unwrap_or((said, "no reason given"));
        Some(Self { name: name.into(), reason: reason.into() })
    }

    /// libtest's own line about a test with `#[ignore]`.
    fn of_ignored(line: &str) -> Option<Self> {
        let (name, rest) = line.strip_prefix("test ")?.rsplit_once(" ... ignored")?;
        let reason = rest.strip_prefix(", ").unwrap_or("ignored");
        Some(Self { name: name.into(), reason: reason.into() })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "passed:  {}", self.passed)?;
        writeln!(f, "failed:  {}", self.failed)?;
        writeln!(f, "skipped: {}", self.skips.len())?;
        self.skips.iter().try_for_each(|skip| writeln!(f, "  {}: {}", skip.name, skip.reason))?;
        if !self.measured.is_empty() {
            writeln!(f, "measured:")?;
        }
        self.measured.iter().try_for_each(|what| writeln!(f, "  {what}"))
    }
}
