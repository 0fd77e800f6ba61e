//! Pools: what a delta and a heartbeat of another server cost the one that hears it.

use std::time::Duration;

use bytes::Bytes;
use server_pool::Config;
use server_pool::machine::{Input, Machine, Output, PoolId};
use transport_traits::{BusLimits, Instant, WallTime};

use crate::{STEPS, Step};

/// Entries of the other server.
const ENTRIES: usize = 100;

/// Entries that change a delta.
const CHANGES: usize = 10;

/// A server with one pool.
struct Server {
    machine: Machine,
    pool: PoolId,
}

impl Server {
    fn new(name: &str) -> Self {
        let (now, config) = (Instant::ZERO, Config::new(name).with_incarnation(1).with_seed(1));
        let mut machine = Machine::new(now, WallTime::from_micros(0), config, &BusLimits::default(), false)
            .expect("defaults work on this bus");
        let pool = machine.open(now, "players".into());
        Self { machine, pool }
    }

    /// Gives the entries of these numbers values that they never had.
    fn contribute(&mut self, now: Instant, entries: impl Iterator<Item = usize>, round: usize) {
        for entry in entries {
            let value = format!("\"{:028}\"", round * ENTRIES + entry).into();
            let done = self.machine.contribute(now, self.pool, &format!("{entry:010}"), value);
            done.expect("entries of 40 bytes fit");
        }
    }

    /// What it has to say at this time. The bus takes it.
    fn say(&mut self, now: Instant) -> Vec<Bytes> {
        let mut said = Vec::new();
        while let Some(Output::Publish { frame, message }) = self.machine.poll(now) {
            self.machine.handle(now, Input::Published(frame));
            said.push(message.body);
        }
        said
    }

    fn hear(&mut self, now: Instant, body: Bytes) {
        self.machine.handle(now, Input::Received { pool: self.pool, body });
        while self.machine.poll_notice().is_some() {}
    }
}

/// A server that has heard all entries of another, and that other.
fn acquainted() -> (Server, Server) {
    let (mut other, mut here) = (Server::new("other"), Server::new("here"));
    other.contribute(Instant::ZERO, 0..ENTRIES, 0);
    for second in 0..5 {
        let now = Instant::ZERO + Duration::from_secs(second);
        other.say(now).into_iter().for_each(|body| here.hear(now, body));
    }
    assert_eq!(here.machine.stats().entries, ENTRIES as u64, "all is known");
    (here, other)
}

/// When the step of this number is.
fn time(number: usize) -> Instant {
    Instant::ZERO + Duration::from_secs(10) + Duration::from_millis(500) * number as u32
}

pub(crate) fn delta() -> Step {
    let (mut here, mut other) = acquainted();
    // Changes and a heartbeat may be due at once.
    let deltas: Vec<Vec<Bytes>> = (0..STEPS)
        .map(|number| {
            let first = number * CHANGES % ENTRIES;
            other.contribute(time(number), first..first + CHANGES, number + 1);
            other.say(time(number))
        })
        .collect();
    assert!(deltas.iter().filter(|said| !said.is_empty()).count() > STEPS / 2, "changes are told");
    Box::new(move |number| deltas[number].iter().for_each(|body| here.hear(time(number), body.clone())))
}

pub(crate) fn digest() -> Step {
    let (mut here, mut other) = acquainted();
    let mut heartbeats = Vec::new();
    for number in 0.. {
        heartbeats.extend(other.say(time(number)).into_iter().map(|body| (time(number), body)));
        if heartbeats.len() >= STEPS {
            break;
        }
    }
    Box::new(move |number| {
        let (now, body) = &heartbeats[number];
        here.hear(*now, body.clone());
    })
}
