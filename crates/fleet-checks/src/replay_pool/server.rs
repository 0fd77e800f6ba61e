//! One server of a replay: the real machine, and what its user saw.

use std::collections::BTreeMap;

use serde_json::Value;
use server_pool::Config;
use server_pool::machine::{Change, Input, Machine, Notice, PoolId};
use transport_traits::{BusLimits, Instant, WallTime};

/// The only pool.
pub(super) const POOL: PoolId = PoolId(0);

/// An event as the original's users saw it: `None` for a removal.
pub(super) type Seen = (String, Option<Value>);

pub(super) struct Server {
    pub(super) name: String,
    pub(super) machine: Machine,
    pub(super) alive: bool,
    /// The view by key: value and owner.
    pub(super) view: BTreeMap<String, (Value, String)>,
    /// Firings for a value that was visible already are left out.
    pub(super) events: Vec<Seen>,
    /// Frames published that carry entries.
    pub(super) parts: usize,
}

impl Server {
    /// A server that opens its pool. `at_once`: its changes wait for no company, as the original's did not.
    pub(super) fn start(now: Instant, wall: WallTime, name: &str, at_once: bool) -> Self {
        let mut config = Config::new(name).with_incarnation(1);
        if at_once {
            config.coalesce = std::time::Duration::ZERO;
        }
        let mut machine = Machine::new(now, wall, config, &BusLimits::default(), true)
            .expect("the configuration works with a bus without limits");
        machine.open(now, "pool".into());
        let (view, events) = (BTreeMap::new(), Vec::new());
        Self { name: name.to_owned(), machine, alive: true, view, events, parts: 0 }
    }

    /// Contributes an entry.
    pub(super) fn contribute(&mut self, now: Instant, key: &str, entry: &Value) {
        let done = self.machine.contribute(now, POOL, key, entry.to_string().into());
        assert!(done.is_ok() || self.machine.is_closing(), "{done:?}");
    }

    pub(super) fn receive(&mut self, now: Instant, body: bytes::Bytes) {
        self.machine.handle(now, Input::Received { pool: POOL, body });
    }

    /// What is in the pool now, in no order that means anything.
    pub(super) fn contents(&self) -> Vec<Value> {
        self.view.values().map(|(value, _)| value.clone()).collect()
    }

    /// Takes in what the machine tells.
    pub(super) fn take_notices(&mut self) {
        while let Some((_, notice)) = self.machine.poll_notice() {
            match notice {
                Notice::Changed(Change::Set { key, value, owner, .. }) => {
                    let value: Value = serde_json::from_str(&value).expect("values are sent as JSON text");
                    let old = self.view.insert(key.to_string(), (value.clone(), owner.to_string()));
                    if old.is_none_or(|old| old.0 != value) {
                        self.events.push((key.to_string(), Some(value)));
                    }
                }
                Notice::Changed(Change::Removed { key, .. }) => {
                    self.view.remove(&*key);
                    self.events.push((key.to_string(), None));
                }
                Notice::State(_) | Notice::Synced => {}
            }
        }
    }
}
