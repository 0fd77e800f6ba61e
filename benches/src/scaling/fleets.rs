//! What a fleet costs by the number of its servers and of their entries.

use std::time::Duration;

use crate::measure::interleaved_on_this_thread;
use crate::spread::{Fleet, Traffic, learn, until_all_know};

/// How long a fleet gets to know itself.
const SETTLE: Duration = Duration::from_secs(10);

/// For how long it is measured at rest.
const REST: Duration = Duration::from_secs(10);

/// What a fleet of one size costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sized {
    /// In a second at rest.
    pub rest: Traffic,
    /// Nanoseconds of the processor that one server and what simulates it take in a second at rest.
    pub work: f64,
    /// Bytes that all publish while one more server joins.
    pub join: f64,
}

/// A fleet of so many servers with so many entries each, at rest and when one more joins.
pub fn at_rest(fleet: &mut impl Fleet, servers: usize, entries: usize) -> Sized {
    learn(fleet, servers, entries, Duration::ZERO);
    fleet.pass(SETTLE);
    // Once to warm up, and once to be counted.
    let seconds = 2.0 * REST.as_secs_f64();
    let before = fleet.traffic();
    let samples = interleaved_on_this_thread(1, &mut [&mut || fleet.pass(REST)]);
    let rest = fleet.traffic().since(before).each(seconds);
    fleet.start(Vec::new());
    let join = until_all_know(fleet, servers * entries).traffic.published;
    Sized { rest, work: samples.median(0) / REST.as_secs_f64() / servers as f64, join }
}

/// The bytes that are published until all servers of a fleet that start at once know so many entries of each.
pub fn learnt(fleet: &mut impl Fleet, servers: usize, entries: usize) -> f64 {
    learn(fleet, servers, entries, Duration::ZERO).traffic.published
}
