//! Spreading state: every server contributes entries, all get to know them, ours beside gossip, which sends datagrams.
//!
//! # What is alike
//!
//! Servers have names, entries and starts that are the same. An entry has a key of 10 digits and a text of 30 letters and
//! digits by chance: ours sends both as they are, the peer's compression makes them somewhat shorter.
//!
//! # What is not
//!
//! - Ours sends a frame to the bus once, and the bus carries it to everybody. Gossip sends each datagram to one server. So
//!   both are counted twice: what servers send ([`Traffic::published`]), which is what a limited bus counts, and what
//!   arrives at them ([`Traffic::delivered`]), own echoes included.
//! - The simulated bus takes 10 ms to each server. The transport of gossip takes no time.
//! - Gossip goes by rounds of a second, so its times are multiples of that; a shorter round would buy time for bytes.
//!   Ours sends at once what changes. What is compared is thus two settings too, not only two ways.
//! - Bytes are those of the messages: ours with the topic, without what the bus's client adds; those of gossip without the
//!   headers of UDP and IP.

mod gossip;
mod pools;

use std::sync::Arc;
use std::time::Duration;

pub use gossip::Gossip;
pub use pools::Pools;

/// How often it is looked whether something is so, and how exact times are.
const STEP: Duration = Duration::from_millis(50);

/// What never comes true takes as long.
const MOST: Duration = Duration::from_secs(120);

/// How long a fleet gets to know itself before one more server joins.
const BEFORE_JOIN: Duration = Duration::from_secs(10);

/// How long before it is measured at rest.
const SETTLE: Duration = Duration::from_secs(40);

/// For how long it is measured at rest.
const REST: Duration = Duration::from_secs(10);

/// How many changes are made, and how long it is quiet before each. Before whatever is timed comes a part of [`ROUND`] by
/// chance, too: gossip's rounds begin together, and who always asks just behind one would wait for all of it.
const CHANGES: usize = 5;
const QUIET: Duration = Duration::from_secs(2);
const ROUND: Duration = Duration::from_secs(1);

/// How long a fleet has lived, s, when one of its servers ends. The peer learns meanwhile how often servers are heard, and
/// holds one for dead when eight times as long has passed. It begins with five intervals of 5 s, so after two minutes that
/// is 8 × (25 + 120) / (5 + 120) = 9.3 s; it nears 8 s the longer a fleet lives.
const LIVED: f64 = 120.0;

/// What servers have sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Messages sent.
    pub messages: f64,
    /// Bytes sent.
    pub published: f64,
    /// Bytes that arrived, at all servers together.
    pub delivered: f64,
}

impl Traffic {
    /// What came to it since then.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            messages: self.messages - before.messages,
            published: self.published - before.published,
            delivered: self.delivered - before.delivered,
        }
    }

    /// What that is in each of so many seconds.
    #[must_use]
    pub fn each(self, seconds: f64) -> Self {
        Self {
            messages: self.messages / seconds,
            published: self.published / seconds,
            delivered: self.delivered / seconds,
        }
    }
}

/// A fleet in which state is spread. Its servers are numbered from 0.
pub trait Fleet {
    /// Starts the next server, which contributes these entries.
    fn start(&mut self, entries: Vec<(String, Arc<str>)>);

    /// Lets simulated time pass.
    fn pass(&mut self, time: Duration);

    /// Whether all servers know so many entries.
    fn all_know(&self, entries: usize) -> bool;

    /// A server gives an entry of its own another text.
    fn set(&mut self, server: usize, key: &str, text: &Arc<str>);

    /// Whether all servers that run know this text under a key of a server.
    fn all_see(&self, server: usize, key: &str, text: &str) -> bool;

    /// A server ends without a word.
    fn crash(&mut self, server: usize);

    /// Whether all others hold the server for dead.
    fn is_buried(&self, server: usize) -> bool;

    /// What was sent so far.
    fn traffic(&self) -> Traffic;
}

/// What something took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Until it was so; infinite if it never was.
    pub seconds: f64,
    /// What was sent meanwhile.
    pub traffic: Traffic,
}

/// What was measured of one fleet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// From the start of all servers at once until all know all entries.
    pub learn: Cost,
    /// From the start of one more server until it knows all entries.
    pub join: Cost,
    /// In a second in which nothing changes.
    pub rest: Traffic,
    /// From a change of one entry until all see it: the middle one of several by its time.
    pub change: Cost,
    /// Seconds from a crash, two minutes after the first start, until all others hold the server for dead.
    pub death: f64,
}

/// Measures a fleet of so many servers with so many entries each. The moments come from the seed.
pub fn measure(fleet: &mut impl Fleet, servers: usize, entries: usize, seed: u64) -> Measured {
    let mut random = fastrand::Rng::with_seed(seed);
    let learn = learn(fleet, servers, entries, Duration::ZERO);
    let mut lived = learn.seconds + pass(fleet, BEFORE_JOIN + by_chance(&mut random));
    fleet.start(Vec::new());
    let join = until_all_know(fleet, servers * entries);
    lived += join.seconds + pass(fleet, SETTLE);
    let rest = rest(fleet);
    lived += REST.as_secs_f64();
    let change = change(fleet, &mut random, &mut lived);
    let left = Duration::from_secs_f64((LIVED - lived).max(0.0));
    fleet.pass(left + by_chance(&mut random));
    fleet.crash(servers / 2);
    let death = until(fleet, |fleet| fleet.is_buried(servers / 2)).seconds;
    Measured { learn, join, rest, change, death }
}

/// The middle one of some changes of an entry.
fn change(fleet: &mut impl Fleet, random: &mut fastrand::Rng, lived: &mut f64) -> Cost {
    let key = key(1, 0);
    let mut one = || {
        *lived += pass(fleet, QUIET + by_chance(random));
        let text = text(random);
        fleet.set(1, &key, &text);
        let cost = until(fleet, |fleet| fleet.all_see(1, &key, &text));
        *lived += cost.seconds;
        cost
    };
    let mut all: [Cost; CHANGES] = std::array::from_fn(|_| one());
    all.sort_unstable_by(|a, b| a.seconds.total_cmp(&b.seconds));
    all[CHANGES / 2]
}

/// A part of a round.
fn by_chance(random: &mut fastrand::Rng) -> Duration {
    ROUND.mul_f64(random.f64())
}

/// Lets time pass, and says how much, s.
fn pass(fleet: &mut impl Fleet, time: Duration) -> f64 {
    fleet.pass(time);
    time.as_secs_f64()
}

/// Starts all servers of a fleet `within` a time, one after the other, and waits until each knows all entries, from the first
/// start on.
pub fn learn(fleet: &mut impl Fleet, servers: usize, entries: usize, within: Duration) -> Cost {
    let mut random = fastrand::Rng::with_seed(1);
    for server in 0..servers {
        fleet.start((0..entries).map(|entry| (key(server, entry), text(&mut random))).collect());
        fleet.pass(within / servers as u32);
    }
    let cost = until_all_know(fleet, servers * entries);
    Cost { seconds: within.as_secs_f64() + cost.seconds, traffic: fleet.traffic() }
}

/// Waits until all servers of a fleet know so many entries.
pub fn until_all_know(fleet: &mut impl Fleet, entries: usize) -> Cost {
    until(fleet, |fleet| fleet.all_know(entries))
}

fn rest(fleet: &mut impl Fleet) -> Traffic {
    let before = fleet.traffic();
    fleet.pass(REST);
    fleet.traffic().since(before).each(REST.as_secs_f64())
}

fn until<F: Fleet>(fleet: &mut F, is_so: impl Fn(&F) -> bool) -> Cost {
    let before = fleet.traffic();
    let mut time = Duration::ZERO;
    while time < MOST && !is_so(fleet) {
        fleet.pass(STEP);
        time += STEP;
    }
    let seconds = if time < MOST { time.as_secs_f64() } else { f64::INFINITY };
    Cost { seconds, traffic: fleet.traffic().since(before) }
}

/// The name of a server.
fn name(server: usize) -> String {
    format!("server-{server:03}")
}

/// The key of an entry: 10 bytes, unlike those of all other servers.
fn key(server: usize, entry: usize) -> String {
    format!("{:06}{entry:04}", 100_000 + server)
}

/// Thirty random letters and digits.
fn text(random: &mut fastrand::Rng) -> Arc<str> {
    (0..30).map(|_| random.alphanumeric()).collect::<String>().into()
}
