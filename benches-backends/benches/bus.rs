//! Bulk messages over each bus beside its plain client: delivered messages a second, and how late a message is.

use std::process::ExitCode;
use std::sync::Arc;

use benches::measure::{Subject, interleaved};
use benches::{Figure, Goal, Run, compare};
use benches_backends::ledger::Faults;
use benches_backends::{Sides, Way, late, nats, postgres, redis, versions};
use test_servers::{Nats, Postgres, Redis};

/// Messages of ours in a round. A peer sends as many as take it about as long.
const OURS: usize = 100_000;

fn main() -> ExitCode {
    let mut run = Run::from_args("bus", env!("CARGO_TARGET_TMPDIR"));
    let figures = [over_redis(&mut run), over_nats(&mut run), over_postgres(&mut run)];
    run.finish(&figures.into_iter().flatten().flatten().collect::<Vec<_>>())
}

fn over_redis(run: &mut Run) -> Option<Vec<Figure>> {
    let server = Redis::start("bus: Redis", &[])?;
    let (sides, url) = (Arc::default(), server.url());
    run.note_version("redis-server", versions::redis(&url));
    let mut ours = redis::ours(&sides, &url);
    let mut peers = [
        Peer::new("redis, 64 in flight", redis::multiplexed(&sides, &url, 64), 20_000, 4.0),
        Peer::new("redis, pipelines of 100", redis::pipelines(&sides, &url, 100), 40_000, 2.0),
    ];
    Some(figures(run, "Redis", &mut ours, &mut peers))
}

fn over_nats(run: &mut Run) -> Option<Vec<Figure>> {
    let server = Nats::start("bus: NATS", "")?;
    let (sides, url) = (Arc::default(), server.url());
    run.note_version("nats-server", versions::nats(&url));
    let mut ours = nats::ours(&sides, &url);
    let mut peers = [Peer::new("async-nats", nats::plain(&sides, &url), OURS, 1.5)];
    Some(figures(run, "NATS", &mut ours, &mut peers))
}

fn over_postgres(run: &mut Run) -> Option<Vec<Figure>> {
    let server = Postgres::start("bus: PostgreSQL", &[])?;
    let (sides, url) = (Arc::<Sides>::default(), server.url("postgres"));
    run.note_version("postgres", versions::postgres(&url));
    let mut ours = postgres::ours(&sides, &url);
    let mut peers = [
        Peer::new("NOTIFY awaited one by one", postgres::plain(&sides, &url, 1), 1_000, 30.0),
        Peer::new("NOTIFY, 64 in flight", postgres::plain(&sides, &url, 64), 4_000, 4.0),
    ];
    Some(figures(run, "PostgreSQL", &mut ours, &mut peers))
}

/// A plain client, and how many times as fast ours should be.
struct Peer {
    name: &'static str,
    way: Way,
    messages: usize,
    goal: f64,
}

impl Peer {
    fn new(name: &'static str, way: Way, messages: usize, goal: f64) -> Self {
        Self { name, way, messages, goal }
    }
}

/// The figures of one bus. Of the peers the first is the one whose messages are less late.
fn figures(run: &Run, bus: &str, ours: &mut Way, peers: &mut [Peer]) -> Vec<Figure> {
    let mut figures = delivered(run, bus, ours, peers);
    figures.push(lateness(run, bus, ours, &mut peers[0]));
    figures
}

fn delivered(run: &Run, bus: &str, ours: &mut Way, peers: &mut [Peer]) -> Vec<Figure> {
    let counts: Vec<usize> = [OURS]
        .into_iter()
        .chain(peers.iter().map(|peer| peer.messages))
        .map(|count| run.items(count))
        .collect();
    let ways = [ours].into_iter().chain(peers.iter_mut().map(|peer| &mut peer.way));
    let mut subjects: Vec<_> = ways
        .zip(&counts)
        .map(|(way, &count)| move || assert_eq!(way.deliver(count), Faults::default()))
        .collect();
    let mut subjects: Vec<&mut dyn Subject> =
        subjects.iter_mut().map(|subject| subject as &mut dyn Subject).collect();
    let samples = interleaved(run.rounds(40), &mut subjects);
    let figure = |(at, peer): (usize, &Peer)| {
        let name = format!("{bus}: messages of 100 B delivered a second, beside {}", peer.name);
        let figure = compare::rates(name, &samples, [0, at], [counts[0], counts[at]]);
        figure.goal(Goal::TimesAsFast(peer.goal))
    };
    (1..).zip(&*peers).map(figure).collect()
}

fn lateness(run: &Run, bus: &str, ours: &mut Way, peer: &mut Peer) -> Figure {
    let count = run.items(100);
    let mut rounds: Vec<[f64; 2]> =
        (0..run.rounds(16)).map(|_| late::medians([&mut *ours, &mut peer.way], count)).collect();
    let mut quarter = |number: usize, of: fn(&[f64; 2]) -> f64| {
        rounds.sort_unstable_by(|one, other| of(one).total_cmp(&of(other)));
        of(&rounds[rounds.len() * number / 4])
    };
    let (ours, theirs) = (quarter(2, |round| round[0]), quarter(2, |round| round[1]));
    let [low, ratio, high] = [1, 2, 3].map(|number| quarter(number, |round| round[0] / round[1]));
    let name = format!("{bus}: median latency at 100 messages a second, beside {}", peer.name);
    Figure::noisy(name, "µs", ours / 1e3, (high - low) / 2.0 / ratio)
        .beside(theirs / 1e3)
        .ratio(ratio)
        .goal(Goal::TimesTheReference(1.3))
}
