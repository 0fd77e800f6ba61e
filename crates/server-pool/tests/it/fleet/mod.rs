//! A fleet of machines on a virtual clock, over a bus that loses, repeats, delays and splits.

mod time;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use server_pool::machine::{Change, Input, Machine, PoolId, Reason, ViewState};
use server_pool::{Config, Stats};
use transport_traits::{BusLimits, Instant, WallTime};

/// The pool of most tests.
pub(crate) const POOL: PoolId = PoolId(0);

/// 2026-01-01 00:00 UTC, at the beginning of every test.
const START: WallTime = WallTime::from_micros(1_767_225_600_000_000);

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What the bus does to messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    /// Of 100 deliveries, how many are lost.
    pub(crate) loss: u32,
    /// Of 100 deliveries, how many come twice.
    pub(crate) duplication: u32,
    /// Of 100 publishes, how many fail.
    pub(crate) failure: u32,
    /// Up to how much longer than usual a delivery takes.
    pub(crate) jitter: Duration,
}

pub(crate) const CALM: Faults = Faults { loss: 0, duplication: 0, failure: 0, jitter: Duration::ZERO };

/// What one server sees: value and owner by key.
pub(crate) type Seen = BTreeMap<String, (String, String)>;

pub(crate) struct Server {
    pub(crate) name: Arc<str>,
    pub(crate) machine: Machine,
    pub(crate) alive: bool,
    /// It was told to leave, and does so as soon as it can.
    pub(crate) leaving: bool,
    /// Nothing happens in the process before this.
    pub(crate) paused_until: Instant,
    /// Servers of different sides do not hear each other.
    pub(crate) side: u8,
    /// Whether it hears anything, itself included.
    pub(crate) connected: bool,
    /// How far its wall clock is ahead, in seconds.
    pub(crate) clock_ahead: i64,
    pub(crate) seen: BTreeMap<PoolId, Seen>,
    pub(crate) events: Vec<(Instant, Change)>,
    pub(crate) state: ViewState,
    pub(crate) synced_at: Option<Instant>,
    held: Vec<Input>,
}

/// Says of a message whether it is dropped: sender, receiver, text.
type Filter = Box<dyn Fn(usize, usize, &str) -> bool>;

/// When it arrives, in which order it was sent, and what arrives where.
type OnTheWay = (Instant, u64, usize, PoolId, Bytes);

pub(crate) struct Fleet {
    pub(crate) now: Instant,
    pub(crate) servers: Vec<Server>,
    pub(crate) faults: Faults,
    pub(crate) limits: BusLimits,
    /// How long a delivery takes at least.
    pub(crate) delay: Duration,
    pub(crate) tune: fn(&mut Config),
    /// The checkpoint, where there is a store that answers.
    pub(crate) checkpoint: Option<Vec<Arc<str>>>,
    /// When a checkpoint was written, and by which server.
    pub(crate) saves: Vec<(Instant, usize)>,
    /// Every frame published: when, by which server, its text.
    pub(crate) published: Vec<(Instant, usize, String)>,
    /// Drops what it is true of.
    pub(crate) filter: Filter,
    pub(crate) rng: fastrand::Rng,
    on_the_way: BinaryHeap<Reverse<OnTheWay>>,
    order: u64,
    lives: u64,
}

impl Fleet {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            servers: Vec::new(),
            faults: CALM,
            limits: BusLimits::default(),
            delay: millis(10),
            tune: |_| (),
            checkpoint: None,
            saves: Vec::new(),
            published: Vec::new(),
            filter: Box::new(|_, _, _| false),
            rng: fastrand::Rng::with_seed(seed),
            on_the_way: BinaryHeap::new(),
            order: 0,
            lives: 0,
        }
    }

    /// Servers "s0", "s1" …, with one pool open and everything said that there is to say.
    pub(crate) fn of(servers: usize, seed: u64) -> Self {
        let mut fleet = Self::new(seed);
        for index in 0..servers {
            fleet.join(&format!("s{index}"));
        }
        fleet.run(secs(3));
        fleet
    }

    /// Starts a server with one pool, and says which it is. One that bore the name before is gone.
    pub(crate) fn join(&mut self, name: &str) -> usize {
        self.lives += 1;
        let mut config = Config::new(name).with_incarnation(self.lives).with_seed(self.rng.u64(..));
        config.heartbeat = secs(1);
        config.timeout = secs(5);
        (self.tune)(&mut config);
        let mut machine = Machine::new(self.now, self.wall(0), config, &self.limits, true)
            .expect("the tests' configurations work");
        if self.checkpoint.is_some() {
            machine.use_checkpoints(usize::MAX);
        }
        let server = Server {
            name: name.into(),
            machine,
            alive: true,
            leaving: false,
            paused_until: Instant::ZERO,
            side: 0,
            connected: true,
            clock_ahead: 0,
            seen: BTreeMap::new(),
            events: Vec::new(),
            state: ViewState::Fresh,
            synced_at: None,
            held: Vec::new(),
        };
        self.servers.push(server);
        let index = self.servers.len() - 1;
        self.open(index, "p");
        index
    }

    pub(crate) fn open(&mut self, server: usize, pool: &str) -> PoolId {
        let id = self.servers[server].machine.open(self.now, pool.into());
        self.servers[server].seen.insert(id, Seen::new());
        self.pump(server);
        id
    }

    /// Contributes a text, unless the server is leaving.
    pub(crate) fn put(&mut self, server: usize, key: &str, value: &str) {
        let value = serde_json::Value::from(value).to_string();
        let machine = &mut self.servers[server].machine;
        let leaving = machine.is_closing();
        let contributed = machine.contribute(self.now, POOL, key, value.into());
        assert!(leaving || contributed.is_ok(), "{contributed:?}");
        self.pump(server);
    }

    pub(crate) fn withdraw(&mut self, server: usize, key: &str) -> bool {
        let had = self.servers[server].machine.withdraw(self.now, POOL, key);
        self.pump(server);
        had
    }

    pub(crate) fn leave(&mut self, server: usize) {
        self.servers[server].leaving = true;
        self.input(server, Input::Close);
    }

    pub(crate) fn crash(&mut self, server: usize) {
        self.servers[server].alive = false;
    }

    /// Sets a server's wall clock so many seconds ahead.
    pub(crate) fn set_clock(&mut self, server: usize, ahead: i64) {
        self.servers[server].clock_ahead = ahead;
        self.input(server, Input::WallClock(self.wall(ahead)));
    }

    /// Hands a server a message as if it came from the bus.
    pub(crate) fn inject(&mut self, server: usize, body: &str) {
        self.input(server, Input::Received { pool: POOL, body: Bytes::copy_from_slice(body.as_bytes()) });
    }

    /// The store answers a server, later than it was asked.
    pub(crate) fn load(&mut self, server: usize, shards: Vec<Arc<str>>) {
        self.input(server, Input::Loaded { pool: POOL, shards });
    }

    pub(crate) fn seen(&self, server: usize) -> &Seen {
        &self.servers[server].seen[&POOL]
    }

    pub(crate) fn value(&self, server: usize, key: &str) -> Option<&str> {
        self.seen(server).get(key).map(|(value, _)| value.as_str())
    }

    pub(crate) fn owner(&self, server: usize, key: &str) -> Option<&str> {
        self.seen(server).get(key).map(|(_, owner)| owner.as_str())
    }

    pub(crate) fn stats(&self, server: usize) -> Stats {
        self.servers[server].machine.stats()
    }

    /// The living servers.
    pub(crate) fn living(&self) -> Vec<usize> {
        (0..self.servers.len()).filter(|index| self.servers[*index].alive).collect()
    }

    /// Whether all living servers see the same, and only entries of the living.
    pub(crate) fn agrees(&self) -> bool {
        let living = self.living();
        let names: Vec<&str> = living.iter().map(|index| &*self.servers[*index].name).collect();
        let first = self.seen(living[0]);
        living.iter().all(|index| self.seen(*index) == first)
            && first.values().all(|(_, owner)| names.contains(&owner.as_str()))
    }

    /// How often a server's entry under a key went away, and why.
    pub(crate) fn removals(&self, server: usize, key: &str) -> Vec<Reason> {
        let removed = self.servers[server].events.iter().filter_map(|(_, change)| match change {
            Change::Removed { key: removed, reason } if **removed == *key => Some(*reason),
            _ => None,
        });
        removed.collect()
    }

    fn wall(&self, ahead: i64) -> WallTime {
        let micros = START.as_micros() + self.now.as_micros();
        WallTime::from_micros(micros.saturating_add_signed(ahead * 1_000_000))
    }
}
