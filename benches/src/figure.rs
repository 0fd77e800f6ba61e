//! A measured figure, and the goal that it has to reach.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::infinite;

/// One row of a topic's table.
#[derive(Clone, Debug)]
pub struct Figure {
    name: String,
    unit: &'static str,
    value: Option<f64>,
    reference: Option<f64>,
    ratio: Option<f64>,
    spread: f64,
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
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// Of the value and the reference.
    pub unit: String,
    /// Ours.
    #[serde(with = "infinite")]
    pub value: Option<f64>,
    /// The peer's or the limit's.
    #[serde(with = "infinite")]
    pub reference: Option<f64>,
    /// The one to the other.
    #[serde(with = "infinite")]
    pub ratio: Option<f64>,
    /// How far apart the measurements lie: see [`Figure::noisy`]. 0 of what is exact.
    #[serde(default)]
    pub spread: f64,
    /// In words.
    pub goal: Option<String>,
    /// Whether it is met.
    pub met: Option<bool>,
}

impl Figure {
    /// A figure of ours that is the same in every run: it is counted, and comes from seeds and virtual time. Any change of
    /// it is one of the program's.
    #[must_use]
    pub fn exact(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { value: Some(value), ..Self::not_measured_yet(name, unit) }
    }

    /// A figure of ours that differs from run to run. `spread` says how far apart the measurements of the
    /// [judged](Self::judged) number lie, as a part of it: [`Samples::spread`](crate::measure::Samples::spread).
    #[must_use]
    pub fn noisy(name: impl Into<String>, unit: &'static str, value: f64, spread: f64) -> Self {
        Self { spread, ..Self::exact(name, unit, value) }
    }

    /// A figure that nothing can measure yet. It is shown as such, and never as met.
    #[must_use]
    pub fn not_measured_yet(name: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.into(), unit, value: None, reference: None, ratio: None, spread: 0.0, goal: None }
    }

    /// The same figure of a peer or a limit. The ratio is ours to it, unless [`ratio`](Self::ratio) says otherwise; 0 to 0 has
    /// none.
    #[must_use]
    pub fn beside(mut self, reference: f64) -> Self {
        self.reference = Some(reference);
        self.ratio = self.value.map(|value| value / reference).filter(|ratio| !ratio.is_nan());
        self
    }

    /// The ratio, where it was measured better than by dividing two values. It is ours to the reference, too.
    #[must_use]
    pub fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = Some(ratio);
        self
    }

    /// Turns the ratio of ours to the reference round, and demands that it is at least this: so many times as fast. The
    /// two go together, so that a ratio without such a goal always is ours to the reference.
    #[must_use]
    pub fn times_as_fast(mut self, least: f64) -> Self {
        self.ratio = self.ratio.map(f64::recip);
        self.goal(Goal::TimesAsFast(least))
    }

    /// What the figure should be.
    #[must_use]
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// What was measured.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the goal is about the ratio, and not about the value. Without a goal, whether there is a ratio.
    #[must_use]
    pub fn judges_ratio(&self) -> bool {
        match self.goal {
            Some(Goal::AtLeast(_) | Goal::AtMost(_)) => false,
            Some(Goal::TimesAsFast(_) | Goal::TimesTheReference(_)) => true,
            None => self.ratio.is_some(),
        }
    }

    /// The number that the goal is about.
    #[must_use]
    pub fn judged(&self) -> Option<f64> {
        if self.judges_ratio() { self.ratio } else { self.value }
    }

    /// How much better than the goal demands, as a factor: 1 just meets it. Infinite where 0 is demanded and reached.
    #[must_use]
    pub fn of_goal(&self) -> Option<f64> {
        let (judged, goal) = (self.judged()?, self.goal?);
        let (better, worse) = if goal.wants_more() { (judged, goal.bound()) } else { (goal.bound(), judged) };
        // Also where both are 0.
        Some(if better >= worse && worse == 0.0 { f64::INFINITY } else { better / worse })
    }

    /// Whether the goal is met; `None` where there is no goal or nothing was measured.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        let (judged, goal) = (self.judged(), self.goal?);
        judged.map(|judged| if goal.wants_more() { judged >= goal.bound() } else { judged <= goal.bound() })
    }

    /// Whether more of the judged number is better; `None` where no goal says so.
    #[must_use]
    pub fn wants_more(&self) -> Option<bool> {
        self.goal.map(|goal| goal.wants_more())
    }

    /// The figure as it is written to a file.
    #[must_use]
    pub fn row(&self) -> Row {
        Row {
            name: self.name.clone(),
            unit: self.unit.to_owned(),
            value: self.value,
            reference: self.reference,
            ratio: self.ratio,
            spread: self.spread,
            goal: self.goal.map(|goal| goal.to_string()),
            met: self.met(),
        }
    }
}

impl Goal {
    fn wants_more(self) -> bool {
        matches!(self, Self::AtLeast(_) | Self::TimesAsFast(_))
    }

    fn bound(self) -> f64 {
        match self {
            Self::AtLeast(bound)
            | Self::AtMost(bound)
            | Self::TimesAsFast(bound)
            | Self::TimesTheReference(bound) => bound,
        }
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
