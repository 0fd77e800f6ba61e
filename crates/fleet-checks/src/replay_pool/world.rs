//! Servers, a bus and a clock, and the calls of a scenario played to them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use bytes::Bytes;
use serde_json::Value;
use server_pool::machine::{Input, Output};
use transport_traits::{Instant, WallTime};

use super::recording::{Call, Scenario};
use super::server::{POOL, Server};

/// How long a message takes, as in the recordings.
const DELAY: f64 = 0.25;

/// How long after the original's our message for the same call may be sent, and still be that message.
const SAME: f64 = 0.125;

/// When it arrives, in which order it was sent, where, and what.
type OnTheWay = (Instant, usize, usize, Bytes);

pub(super) struct World<'a> {
    scenario: &'a Scenario,
    at_once: bool,
    pub(super) now: Instant,
    pub(super) servers: Vec<Server>,
    on_the_way: BinaryHeap<Reverse<OnTheWay>>,
    sent: usize,
    /// Recorded mishaps that happened already: each happens to one message of ours.
    used: Vec<usize>,
    failed: usize,
    /// By call, counted from 1.
    pub(super) returns: BTreeMap<usize, Value>,
}

/// Something that happens at a recorded time.
enum Step<'a> {
    Start(&'a str),
    Call(usize, &'a Call),
}

/// A time of a recording, in seconds.
pub(super) fn instant(seconds: f64) -> Instant {
    Instant::from_micros((seconds * 1e6).round() as u64)
}

impl<'a> World<'a> {
    /// Plays the whole scenario, up to its end. `at_once`: changes wait for no company.
    pub(super) fn play(scenario: &'a Scenario, at_once: bool) -> Self {
        let mut world = Self {
            scenario,
            at_once,
            now: Instant::ZERO,
            servers: Vec::new(),
            on_the_way: BinaryHeap::new(),
            sent: 0,
            used: Vec::new(),
            failed: 0,
            returns: BTreeMap::new(),
        };
        let starts = scenario.servers.iter().map(|server| (server.start, Step::Start(&server.name)));
        let calls = scenario.calls.iter().enumerate().map(|(at, call)| (call.at, Step::Call(at + 1, call)));
        let mut steps: Vec<_> = starts.chain(calls).collect();
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (at, step) in steps {
            world.run(instant(at));
            match step {
                Step::Start(name) => world.start(name),
                Step::Call(number, call) => world.call(number, call),
            }
        }
        world.run(instant(scenario.until));
        world
    }

    /// Lets time pass, with all that happens until then and then.
    pub(super) fn run(&mut self, until: Instant) {
        loop {
            let arrival = self.on_the_way.peek().map(|Reverse((at, ..))| *at);
            let living = self.servers.iter().filter(|server| server.alive);
            let wakeup = living.filter_map(|server| server.machine.next_wakeup()).min();
            let Some(next) = arrival.into_iter().chain(wakeup).min().filter(|next| *next <= until) else {
                break;
            };
            self.now = self.now.max(next);
            while self.on_the_way.peek().is_some_and(|Reverse((at, ..))| *at <= self.now) {
                let Some(Reverse((_, _, to, body))) = self.on_the_way.pop() else { break };
                if self.servers[to].alive {
                    self.servers[to].receive(self.now, body);
                    self.pump(to);
                }
            }
            (0..self.servers.len()).for_each(|index| self.pump(index));
        }
        self.now = self.now.max(until);
    }

    pub(super) fn server(&self, name: &str) -> Option<&Server> {
        self.servers.iter().find(|server| server.name == name)
    }

    fn start(&mut self, name: &str) {
        let wall = WallTime::from_micros(1_700_000_000_000_000 + self.now.as_micros());
        self.servers.push(Server::start(self.now, wall, name, self.at_once));
        self.pump(self.servers.len() - 1);
    }

    fn call(&mut self, number: usize, call: &Call) {
        if call.call == "Publish" {
            return self.publish_from_outside(&call.args[0]);
        }
        let Some(index) = self.servers.iter().position(|server| server.name == call.server) else { return };
        let (now, kind) = (self.now, &self.scenario.pool);
        let server = &mut self.servers[index];
        match call.call.as_str() {
            "Replace" => server.contribute(now, &kind.key(&call.args[0]), &call.args[0]),
            "Remove" => {
                let key = call.args[0].as_str().map_or_else(|| call.args[0].to_string(), str::to_owned);
                let _ = server.machine.withdraw(now, POOL, &key);
            }
            "Empty" => {
                let _ = server.machine.withdraw_all(now, POOL);
            }
            "Close" => server.machine.handle(now, Input::Close),
            "Crash" => server.alive = false,
            "GetAll" => {
                self.returns.insert(number, Value::Array(server.contents()));
            }
            other => assert_eq!(other, "OpenAgain", "every call of the recordings has a counterpart"),
        }
        self.pump(index);
    }

    /// Somebody who speaks the original's messages: one that speaks ours in its place, or plain nonsense.
    fn publish_from_outside(&mut self, message: &Value) {
        let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
        let sender = text("seid");
        if text("type") != "set" && text("type") != "remove" {
            return self.broadcast(usize::MAX, &Bytes::from(message.to_string()));
        }
        if self.server(&sender).is_none() {
            self.start(&sender);
        }
        let index =
            self.servers.iter().position(|server| server.name == sender).expect("it was just started");
        if text("type") == "set" {
            self.servers[index].contribute(self.now, &text("data"), &message["data"]);
        } else {
            let _ = self.servers[index].machine.withdraw(self.now, POOL, &text("key"));
        }
        self.pump(index);
    }

    /// Carries out what a machine wants done.
    fn pump(&mut self, index: usize) {
        while self.servers[index].alive {
            let Some(output) = self.servers[index].machine.poll(self.now) else { break };
            match output {
                Output::Closed => self.servers[index].alive = false,
                Output::Publish { frame, message } => {
                    let fails = carries_entries(&message.body) && self.fails(index);
                    if !fails {
                        self.servers[index].parts += usize::from(carries_entries(&message.body));
                        self.broadcast(index, &message.body);
                    }
                    let result = if fails {
                        Input::Failed { frame, retry_after: None }
                    } else {
                        Input::Published(frame)
                    };
                    self.servers[index].machine.handle(self.now, result);
                }
            }
        }
        self.servers[index].take_notices();
    }

    fn broadcast(&mut self, from: usize, body: &Bytes) {
        for to in 0..self.servers.len() {
            let Some(delay) = self.delay(from, to, body) else { continue };
            let at = instant(self.now.as_micros() as f64 / 1e6 + delay);
            self.sent += 1;
            self.on_the_way.push(Reverse((at, self.sent, to, body.clone())));
        }
    }

    /// How long a message takes in seconds; `None` if it is lost. A recorded mishap happens to the first message
    /// that tells what the recorded one told.
    fn delay(&mut self, from: usize, to: usize, body: &Bytes) -> Option<f64> {
        if !carries_entries(body) {
            return Some(DELAY);
        }
        let setup = &self.scenario.setup;
        let mishaps = setup.delays.iter().chain(&setup.drops).enumerate();
        let (now, servers) = (self.now, &self.servers);
        let hit = mishaps.filter(|(number, _)| !self.used.contains(number)).find(|(_, mishap)| {
            let published = &self.scenario.published[mishap.publish - 1];
            let names = servers.get(from).is_some_and(|from| from.name == published.server);
            names && servers[to].name == mishap.to && is_same(published.at, now)
        });
        let Some((number, mishap)) = hit else { return Some(DELAY) };
        self.used.push(number);
        (number < setup.delays.len()).then_some(mishap.seconds)
    }

    fn fails(&mut self, index: usize) -> bool {
        let failed = self.scenario.failed_publishes.get(self.failed);
        let fails = failed
            .is_some_and(|failed| failed.server == self.servers[index].name && is_same(failed.at, self.now));
        self.failed += usize::from(fails);
        fails
    }
}

fn is_same(recorded: f64, now: Instant) -> bool {
    (instant(recorded)..=instant(recorded + SAME)).contains(&now)
}

/// Whether a frame carries a part of a log.
fn carries_entries(body: &[u8]) -> bool {
    body.starts_with(b"[1,3,")
}
