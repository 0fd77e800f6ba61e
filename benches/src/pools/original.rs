//! A model of the original's join: whoever joins says so, and everybody sends all entries, one message each, two a second.
//!
//! A join meanwhile begins that anew. The bus here has its delay and no limits.

use std::time::Duration;

use fleet_sim::{Action, CallId, Event, HostId, Node, Now, Sim};
use transport_traits::{Delivery, Instant, Outgoing};

use super::fleet::{STEP, faults};
use super::joins::Cost;

/// The time between two messages of a refresh: two a second.
const PACE: Duration = Duration::from_millis(500);

const TOPIC: &str = "pool";

/// One server of the original.
struct Model {
    /// `None` once said.
    hello: Option<Action>,
    entries: usize,
    /// The next entry of the refresh under way, and when it is due.
    refresh: Option<(usize, Instant)>,
    known: std::collections::BTreeSet<Vec<u8>>,
    name: u32,
    subscribed: bool,
}

impl Model {
    fn new(name: u32, entries: usize) -> Self {
        let hello = Some(Action::Publish(CallId(0), Outgoing::new(TOPIC, "join")));
        Self { hello, entries, refresh: None, known: Default::default(), name, subscribed: false }
    }
}

impl Node for Model {
    fn handle(&mut self, now: Now, event: Event) {
        let Event::Delivered(_, Delivery::Message(body)) = event else { return };
        if *body == *b"join" {
            self.refresh = (self.entries > 0).then_some((0, now.instant));
        } else {
            self.known.insert(body.to_vec());
        }
    }

    fn poll(&mut self, now: Now) -> Option<Action> {
        if !std::mem::replace(&mut self.subscribed, true) {
            return Some(Action::Subscribe(TOPIC.into()));
        }
        if let Some(hello) = self.hello.take() {
            return Some(hello);
        }
        let (entry, _) = self.refresh.filter(|(_, due)| *due <= now.instant)?;
        let next = entry + 1;
        self.refresh = (next < self.entries).then_some((next, now.instant + PACE));
        Some(Action::Publish(CallId(0), Outgoing::new(TOPIC, format!("{}/{entry}", self.name))))
    }

    fn next_wakeup(&mut self, _: Now) -> Option<Instant> {
        self.refresh.map(|(_, due)| due)
    }
}

/// A fleet at rest: nobody says hello.
fn fleet(servers: usize, entries: usize) -> Sim<Model> {
    let mut sim = Sim::new(1);
    sim.bus.faults = faults(0.0);
    for name in 0..servers {
        let model = Model { hello: None, ..Model::new(name as u32, entries) };
        sim.launch(|_| model);
    }
    sim
}

fn known(sim: &Sim<Model>, host: HostId) -> usize {
    sim.node(host).map_or(0, |model| model.known.len())
}

/// One server joins a fleet at rest.
#[must_use]
pub fn one(servers: usize, entries: usize) -> Cost {
    let mut sim = fleet(servers, entries);
    let joiner = sim.launch(|_| Model::new(u32::MAX, 0));
    let all = servers * entries;
    let took = sim.run_until(Duration::from_secs(600), STEP, |sim| known(sim, joiner) == all);
    Cost {
        requests: sim.bus.stats().publishes,
        seconds: took.map_or(f64::INFINITY, |took| took.as_secs_f64()),
    }
}

/// What part of all entries the last of twelve servers knows that joined one every 10 s, 10 s after it did.
#[must_use]
pub fn every_ten_seconds(servers: usize, entries: usize) -> f64 {
    let mut sim = fleet(servers, entries);
    let mut last = None;
    for name in 0..12 {
        last = Some(sim.launch(|_| Model::new(1_000_000 + name, 0)));
        sim.run(Duration::from_secs(10));
    }
    last.map_or(0.0, |joiner| known(&sim, joiner) as f64 / (servers * entries) as f64)
}
