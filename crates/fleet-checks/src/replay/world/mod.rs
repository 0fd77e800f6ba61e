//! Runs a scenario: the machines of its servers, a bus, and a clock that steps through both.
//!
//! The clock steps 1/64 s. At equal times servers start first, then calls run in the order of the list, then whatever
//! is timed: ends of publishes, deliveries, the machines' own wake-ups. So a machine's clock has two instants a step.

mod calls;
mod outputs;

use std::collections::{BTreeMap, BTreeSet};

use bulk_messaging::Config;
use bulk_messaging::machine::{Input, Machine, Output, PublishId};
use bytes::Bytes;
use serde_json::Value;
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, ErrorKind, Instant, Outgoing, presets};

use self::outputs::Request;
use crate::replay::bus::{Bus, Fate};
use crate::replay::recording::{Call, STEPS_A_SECOND, Scenario};
use crate::replay::saves::Saves;
use crate::replay::store::Store;
use crate::replay::value::text;
use crate::replay::{BULK_CALLS, SAVE_DATA_CALLS};

/// The real topic of the originals.
pub(crate) const REAL_TOPIC: &str = "NexusBulkMessagingService";

/// How long after its end a scenario goes on in the default profile, so that what went wrong can heal.
///
/// Revalidation is the slowest: it comes within five minutes.
const HEAL_SECONDS: u64 = 330;

/// In which profile servers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Strict,
    Default,
}

/// Everything that a run showed. Times are steps.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    pub(crate) published: Vec<Published>,
    pub(crate) received: Vec<Received>,
    /// Calls that returned an error, counted from 1, in their order.
    pub(crate) failed_calls: BTreeSet<usize>,
    /// How many messages a subscription had received when it was told of a gap: by server and inner topic.
    pub(crate) gaps: BTreeMap<(String, String), usize>,
    /// What calls returned.
    pub(crate) values: BTreeMap<usize, Value>,
    /// What became of calls that end later: flushes, updates, the end of a server.
    pub(crate) fates: BTreeMap<usize, CallFate>,
    pub(crate) firings: Vec<Fired>,
    /// Every visible change, listened to or not.
    pub(crate) shown: Vec<Shown>,
    /// What is stored in the end.
    pub(crate) store: Value,
    /// What each server holds in the end, or held when it crashed.
    pub(crate) caches: serde_json::Map<String, Value>,
    /// The saves that are open in the end: server, store, key.
    pub(crate) live: Vec<(String, String, String)>,
    /// Writes that the store committed.
    pub(crate) commits: usize,
}

/// What became of a call in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallFate {
    Durable,
    /// It surely changed nothing.
    Never,
    Unknown,
}

/// A call of a listener.
#[derive(Clone, Debug)]
pub(crate) struct Fired {
    pub(crate) at: u64,
    pub(crate) server: String,
    /// The label of the save.
    pub(crate) save: String,
    pub(crate) key: String,
    pub(crate) value: Value,
}

/// A visible change, as a listener would have heard of it, and what was there before.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) fired: Fired,
    pub(crate) old: Value,
}

#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) at: u64,
    pub(crate) server: String,
    pub(crate) topic: String,
    pub(crate) message: String,
    pub(crate) failed: bool,
}

#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) at: u64,
    pub(crate) server: String,
    pub(crate) topic: String,
    pub(crate) message: Value,
}

struct Server {
    machine: Machine,
    started: u64,
    /// Callbacks of each inner topic.
    subscribed: BTreeMap<String, usize>,
    saves: Saves,
}

enum Event {
    Stored { server: usize, request: Request },
    Published { server: usize, id: PublishId, result: Result<(), ErrorKind> },
    Arrives { server: usize, body: Bytes },
}

pub(crate) struct World<'a> {
    scenario: &'a Scenario,
    manner: Manner,
    bus: Bus<'a>,
    store: Store<'a>,
    step: u64,
    /// The timed part of the step has begun.
    timed: bool,
    /// The call that runs, counted from 1.
    call: Option<usize>,
    servers: Vec<Option<Server>>,
    /// By step and order.
    events: BTreeMap<(u64, u64), Event>,
    next_event: u64,
    observed: Observed,
}

impl<'a> World<'a> {
    /// Runs a scenario to its end.
    pub(crate) fn run(scenario: &'a Scenario, manner: Manner) -> Observed {
        let mut world = Self {
            scenario,
            manner,
            bus: Bus::new(&scenario.setup),
            store: Store::new(&scenario.setup),
            step: 0,
            timed: false,
            call: None,
            servers: scenario.servers.iter().map(|_| None).collect(),
            events: BTreeMap::new(),
            next_event: 0,
            observed: Observed::default(),
        };
        let heal = if manner == Manner::Default { HEAL_SECONDS * STEPS_A_SECOND } else { 0 };
        for step in 0..=scenario.until.step() + heal {
            let heals = step > scenario.until.step();
            (world.bus.healed, world.store.healed) = (heals, heals);
            world.run_step(step);
        }
        world.finish()
    }

    fn finish(mut self) -> Observed {
        (0..self.servers.len()).for_each(|index| self.keep_cache(index));
        for (server, of) in self.servers.iter().zip(&self.scenario.servers) {
            let slots = server.iter().flat_map(|server| &server.saves.slots).filter(|slot| slot.is_open);
            let name = |key: &transport_traits::RecordKey| (key.store.to_string(), key.key.to_string());
            self.observed
                .live
                .extend(slots.map(|slot| (of.id.clone(), name(&slot.key).0, name(&slot.key).1)));
        }
        self.observed.store = self.store.contents();
        self.observed.commits = self.store.commits;
        self.observed
    }

    /// Notes what a server holds in memory.
    fn keep_cache(&mut self, index: usize) {
        if let Some(server) = &self.servers[index] {
            let id = self.scenario.servers[index].id.clone();
            self.observed.caches.insert(id, server.saves.caches());
        }
    }

    fn run_step(&mut self, step: u64) {
        (self.step, self.timed) = (step, false);
        for (index, server) in self.scenario.servers.iter().enumerate() {
            if server.start.step() == step {
                self.servers[index] = Some(self.start(index));
            }
        }
        for (index, call) in self.scenario.calls.iter().enumerate() {
            if call.at.step() == step {
                let of_bulk = !SAVE_DATA_CALLS.contains(&call.call.as_str());
                self.call = Some(index + 1).filter(|_| of_bulk);
                self.run_call(call, index + 1);
            }
        }
        (self.timed, self.call) = (true, None);
        self.run_timed();
    }

    /// What is timed, until nothing more happens in this step.
    fn run_timed(&mut self) {
        loop {
            for server in 0..self.servers.len() {
                self.poll_saves(server);
                self.poll(server);
            }
            let Some(due) = self.events.first_entry().filter(|due| due.key().0 <= self.step) else { return };
            match due.remove() {
                Event::Published { server, id, result } => {
                    self.handle(server, Input::Published { id, result })
                }
                Event::Stored { server, request } => self.carry_out(server, request),
                Event::Arrives { server, body } => self.handle(server, Input::Received(body)),
            }
        }
    }

    fn start(&self, index: usize) -> Server {
        let (mut config, limits) = match self.manner {
            Manner::Strict => (Config::strict_nexus(REAL_TOPIC), BusLimits::default()),
            Manner::Default => (Config::new(REAL_TOPIC), self.limits()),
        };
        // The originals give topics of any length.
        config.max_topic_bytes =
            config.max_topic_bytes.min(limits.body.map_or(usize::MAX, |body| body.max / 4));
        config.seed = Some(index as u64);
        let machine = Machine::new(config, &limits, micros(self.step, true));
        let machine = machine.expect("the profiles fit the limits of the platform");
        let saves = Saves::new(self.manner, &self.scenario.setup, index, machine.limits(), self.instant());
        Server { machine, started: self.step, subscribed: BTreeMap::new(), saves }
    }

    /// The platform's limits, with the size that the scenario sets.
    fn limits(&self) -> BusLimits {
        let mut limits = presets::ROBLOX_MESSAGING;
        limits.body = self.scenario.setup.max_encoded_bytes.map(SizeLimit::json_encoded);
        limits
    }

    fn run_call(&mut self, call: &Call, number: usize) {
        if call.call == "ExternalPublish" {
            return self.publish_from_outside(call.text(0).unwrap_or_default());
        }
        let Some(index) = self.scenario.server(&call.server) else { return };
        if !BULK_CALLS.contains(&call.call.as_str()) || call.call == "Close" {
            self.run_save_call(index, call, number);
            self.poll_saves(index);
        }
        let (now, manner) = (self.now(index), self.manner);
        let Some(server) = &mut self.servers[index] else { return };
        match call.call.as_str() {
            "Publish" => {
                let message = Outgoing::new(call.text(0).unwrap_or_default(), text(&call.args[1]));
                if server.machine.push(now, message, None).is_err() {
                    self.observed.failed_calls.insert(number);
                }
            }
            "FlushMessages" => server.machine.handle(now, Input::Flush(number as u64)),
            "Subscribe" => {
                let topic = call.text(0).unwrap_or_default();
                *server.subscribed.entry(topic.to_owned()).or_default() += 1;
                server.machine.handle(now, Input::Watch(topic.into()));
            }
            // The original leaves its buffer as it is.
            "Close" if manner == Manner::Default => server.machine.handle(now, Input::Drain),
            "Crash" => {
                self.keep_cache(index);
                self.servers[index] = None;
            }
            _ => {}
        }
        self.poll_after_call(index);
    }

    /// Lets a call have its effects before the next one. In the step in which the server started its clock is at the
    /// timed part already, which has to wait for all calls.
    fn poll_after_call(&mut self, index: usize) {
        if self.servers[index].as_ref().is_some_and(|server| server.started < self.step) {
            self.poll(index);
        }
    }

    fn handle(&mut self, index: usize, input: Input) {
        let now = self.now(index);
        if let Some(server) = &mut self.servers[index] {
            server.machine.handle(now, input);
        }
    }

    /// Does everything that a machine wants now.
    fn poll(&mut self, index: usize) {
        let now = self.now(index);
        while let Some(output) = self.servers[index].as_mut().and_then(|server| server.machine.poll(now)) {
            match output {
                Output::Publish { id, topic, body } => self.publish(index, id, &topic, body),
                Output::Deliver { topic, body } => self.deliver(index, &topic, &body),
                Output::Gap => self.gap(index),
                _ => {}
            }
        }
    }

    fn publish(&mut self, index: usize, id: PublishId, topic: &str, body: Bytes) {
        let id_of = self.scenario.servers[index].id.clone();
        let Fate { result, delivers } = self.bus.publish(&id_of, &body);
        let message = String::from_utf8_lossy(&body).into_owned();
        let failed = result.is_err();
        self.observed.failed_calls.extend(self.call.filter(|_| failed && self.manner == Manner::Strict));
        self.record(id_of, topic, message, failed);
        let latency = self.scenario.setup.publish_latency.step();
        if latency == 0 {
            self.handle(index, Input::Published { id, result });
        } else {
            self.at(latency, Event::Published { server: index, id, result });
        }
        if delivers {
            self.send(index, latency, &body);
        }
    }

    fn publish_from_outside(&mut self, message: &str) {
        self.record("external".to_owned(), REAL_TOPIC, message.to_owned(), false);
        self.send(usize::MAX, 0, &Bytes::copy_from_slice(message.as_bytes()));
    }

    fn record(&mut self, server: String, topic: &str, message: String, failed: bool) {
        let (at, topic) = (self.step, topic.to_owned());
        self.observed.published.push(Published { at, server, topic, message, failed });
    }

    /// Brings what was published last to every server that listens.
    fn send(&mut self, from: usize, latency: u64, body: &Bytes) {
        let number = self.observed.published.len() as u64;
        let from = self.scenario.servers.get(from).map_or("external", |server| &server.id);
        for (to, server) in self.scenario.servers.iter().enumerate() {
            let delay = self.bus.delay(number, from, &server.id);
            if let Some(delay) = delay.filter(|_| self.servers[to].is_some()) {
                self.at(latency + delay, Event::Arrives { server: to, body: body.clone() });
            }
        }
    }

    fn at(&mut self, later: u64, event: Event) {
        self.next_event += 1;
        self.events.insert((self.step + later, self.next_event), event);
    }

    /// Hands a message to every callback of its topic.
    fn deliver(&mut self, index: usize, topic: &str, body: &Bytes) {
        let callbacks = self.servers[index].as_ref().and_then(|server| server.subscribed.get(topic).copied());
        for _ in 0..callbacks.unwrap_or(0) {
            self.observed.received.push(Received {
                at: self.step,
                server: self.scenario.servers[index].id.clone(),
                topic: topic.to_owned(),
                message: serde_json::from_slice(body).unwrap_or(Value::Null),
            });
        }
        self.deliver_to_saves(index, topic, body);
    }

    fn gap(&mut self, index: usize) {
        let id = &self.scenario.servers[index].id;
        let topics = self.servers[index].iter().flat_map(|server| server.subscribed.keys());
        for topic in topics {
            let heard = |received: &&Received| received.server == *id && received.topic == *topic;
            let count = self.observed.received.iter().filter(heard).count();
            self.observed.gaps.insert((id.clone(), topic.clone()), count);
        }
        self.gap_in_saves(index);
    }

    /// A machine's clock never goes back.
    fn now(&self, index: usize) -> Instant {
        let started = self.servers[index].as_ref().is_some_and(|server| server.started == self.step);
        micros(self.step, self.timed || started)
    }
}

/// The instant of a step, or of its timed part.
fn micros(step: u64, timed: bool) -> Instant {
    Instant::from_micros(step * 1_000_000 / STEPS_A_SECOND + u64::from(timed))
}
