//! Spreading state: pools of ours on a bus without limits beside `chitchat`, whose servers gossip. A server has 100 entries.
//!
//! What is alike, what is not, and what is counted is said in `benches::spread`. Both have their defaults; once more ours has
//! a heartbeat and a timeout with which a death is known as soon as there, since φ of 8 is eight rounds of a second. The
//! goals on a death and on what it costs are about that setting; what the defaults of ours take is shown and not judged.
//!
//! A figure is the middle one of so many fleets as its name says, one a seed. Those of the peer have no seed, so they differ
//! from run to run.

use std::process::ExitCode;
use std::time::Duration;

use benches::spread::{Fleet, Gossip, Measured, Pools, learn, measure};
use benches::{Figure, Goal, Run};
use server_pool::Config;

/// Entries of a server.
const ENTRIES: usize = 100;

/// How many fleets of a kind a full run measures.
const FLEETS: usize = 3;

/// How far apart runs of the peer lie, which has no seed: up to a third.
const UNSEEDED: f64 = 0.3;

/// The size of fleets for which less is demanded than the peer takes.
const JUDGED: usize = 100;

fn main() -> ExitCode {
    let run = Run::from_args("spread", env!("CARGO_TARGET_TMPDIR"));
    let mut figures = Vec::new();
    for servers in [20, 50, JUDGED] {
        let peer = middle(
            &run,
            |_| Gossip::new(),
            |fleet, seed| measure(fleet, run.items(servers), run.items(ENTRIES), seed),
        );
        figures.extend(defaults(&run, servers, &peer));
        figures.extend(starts(&run, servers));
        if servers == JUDGED {
            figures.extend(soon(&run, &peer));
        }
    }
    run.finish(&figures)
}

/// A fleet with the defaults of ours, from that seed.
fn ours(seed: u64) -> Pools {
    Pools::new(seed, |config| config)
}

/// The middle of what several fleets took, one a seed.
fn middle<F: Fleet, M>(run: &Run, fleet: impl Fn(u64) -> F, take: impl Fn(&mut F, u64) -> M) -> Middle<M> {
    Middle((0..run.rounds(FLEETS) as u64).map(|seed| take(&mut fleet(seed), seed)).collect())
}

/// How rows of a size begin.
fn of(run: &Run, servers: usize) -> String {
    match run.rounds(FLEETS) {
        1 => format!("{servers} servers, one fleet"),
        fleets => format!("{servers} servers, middle of {fleets} fleets"),
    }
}

struct Middle<M>(Vec<M>);

impl<M> Middle<M> {
    fn of(&self, part: impl Fn(&M) -> f64) -> f64 {
        let mut parts: Vec<f64> = self.0.iter().map(part).collect();
        parts.sort_unstable_by(f64::total_cmp);
        parts[parts.len() / 2]
    }
}

/// A row of ours beside the peer, where less is better.
fn row<M>(name: String, unit: &'static str, both: [&Middle<M>; 2], part: impl Fn(&M) -> f64) -> Figure {
    let [ours, peer] = both.map(|middle| middle.of(&part));
    Figure::noisy(name, unit, ours, UNSEEDED).beside(peer)
}

/// Demands no more than the peer takes, of fleets that are judged.
fn judged(figure: Figure, servers: usize) -> Figure {
    if servers == JUDGED { figure.goal(Goal::TimesTheReference(1.0)) } else { figure }
}

fn defaults(run: &Run, servers: usize, peer: &Middle<Measured>) -> Vec<Figure> {
    let (size, entries) = (run.items(servers), run.items(ENTRIES));
    let ours = middle(run, ours, |fleet, seed| measure(fleet, size, entries, seed));
    let row = |what: &str, unit, part: fn(&Measured) -> f64| {
        row(format!("{}, {what}", of(run, servers)), unit, [&ours, peer], part)
    };
    let goal = |figure| judged(figure, servers);
    vec![
        goal(row("all start at once: time", "s", |measured| measured.learn.seconds)),
        goal(row("all start at once: published", "kB", |measured| measured.learn.traffic.published / 1e3)),
        row("all start at once: messages", "", |measured| measured.learn.traffic.messages),
        row("all start at once: delivered", "kB", |measured| measured.learn.traffic.delivered / 1e3),
        goal(row("one more joins: time", "s", |measured| measured.join.seconds)),
        goal(row("one more joins: published", "kB", |measured| measured.join.traffic.published / 1e3)),
        goal(row("one change seen everywhere: time", "s", |measured| measured.change.seconds)),
        goal(row("one change seen everywhere: published", "kB", |measured| {
            measured.change.traffic.published / 1e3
        })),
        goal(row("at rest: published a second", "kB", |measured| measured.rest.published / 1e3)),
        row("at rest: messages a second", "", |measured| measured.rest.messages),
        row("at rest: delivered a second", "kB", |measured| measured.rest.delivered / 1e3),
        row("a death after two minutes known everywhere: time", "s", |measured| measured.death),
    ]
}

/// A start as a deployment makes it: one server after the other.
fn starts(run: &Run, servers: usize) -> Vec<Figure> {
    const WITHIN: Duration = Duration::from_secs(1);
    let (size, entries) = (run.items(servers), run.items(ENTRIES));
    let ours = middle(run, ours, |fleet, _| learn(fleet, size, entries, WITHIN));
    let peer = middle(run, |_| Gossip::new(), |fleet, _| learn(fleet, size, entries, WITHIN));
    let row = |what: &str, unit, part: fn(&benches::spread::Cost) -> f64| {
        let name = format!("{}, all start within 1 s: {what}", of(run, servers));
        row(name, unit, [&ours, &peer], part)
    };
    vec![
        judged(row("time", "s", |cost| cost.seconds), servers),
        judged(row("published", "kB", |cost| cost.traffic.published / 1e3), servers),
        row("delivered", "kB", |cost| cost.traffic.delivered / 1e3),
    ]
}

/// A death is known sooner for a price: a heartbeat a second, and eight of them for a timeout, as many as there.
fn soon(run: &Run, peer: &Middle<Measured>) -> Vec<Figure> {
    let sooner: fn(Config) -> Config =
        |config| config.with_heartbeat(Duration::from_secs(1)).with_timeout(Duration::from_secs(8));
    let (size, entries) = (run.items(JUDGED), run.items(ENTRIES));
    let ours =
        middle(run, |seed| Pools::new(seed, sooner), |fleet, seed| measure(fleet, size, entries, seed));
    let row = |what: &str, unit, part: fn(&Measured) -> f64| {
        row(format!("{}, heartbeat 1 s, timeout 8 s, {what}", of(run, JUDGED)), unit, [&ours, peer], part)
    };
    vec![
        judged(
            row("a death after two minutes known everywhere: time", "s", |measured| measured.death),
            JUDGED,
        ),
        judged(row("at rest: published a second", "kB", |measured| measured.rest.published / 1e3), JUDGED),
        row("at rest: delivered a second", "kB", |measured| measured.rest.delivered / 1e3),
    ]
}
