//! How many instructions a step of each hot path may take, and what is said of one that takes another number.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A count may be so much greater than its budget, %.
pub(super) const TOLERANCE: f64 = 3.0;

/// The instructions of a step of each path, by its name, as somebody counted them.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Budget {
    /// On what they were counted: with something else the same program takes another number.
    pub(super) counted_on: Ground,
    pub(super) instructions: BTreeMap<String, u64>,
}

/// What the number of instructions depends on beside the program.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Ground {
    /// The compiler's version.
    pub(super) rustc: String,
    /// Kind of processor and operating system.
    pub(super) system: String,
    /// The C library, whose allocator and copies are counted too.
    pub(super) libc: String,
}

/// A path's count beside its budget.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) counted: Option<u64>,
    pub(super) budget: Option<u64>,
}

/// What is said of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Within,
    /// It takes so much less that the budget guards nothing any more.
    Loose,
    Exceeded,
    /// It has no budget, or the budget is of a path that is gone.
    Unknown,
}

impl Budget {
    /// Every path of the budget and every one that was counted, beside each other.
    pub(super) fn compare(&self, counted: &BTreeMap<String, u64>) -> Vec<Line> {
        let mut names: Vec<&String> = counted.keys().chain(self.instructions.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let of = |counts: &BTreeMap<String, u64>, name: &String| counts.get(name).copied();
        let line = |name: &String| Line {
            name: name.clone(),
            counted: of(counted, name),
            budget: of(&self.instructions, name),
        };
        names.into_iter().map(line).collect()
    }
}

impl Line {
    /// The count as a part of the budget.
    pub(super) fn ratio(&self) -> Option<f64> {
        Some(self.counted? as f64 / self.budget? as f64)
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self.ratio() {
            None => Verdict::Unknown,
            Some(ratio) if ratio > 1.0 + TOLERANCE / 100.0 => Verdict::Exceeded,
            Some(ratio) if ratio < 1.0 - TOLERANCE / 100.0 => Verdict::Loose,
            Some(_) => Verdict::Within,
        }
    }
}

impl Verdict {
    /// Whether it fails a run.
    pub(super) fn fails(self) -> bool {
        matches!(self, Self::Exceeded | Self::Unknown)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Within => "ok",
            Self::Loose => "less: lower the budget",
            Self::Exceeded => "TOO MANY",
            Self::Unknown => "NO BUDGET OR NO PATH",
        })
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rustc, system, libc } = self;
        write!(f, "rustc {rustc}, {system}, {libc}")
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map_or_else(|| "–".into(), |number| number.to_string());
        let change =
            self.ratio().map_or_else(|| "–".into(), |ratio| format!("{:+.1} %", (ratio - 1.0) * 100.0));
        let (name, counted, budget) = (&self.name, number(self.counted), number(self.budget));
        write!(f, "{name:<20} {counted:>12} {budget:>12} {change:>9}  {}", self.verdict())
    }
}
