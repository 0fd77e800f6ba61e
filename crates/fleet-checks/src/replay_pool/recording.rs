//! The format of the recordings of the pool library: what was set up, called and observed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Recorded scenarios.
#[derive(Debug, Deserialize)]
pub struct Recording {
    pub(super) scenarios: Vec<Scenario>,
}

impl Recording {
    /// Reads a text.
    ///
    /// # Errors
    /// If it is not of the format.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}

/// One run of the original.
#[derive(Debug, Deserialize)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) setup: Setup,
    pub(super) pool: Kind,
    pub(super) servers: Vec<Start>,
    pub(super) calls: Vec<Call>,
    /// In seconds, as all times.
    pub(super) until: f64,
    pub(super) published: Vec<Published>,
    #[serde(default)]
    pub(super) failed_publishes: Vec<Published>,
    pub(super) contributions: BTreeMap<String, Vec<Value>>,
    pub(super) events: Vec<Event>,
    pub(super) returns: Vec<Return>,
}

/// What the bus does to single messages.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Setup {
    #[serde(default)]
    pub(super) delays: Vec<Mishap>,
    #[serde(default)]
    pub(super) drops: Vec<Mishap>,
}

/// A message, by its place among the published, that reaches one server late or not at all.
#[derive(Debug, Deserialize)]
pub(super) struct Mishap {
    /// Counted from 1.
    pub(super) publish: usize,
    pub(super) to: String,
    #[serde(default)]
    pub(super) seconds: f64,
}

/// Which constructor made the pool.
#[derive(Debug, Deserialize)]
pub(super) struct Kind {
    /// The field that is the key, of a pool of JSON entries.
    pub(super) hash_field: Option<String>,
}

/// A server and when it starts.
#[derive(Debug, Deserialize)]
pub(super) struct Start {
    pub(super) name: String,
    pub(super) start: f64,
}

/// A call of the original's API.
#[derive(Debug, Deserialize)]
pub(super) struct Call {
    pub(super) at: f64,
    pub(super) server: String,
    pub(super) call: String,
    pub(super) args: Vec<Value>,
}

/// A message that the original published, or tried to.
#[derive(Debug, Deserialize)]
pub(super) struct Published {
    pub(super) at: f64,
    pub(super) server: String,
}

/// An event that the original fired.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) server: String,
    pub(super) value: Option<Value>,
    pub(super) key: Option<Value>,
}

/// What a call returned.
#[derive(Debug, Deserialize)]
pub(super) struct Return {
    /// Which call, counted from 1.
    pub(super) call: usize,
    pub(super) value: Option<Value>,
}

impl Kind {
    /// The key of an entry: the text itself, the decimal text of a number, or a field.
    pub(super) fn key(&self, entry: &Value) -> String {
        let key = self.hash_field.as_ref().map_or(entry, |field| &entry[field]);
        key.as_str().map_or_else(|| key.to_string(), str::to_owned)
    }
}
