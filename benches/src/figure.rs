//! A measured figure, and the goal that it has to reach.

use std::fmt;

use serde::Serialize;

/// One row of a topic's table.
#[derive(Clone, Debug)]
pub struct Figure {
    name: String,
    unit: &'static str,
    value: Option<f64>,
    reference: Option<f64>,
    ratio: Option<f64>,
    goal: Option<Goal>,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// The value is at least this.
    AtLeast(f64),
    /// The value is at most this.
    AtMost(f64),
    /// The ratio is at least this: so many times as fast as the reference.
    TimesAsFast(f64),
    /// The ratio is at most this: at most so many times the reference.
    TimesTheReference(f64),
}

/// A figure as it is written to a file.
///
/// `met` is `null` where there is no goal or no value.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    name: &'a str,
    unit: &'a str,
    value: Option<f64>,
    reference: Option<f64>,
    ratio: Option<f64>,
    goal: Option<String>,
    met: Option<bool>,
}

impl Figure {
    /// A figure of ours.
    #[must_use]
    pub fn new(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { name: name.into(), unit, value: Some(value), reference: None, ratio: None, goal: None }
    }

    /// A figure that nothing can measure yet. It is shown as such, and never as met.
    #[must_use]
    pub fn not_measured_yet(name: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.into(), unit, value: None, reference: None, ratio: None, goal: None }
    }

    /// The same figure of a peer or a limit. The ratio is ours to it, unless [`ratio`](Self::ratio) says otherwise.
    #[must_use]
    pub fn beside(mut self, reference: f64) -> Self {
        self.reference = Some(reference);
        self.ratio = self.value.map(|value| value / reference);
        self
    }

    /// The ratio, where it was measured better than by dividing two values.
    #[must_use]
    pub fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = Some(ratio);
        self
    }

    /// The same with the ratio the other way round: how many times as fast as the reference.
    #[must_use]
    pub fn inverse(mut self) -> Self {
        self.ratio = self.ratio.map(f64::recip);
        self
    }

    /// What the figure should be.
    #[must_use]
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// Whether the goal is met; `None` where there is no goal or nothing was measured.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        match self.goal? {
            Goal::AtLeast(least) => self.value.map(|value| value >= least),
            Goal::AtMost(most) => self.value.map(|value| value <= most),
            Goal::TimesAsFast(least) => self.ratio.map(|ratio| ratio >= least),
            Goal::TimesTheReference(most) => self.ratio.map(|ratio| ratio <= most),
        }
    }

    /// The figure as it is written to a file.
    #[must_use]
    pub fn row(&self) -> Row<'_> {
        Row {
            name: &self.name,
            unit: self.unit,
            value: self.value,
            reference: self.reference,
            ratio: self.ratio,
            goal: self.goal.map(|goal| goal.to_string()),
            met: self.met(),
        }
    }

    /// The cells of the table: figure, ours, peer or limit, ratio, goal, met.
    fn cells(&self) -> [String; 6] {
        let number = |number: Option<f64>| number.map_or_else(|| "–".into(), short);
        let ours = self
            .value
            .map_or_else(|| "not measured yet".into(), |value| format!("{} {}", short(value), self.unit));
        let met = match self.met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "–",
        };
        let goal = self.goal.map_or_else(|| "–".into(), |goal| goal.to_string());
        [self.name.clone(), ours, number(self.reference), number(self.ratio), goal, met.into()]
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::TimesAsFast(least) => write!(f, "≥ {least} × as fast"),
            Self::TimesTheReference(most) => write!(f, "≤ {most} × the reference"),
        }
    }
}

/// Four significant digits, or all before the point.
fn short(number: f64) -> String {
    let before = number.abs().max(1.0).log10().floor() as usize + 1;
    format!("{number:.*}", 4_usize.saturating_sub(before))
}

/// The table of a topic, in Markdown.
#[must_use]
pub fn table(figures: &[Figure]) -> String {
    let head = ["figure", "ours", "peer or limit", "ratio", "goal", "met"].map(String::from);
    let rows: Vec<_> = std::iter::once(head).chain(figures.iter().map(Figure::cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} |"));
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = line(&widths.map(|width| "-".repeat(width)));
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.insert(1, rule);
    lines.concat()
}
