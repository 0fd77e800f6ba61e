//! A small world in virtual time: machines, and a bus between them that does what a test wants.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bulk_messaging::machine::{Input, Machine, Output, PublishId};
use bulk_messaging::wire::Frame;
use bulk_messaging::{Budget, Config, Format, Refusal};
use bytes::Bytes;
use proptest::prelude::*;
use transport_traits::limits::{Counting, SizeLimit};
use transport_traits::{BusLimits, ErrorKind, Instant, Outgoing};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What the bus does to a publish, as probabilities.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// It fails, and surely has no effect.
    pub(crate) fail: f64,
    /// It has its effect, or not, and says that it does not know.
    pub(crate) unknown: f64,
    /// A delivery is lost.
    pub(crate) lose: f64,
    /// A delivery comes twice.
    pub(crate) double: f64,
    /// A delivery takes up to so long.
    pub(crate) delay: Duration,
    /// A publish takes up to so long.
    pub(crate) publish: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Message(String, String),
    Gap,
}

pub(crate) struct Server {
    pub(crate) machine: Machine,
    pub(crate) received: Vec<Item>,
    pub(crate) confirmed: BTreeMap<u64, Result<(), ErrorKind>>,
    pub(crate) flushed: Vec<u64>,
    pub(crate) drained: Option<Vec<Outgoing>>,
    pub(crate) published: Vec<(Instant, Bytes)>,
}

enum Event {
    Done(usize, PublishId, Result<(), ErrorKind>),
    Arrives(usize, Bytes),
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) servers: Vec<Server>,
    pub(crate) faults: Faults,
    limit: SizeLimit,
    random: fastrand::Rng,
    events: BTreeMap<(Instant, u64), Event>,
    next_event: u64,
}

impl World {
    /// So many servers that all watch `topics`, over a bus with this limit.
    pub(crate) fn new(
        servers: usize,
        seed: u64,
        limit: SizeLimit,
        topics: &[&str],
        change: impl Fn(&mut Config),
    ) -> Self {
        let mut bus = BusLimits::default();
        bus.body = Some(limit);
        let server = |number: usize| {
            let mut config = Config::new("real");
            config.sender = Some(format!("s{number}").into());
            config.seed = Some(seed.wrapping_mul(1_000).wrapping_add(number as u64));
            change(&mut config);
            let mut machine = Machine::new(config, &bus, Instant::ZERO).expect("a fitting configuration");
            topics.iter().for_each(|&topic| machine.handle(Instant::ZERO, Input::Watch(topic.into())));
            Server {
                machine,
                received: Vec::new(),
                confirmed: BTreeMap::new(),
                flushed: Vec::new(),
                drained: None,
                published: Vec::new(),
            }
        };
        Self {
            now: Instant::ZERO,
            servers: (0..servers).map(server).collect(),
            faults: Faults::default(),
            limit,
            random: fastrand::Rng::with_seed(seed),
            events: BTreeMap::new(),
            next_event: 0,
        }
    }

    /// Two servers, 1,024 bytes, no budget.
    pub(crate) fn pair(topics: &[&str]) -> Self {
        Self::new(2, 1, SizeLimit::bytes(1_024), topics, |config| config.budget = Budget::Unlimited)
    }

    pub(crate) fn push(
        &mut self,
        server: usize,
        message: Outgoing,
        confirm: Option<u64>,
    ) -> Result<(), Refusal> {
        self.servers[server].machine.push(self.now, message, confirm)
    }

    /// Publishes a number as a message.
    pub(crate) fn say(&mut self, server: usize, topic: &str, number: usize) {
        let message = Outgoing::new(topic, number.to_string());
        self.push(server, message, None).expect("room for a number");
    }

    pub(crate) fn handle(&mut self, server: usize, input: Input) {
        self.servers[server].machine.handle(self.now, input);
    }

    /// Runs for so long.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.settle();
            let wakeups = self.servers.iter().filter_map(|server| server.machine.next_wakeup());
            let wakeup = wakeups.min();
            assert!(
                wakeup.is_none_or(|at| at > self.now),
                "a machine that has nothing to do wants to wake at once"
            );
            let event = self.events.first_key_value().map(|(&(at, _), _)| at);
            let next = [wakeup, event, Some(end)].into_iter().flatten().min().unwrap_or(end);
            self.now = next;
            self.events_due();
            if next == end {
                self.settle();
                return;
            }
        }
    }

    fn events_due(&mut self) {
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                Event::Done(server, id, result) => self.handle(server, Input::Published { id, result }),
                Event::Arrives(server, body) => self.handle(server, Input::Received(body)),
            }
        }
    }

    /// Carries out everything that the machines want now.
    pub(crate) fn settle(&mut self) {
        (0..self.servers.len()).for_each(|server| self.settle_of(server));
    }

    /// Carries out everything that one machine wants now.
    pub(crate) fn settle_of(&mut self, server: usize) {
        while let Some(output) = self.servers[server].machine.poll(self.now) {
            self.carry_out(server, output);
        }
    }

    fn carry_out(&mut self, number: usize, output: Output) {
        let server = &mut self.servers[number];
        match output {
            Output::Publish { id, body, .. } => {
                assert!(self.limit.check("frame", &body).is_ok(), "a frame is over the limit");
                server.published.push((self.now, body.clone()));
                self.publish(number, id, &body);
            }
            Output::Deliver { topic, body } => {
                let body = String::from_utf8(body.to_vec()).expect("JSON is UTF-8");
                server.received.push(Item::Message(topic.to_string(), body));
            }
            Output::Gap => server.received.push(Item::Gap),
            Output::Confirmed { ids, result } => {
                for id in ids {
                    assert!(server.confirmed.insert(id, result).is_none(), "confirmed twice");
                }
            }
            Output::Flushed(id) => server.flushed.push(id),
            Output::Drained(rest) => server.drained = Some(rest),
            Output::Refused { .. } | Output::Malformed(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }

    fn publish(&mut self, server: usize, id: PublishId, body: &Bytes) {
        let faults = self.faults.clone();
        let chance = self.random.f64();
        let (effect, result) = if chance < faults.fail {
            (false, Err(ErrorKind::Unavailable))
        } else if chance < faults.fail + faults.unknown {
            (self.random.bool(), Err(ErrorKind::Unknown))
        } else {
            (true, Ok(()))
        };
        self.at(faults.publish, Event::Done(server, id, result));
        for receiver in 0..self.servers.len() {
            if effect && self.random.f64() >= faults.lose {
                self.at(faults.delay, Event::Arrives(receiver, body.clone()));
                if self.random.f64() < faults.double {
                    self.at(faults.delay, Event::Arrives(receiver, body.clone()));
                }
            }
        }
    }

    /// Somewhen within the given time.
    fn at(&mut self, within: Duration, event: Event) {
        let at = self.now + within.mul_f64(self.random.f64());
        self.next_event += 1;
        self.events.insert((at, self.next_event), event);
    }

    /// The messages that a server received on a topic.
    pub(crate) fn heard(&self, server: usize, topic: &str) -> Vec<String> {
        let bodies = self.servers[server].received.iter().filter_map(|item| match item {
            Item::Message(of, body) if of == topic => Some(body.clone()),
            _ => None,
        });
        bodies.collect()
    }

    pub(crate) fn gaps(&self, server: usize) -> usize {
        self.servers[server].received.iter().filter(|item| **item == Item::Gap).count()
    }

    /// The frames that a server published, without heads and repetitions.
    pub(crate) fn frames(&self, server: usize) -> Vec<Bytes> {
        let mut seen = BTreeSet::new();
        let frames = self.servers[server].published.iter().map(|(_, body)| body.clone());
        let has_messages = |body: &Bytes| {
            let frame = Frame::decode(body.clone()).expect("a frame of ours");
            frame.messages().next().is_some()
        };
        frames.filter(|body| has_messages(body) && seen.insert(body.clone())).collect()
    }
}

/// A parsed frame.
pub(crate) fn parse(frame: &[u8]) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_slice(frame).expect("a frame is a JSON object")
}

/// The header of a frame.
pub(crate) fn header(frame: &[u8]) -> String {
    parse(frame)["~"][0].as_str().expect("a header is a string").to_owned()
}

/// The strings "0", "1" … as numbers are published and received.
pub(crate) fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// A machine alone, that has no budget unless `change` gives it one.
pub(crate) fn machine(limit: SizeLimit, change: impl FnOnce(&mut Config)) -> Machine {
    let mut bus = BusLimits::default();
    bus.body = Some(limit);
    let mut config = Config::new("real");
    config.sender = Some("me".into());
    config.seed = Some(1);
    change(&mut config);
    Machine::new(config, &bus, Instant::ZERO).expect("a fitting configuration")
}

pub(crate) fn drain_outputs(machine: &mut Machine, now: Instant) -> Vec<Output> {
    std::iter::from_fn(|| machine.poll(now)).collect()
}

/// The frames among these outputs.
pub(crate) fn publishes(outputs: &[Output]) -> Vec<(PublishId, Bytes)> {
    let publish = |output: &Output| match output {
        Output::Publish { id, body, .. } => Some((*id, body.clone())),
        _ => None,
    };
    outputs.iter().filter_map(publish).collect()
}

pub(crate) fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// Every format.
pub(crate) fn formats() -> impl Strategy<Value = Format> {
    prop::sample::select(vec![Format::Nexus, Format::Compact, Format::CompactText])
}

pub(crate) const COUNTINGS: [Counting; 3] = [Counting::Bytes, Counting::Chars, Counting::JsonEncoded];
