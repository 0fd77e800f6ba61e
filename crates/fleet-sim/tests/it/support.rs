//! A node that does what a test tells it, and remembers what happened to it.

use std::collections::VecDeque;
use std::time::Duration;

use fleet_sim::{Action, CallId, Event, HostId, Node, Now, Sim};
use transport_traits::{Delivery, ErrorKind, Instant, Outgoing, Precondition, Record, RecordKey};

pub(crate) const TOPIC: &str = "t";

#[derive(Default)]
pub(crate) struct Puppet {
    pub(crate) to_do: VecDeque<Action>,
    /// What was heard and when, ms.
    pub(crate) heard: Vec<(u64, String)>,
    /// The answers to publishes.
    pub(crate) published: Vec<Result<(), ErrorKind>>,
    /// The answers to writes, and when they came, ms.
    pub(crate) put: Vec<(u64, Result<String, ErrorKind>)>,
    /// The answers to reads.
    pub(crate) got: Vec<Result<Option<String>, ErrorKind>>,
    /// When it was woken, ms.
    pub(crate) woken: Vec<u64>,
    pub(crate) alarm: Option<Instant>,
}

impl Node for Puppet {
    fn handle(&mut self, now: Now, event: Event) {
        let at = now.instant.as_micros() / 1_000;
        match event {
            Event::Delivered(_, Delivery::Message(body)) => {
                self.heard.push((at, String::from_utf8(body.to_vec()).expect("tests publish text")));
            }
            Event::Delivered(_, Delivery::Gap) => self.heard.push((at, "(gap)".to_owned())),
            Event::Published(_, result) => self.published.push(result.map_err(|error| error.kind())),
            Event::Put(_, result) => {
                let result = result.map(|version| version.to_string()).map_err(|error| error.kind());
                self.put.push((at, result));
            }
            Event::Got(_, result) => {
                let value = |stored: transport_traits::Stored| stored.record.value.to_string();
                self.got.push(result.map(|stored| stored.map(value)).map_err(|error| error.kind()));
            }
            _ => {}
        }
    }

    fn poll(&mut self, now: Now) -> Option<Action> {
        if self.alarm.is_some_and(|at| at <= now.instant) {
            self.alarm = None;
            self.woken.push(now.instant.as_micros() / 1_000);
        }
        self.to_do.pop_front()
    }

    fn next_wakeup(&mut self, _: Now) -> Option<Instant> {
        self.alarm
    }
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A simulation of so many nodes that are subscribed to the topic.
pub(crate) fn fleet(nodes: usize, seed: u64) -> (Sim<Puppet>, Vec<HostId>) {
    let mut sim = Sim::new(seed);
    let hosts = (0..nodes).map(|_| launch(&mut sim)).collect();
    (sim, hosts)
}

pub(crate) fn launch(sim: &mut Sim<Puppet>) -> HostId {
    let host = sim.add_host();
    start(sim, host);
    host
}

pub(crate) fn start(sim: &mut Sim<Puppet>, host: HostId) {
    sim.start(host, |_| Puppet {
        to_do: VecDeque::from([Action::Subscribe(TOPIC.into())]),
        ..Puppet::default()
    });
}

pub(crate) fn publish(sim: &mut Sim<Puppet>, host: HostId, body: &str) {
    let message = Outgoing::new(TOPIC, body.to_owned());
    sim.act(host, |node, _| node.to_do.push_back(Action::Publish(CallId(0), message)));
}

pub(crate) fn key() -> RecordKey {
    RecordKey::new("s", "k")
}

pub(crate) fn put(sim: &mut Sim<Puppet>, host: HostId, value: &str, precondition: Precondition) {
    let record = Record::new(value);
    sim.act(host, |node, _| {
        node.to_do.push_back(Action::Put(CallId(0), key(), record, precondition));
    });
}

pub(crate) fn get(sim: &mut Sim<Puppet>, host: HostId) {
    sim.act(host, |node, _| node.to_do.push_back(Action::Get(CallId(0), key())));
}

/// What a node heard, without when.
pub(crate) fn heard(sim: &Sim<Puppet>, host: HostId) -> Vec<&str> {
    sim.node(host).expect("it runs").heard.iter().map(|(_, body)| body.as_str()).collect()
}
