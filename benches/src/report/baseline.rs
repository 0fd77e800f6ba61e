//! Figures set beside those of an earlier run.
//!
//! Compared is the number that a figure's goal is about: a ratio to a peer of the same run where there is one, so that
//! another machine or a busy one does not look like a change. A change is beyond noise where it is greater than the
//! spreads of both runs together, and than 2 % if either has one: so much a program's place in memory can do, which is the
//! same for all rounds of a run. What has no spread is exact, so any change of it is one.

use super::table::{aligned, number};
use crate::figure::{Figure, Row};

/// What timed figures of equal programs may differ by from run to run, beside their spread.
const PLACE_IN_MEMORY: f64 = 0.02;

/// How a figure compares with an earlier run of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What was measured.
    pub name: String,
    /// The judged number then.
    pub old: Option<f64>,
    /// The judged number now.
    pub new: Option<f64>,
    /// What of it is more than noise.
    pub verdict: Verdict,
}

/// What a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// None, or not more than noise.
    Noise,
    /// Beyond noise, to the side where the goal lies.
    Better,
    /// Beyond noise, to the other side.
    Worse,
    /// Beyond noise; no goal says what is better.
    Changed,
    /// It was not measured then, or not now.
    NotComparable,
}

/// Sets each figure beside the row of the same name.
#[must_use]
pub fn changes(figures: &[Figure], old: &[Row]) -> Vec<Change> {
    figures.iter().map(|figure| change(figure, old.iter().find(|row| row.name == figure.name()))).collect()
}

fn change(figure: &Figure, row: Option<&Row>) -> Change {
    let new = figure.judged();
    let old = row.and_then(|row| if figure.judges_ratio() { row.ratio } else { row.value });
    let verdict = match (old, new, row) {
        (Some(old), Some(new), Some(row)) => verdict(figure, old, new, figure.row().spread + row.spread),
        _ => Verdict::NotComparable,
    };
    Change { name: figure.name().to_owned(), old, new, verdict }
}

fn verdict(figure: &Figure, old: f64, new: f64, spread: f64) -> Verdict {
    let noise = if spread > 0.0 { spread.max(PLACE_IN_MEMORY) } else { 0.0 };
    // Infinities are equal or not; two of them have no difference.
    if old == new || (new - old).abs() <= noise * old.abs() {
        return Verdict::Noise;
    }
    match figure.wants_more() {
        None => Verdict::Changed,
        Some(wants_more) if (new > old) == wants_more => Verdict::Better,
        Some(_) => Verdict::Worse,
    }
}

/// The table of these changes, in Markdown.
#[must_use]
pub fn table(changes: &[Change], name: &str) -> String {
    let rows = changes.iter().map(|change| {
        let relative = match (change.old, change.new) {
            (Some(old), Some(new)) if old != 0.0 => format!("{:+.1} %", (new / old - 1.0) * 100.0),
            _ => "–".into(),
        };
        let verdict = match change.verdict {
            Verdict::Noise => "–",
            Verdict::Better => "better",
            Verdict::Worse => "WORSE",
            Verdict::Changed => "changed",
            Verdict::NotComparable => "not comparable",
        };
        [change.name.clone(), number(change.old), number(change.new), relative, verdict.into()]
    });
    aligned(["figure, as its goal judges it", name, "now", "change", "beyond noise"], rows)
}
