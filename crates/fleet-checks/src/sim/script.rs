//! Scenarios as files: what a fleet has to live through, each number fixed or drawn from the seed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use super::Scenario;

/// A number of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// This.
    Fixed(f64),
    /// Drawn between these two, both included.
    Between([f64; 2]),
    /// Zero in one of two seeds, and else drawn up to this.
    Sometimes {
        /// The most.
        sometimes: f64,
    },
}

/// A scenario before a seed has drawn its numbers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Script {
    /// What it is, in a sentence.
    pub about: String,
    #[serde(flatten)]
    amounts: BTreeMap<String, Amount>,
}

/// What can be set, what it is if it is not, and whether it is a whole number.
pub(super) const KNOBS: [(&str, f64, bool); 39] = [
    ("servers", 4.0, true),
    ("records", 2.0, true),
    ("seconds", 60.0, true),
    ("lull_s", 0.0, true),
    ("deeds", 6.0, true),
    ("message_bytes", 0.0, true),
    ("delay_ms", 50.0, true),
    ("delay_shape", 0.0, true),
    ("accept_ms", 20.0, true),
    ("accept_shape", 0.0, true),
    ("loss", 0.0, false),
    ("duplication", 0.0, false),
    ("failure", 0.0, false),
    ("unknown", 0.0, false),
    ("latency_ms", 20.0, true),
    ("latency_shape", 0.0, true),
    ("unavailable", 0.0, false),
    ("throttled", 0.0, false),
    ("conflict", 0.0, false),
    ("unknown_before", 0.0, false),
    ("unknown_after", 0.0, false),
    ("unknown_late", 0.0, false),
    ("outage", 0.0, false),
    ("crash", 0.0, false),
    ("leave", 0.0, false),
    ("pause", 0.0, false),
    ("pause_s", 20.0, true),
    ("cut", 0.0, false),
    ("jump", 0.0, false),
    ("silence", 0.0, false),
    ("reconnect", 0.0, false),
    ("revalidate_s", 300.0, true),
    ("writers", 256.0, true),
    ("lanes", 1.0, true),
    ("format", 0.0, true),
    ("split", 0.0, true),
    ("pools", 1.0, true),
    ("checkpoints", 0.0, true),
    ("drops", 0.0, true),
];

/// The scenarios of the project, by name: the files of `scenarios/`.
pub const SCENARIOS: [(&str, &str); 12] = [
    ("swarm", include_str!("../../scenarios/swarm.toml")),
    ("crashes", include_str!("../../scenarios/crashes.toml")),
    ("crowd", include_str!("../../scenarios/crowd.toml")),
    ("flood", include_str!("../../scenarios/flood.toml")),
    ("hiccups", include_str!("../../scenarios/hiccups.toml")),
    ("idle", include_str!("../../scenarios/idle.toml")),
    ("lost-messages", include_str!("../../scenarios/lost-messages.toml")),
    ("partitions", include_str!("../../scenarios/partitions.toml")),
    ("silence", include_str!("../../scenarios/silence.toml")),
    ("slow-store", include_str!("../../scenarios/slow-store.toml")),
    ("unknown-outcomes", include_str!("../../scenarios/unknown-outcomes.toml")),
    ("wrong-clocks", include_str!("../../scenarios/wrong-clocks.toml")),
];

/// Why a text is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// There is none of this name, and no file either.
    #[error("no scenario {name}; there are {}, and files", SCENARIOS.map(|(name, _)| name).join(", "))]
    Absent {
        /// The name.
        name: String,
        /// Why the file cannot be read.
        source: std::io::Error,
    },
    /// It is no TOML of this form.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// It sets what does not exist.
    #[error("a scenario has no {0}")]
    Unknown(String),
    /// A number is below zero, not finite, or the greater one stands first.
    #[error("{0} is out of range")]
    Range(String),
}

impl Script {
    /// The scenario of this name, or of the file at this path.
    ///
    /// # Errors
    /// See [`ScriptError`].
    pub fn find(name: &str) -> Result<Self, ScriptError> {
        if let Some((_, text)) = SCENARIOS.iter().find(|(of, _)| *of == name) {
            return Self::parse(text);
        }
        let absent = |source| ScriptError::Absent { name: name.to_owned(), source };
        Self::parse(&std::fs::read_to_string(Path::new(name)).map_err(absent)?)
    }

    /// Reads a scenario.
    ///
    /// # Errors
    /// See [`ScriptError`].
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let script: Self = toml::from_str(text)?;
        for (name, amount) in &script.amounts {
            if !KNOBS.iter().any(|(of, ..)| of == name) {
                return Err(ScriptError::Unknown(name.clone()));
            }
            if !amount.is_sound() {
                return Err(ScriptError::Range(name.clone()));
            }
        }
        Ok(script)
    }

    /// The scenario that a seed makes of it.
    #[must_use]
    pub fn scenario(&self, seed: u64) -> Scenario {
        Scenario::new(&self.draw(seed))
    }

    /// The same script with the numbers that a seed draws: it makes the same scenario of every seed.
    #[must_use]
    pub fn pinned(&self, seed: u64) -> Self {
        let drawn = self.draw(seed).into_iter();
        let amounts = drawn.map(|(name, amount)| (name.to_owned(), Amount::Fixed(amount))).collect();
        Self { about: self.about.clone(), amounts }
    }

    /// What it sets to this, if it sets it to a fixed number.
    #[must_use]
    pub fn fixed(&self, name: &str) -> Option<f64> {
        match self.amounts.get(name) {
            Some(Amount::Fixed(amount)) => Some(*amount),
            _ => None,
        }
    }

    /// The same with another number.
    #[must_use]
    pub(super) fn with(&self, name: &str, amount: f64) -> Self {
        let mut script = self.clone();
        script.amounts.insert(name.to_owned(), Amount::Fixed(amount));
        script
    }

    /// Each number is drawn by a generator of its own, so that what a seed makes of one does not depend on which others there
    /// are.
    fn draw(&self, seed: u64) -> BTreeMap<&'static str, f64> {
        let draw = |(name, default, whole): (&'static str, _, _)| {
            let amount = self.amounts.get(name).copied().unwrap_or(Amount::Fixed(default));
            let mut rng = fastrand::Rng::with_seed(seed ^ hash(name));
            (name, amount.draw(&mut rng, whole))
        };
        KNOBS.into_iter().map(draw).collect()
    }
}

/// FNV-1a (Fowler, Noll and Vo), which is the same everywhere.
fn hash(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

impl Amount {
    fn is_sound(self) -> bool {
        let (least, most) = match self {
            Self::Fixed(amount) => (amount, amount),
            Self::Between([least, most]) => (least, most),
            Self::Sometimes { sometimes } => (0.0, sometimes),
        };
        (0.0..=1e6).contains(&least) && (least..=1e6).contains(&most)
    }

    fn draw(self, rng: &mut fastrand::Rng, whole: bool) -> f64 {
        match self {
            Self::Fixed(amount) => amount,
            Self::Between([least, most]) if whole => {
                (least + rng.f64() * (most - least + 1.0)).floor().min(most)
            }
            Self::Between([least, most]) => least + rng.f64() * (most - least),
            Self::Sometimes { sometimes } if rng.bool() => Self::Between([0.0, sometimes]).draw(rng, whole),
            Self::Sometimes { .. } => 0.0,
        }
    }
}

/// As TOML, without what is as it is if it is not set.
impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "about = {:?}", self.about)?;
        for (name, default, _) in KNOBS {
            match self.amounts.get(name) {
                Some(Amount::Fixed(amount)) if *amount == default => {}
                Some(Amount::Fixed(amount)) => writeln!(f, "{name} = {amount}")?,
                Some(Amount::Between([least, most])) => writeln!(f, "{name} = [{least}, {most}]")?,
                Some(Amount::Sometimes { sometimes }) => {
                    writeln!(f, "{name} = {{ sometimes = {sometimes} }}")?;
                }
                None => {}
            }
        }
        Ok(())
    }
}
