//! The format of the recordings: what was set up, called and observed.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// Recorded scenarios.
#[derive(Debug, Deserialize)]
pub struct Recording {
    pub(crate) scenarios: Vec<Scenario>,
}

/// Why recordings could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not of the format.
    #[error("not a recording: {0}")]
    Format(#[from] serde_json::Error),
    /// A time is no time, or a call comes from nobody.
    #[error("scenario {0}: {1}")]
    Scenario(String, String),
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ReadError::File { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`ReadError::Format`], [`ReadError::Scenario`].
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        let recording: Self = serde_json::from_str(text)?;
        for scenario in &recording.scenarios {
            scenario.check().map_err(|reason| ReadError::Scenario(scenario.name.clone(), reason))?;
        }
        Ok(recording)
    }
}

/// One run of the original.
#[derive(Debug, Deserialize)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) setup: Setup,
    pub(crate) servers: Vec<Server>,
    pub(crate) calls: Vec<Call>,
    pub(crate) until: Seconds,
    #[serde(default)]
    pub(crate) published: Vec<Published>,
    #[serde(default)]
    pub(crate) received: Vec<Received>,
    #[serde(default)]
    pub(crate) returns: Vec<Returned>,
    #[serde(default)]
    pub(crate) store: Value,
    #[serde(default)]
    pub(crate) caches: Value,
    #[serde(default)]
    pub(crate) on_update: Vec<Firing>,
    #[serde(default)]
    pub(crate) store_requests: Option<Vec<StoreRequest>>,
}

/// What a scenario is there for. Whatever is not meant to be reproduced is judged as a hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// To be reproduced.
    Compat,
    /// To be done better.
    #[serde(other)]
    Hazard,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Setup {
    pub(crate) delivery_delay: Seconds,
    pub(crate) publish_latency: Seconds,
    pub(crate) store_latency: Seconds,
    pub(crate) buffer: Seconds,
    pub(crate) autosave: Seconds,
    pub(crate) max_encoded_bytes: Option<usize>,
    pub(crate) initial_store: Value,
    pub(crate) faults: Vec<Fault>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            delivery_delay: Seconds(0.25),
            publish_latency: Seconds(0.0),
            store_latency: Seconds(0.0),
            buffer: Seconds(10.0),
            autosave: Seconds(10.0),
            max_encoded_bytes: None,
            initial_store: Value::Null,
            faults: Vec::new(),
        }
    }
}

/// An injected fault. Which members count depends on what it is `on`.
#[derive(Debug, Deserialize)]
pub(crate) struct Fault {
    pub(crate) on: String,
    #[serde(default)]
    pub(crate) fault: String,
    pub(crate) server: Option<String>,
    pub(crate) nth: Option<u64>,
    pub(crate) publish: Option<u64>,
    pub(crate) to: Option<String>,
    pub(crate) from: Option<String>,
    /// How much later a delayed delivery comes.
    #[serde(alias = "delay", alias = "by")]
    pub(crate) seconds: Option<Seconds>,
    /// What somebody else commits first.
    #[serde(default)]
    pub(crate) other_commit: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Server {
    pub(crate) id: String,
    pub(crate) start: Seconds,
    /// By the label of a save; a list where it is opened more than once.
    #[serde(default)]
    pub(crate) sync_ids: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) at: Seconds,
    pub(crate) server: String,
    pub(crate) call: String,
    /// The store and the key that it is about. Absent: the first save that the server opened.
    pub(crate) save: Option<(String, String)>,
    #[serde(default)]
    pub(crate) args: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Published {
    pub(crate) at: Seconds,
    pub(crate) server: String,
    pub(crate) topic: String,
    pub(crate) message: String,
    pub(crate) bytes: usize,
    pub(crate) encoded_bytes: usize,
    #[serde(default)]
    pub(crate) failed: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Received {
    pub(crate) at: Seconds,
    pub(crate) server: String,
    pub(crate) topic: String,
    pub(crate) message: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Returned {
    /// Counted from 1.
    pub(crate) call: usize,
    #[serde(default)]
    pub(crate) value: Value,
    #[serde(default)]
    pub(crate) error: Value,
}

/// A call of a listener.
#[derive(Debug, Deserialize)]
pub(crate) struct Firing {
    pub(crate) at: Seconds,
    pub(crate) server: String,
    /// The label of the save.
    pub(crate) save: String,
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) value: Value,
}

/// A request to the data store. One that committed says what.
#[derive(Debug, Deserialize)]
pub(crate) struct StoreRequest {
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) value: Value,
}

/// A time in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seconds(f64);

/// Steps of the virtual clock in a second.
pub(crate) const STEPS_A_SECOND: u64 = 64;

impl Seconds {
    /// The first step at or after this time.
    pub(crate) fn step(self) -> u64 {
        // Checked when the recording was read; a day has few steps.
        (self.0 * STEPS_A_SECOND as f64).ceil() as u64
    }

    /// The same as a duration, in whole steps.
    pub(crate) fn duration(self) -> Duration {
        Duration::from_micros(self.step() * 1_000_000 / STEPS_A_SECOND)
    }

    fn is_sane(self) -> bool {
        (0.0..=86_400.0).contains(&self.0)
    }
}

impl Call {
    /// An argument that is a text.
    pub(crate) fn text(&self, index: usize) -> Option<&str> {
        self.args.get(index).and_then(Value::as_str)
    }
}

impl Scenario {
    /// The place of a server among the servers.
    pub(crate) fn server(&self, id: &str) -> Option<usize> {
        self.servers.iter().position(|server| server.id == id)
    }

    fn check(&self) -> Result<(), String> {
        let of = &self.setup;
        let setup =
            [self.until, of.delivery_delay, of.publish_latency, of.store_latency, of.buffer, of.autosave];
        let starts = self.servers.iter().map(|server| server.start);
        let calls = self.calls.iter().map(|call| call.at);
        let observed = self.published.iter().map(|published| published.at);
        let observed = observed.chain(self.received.iter().map(|received| received.at));
        let observed = observed.chain(self.on_update.iter().map(|firing| firing.at));
        let delays = self.setup.faults.iter().filter_map(|fault| fault.seconds);
        if !setup.into_iter().chain(starts).chain(calls).chain(observed).chain(delays).all(Seconds::is_sane) {
            return Err("a time is not between 0 and a day".to_owned());
        }
        let ids: BTreeMap<&str, ()> = self.servers.iter().map(|server| (server.id.as_str(), ())).collect();
        if ids.len() != self.servers.len() {
            return Err("two servers have one id".to_owned());
        }
        self.calls.iter().try_for_each(|call| self.check_call(call))
    }

    fn check_call(&self, call: &Call) -> Result<(), String> {
        let texts = match call.call.as_str() {
            "Publish" if call.args.len() < 2 => return Err("Publish without a message".to_owned()),
            "Open" => 2,
            "Publish" | "Subscribe" | "ExternalPublish" | "Get" | "Set" | "SetSameTable" | "Increment"
            | "OnUpdate" => 1,
            _ => 0,
        };
        if (0..texts).any(|at| call.text(at).is_none()) {
            return Err(format!("{} without a text", call.call));
        }
        let known = call.call == "ExternalPublish" || self.server(&call.server).is_some();
        if known { Ok(()) } else { Err(format!("a call of server {}, which is not there", call.server)) }
    }
}
