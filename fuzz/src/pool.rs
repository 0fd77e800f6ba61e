//! A server's pool that hears, is told by a store and contributes whatever comes to mind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use server_pool::Config;
use server_pool::machine::{Change, Input, Machine, Notice, Output, PoolId};
use transport_traits::{BusLimits, Instant, WallTime};

/// The first of January 2026.
const START: WallTime = WallTime::from_micros(1_767_225_600_000_000);

/// What passes before each line.
const STEP: Duration = Duration::from_millis(500);

/// What one moment may lead to at most.
const MOST: usize = 10_000;

/// Servers known at most.
const MAX_SERVERS: usize = 16;

/// Bytes of entries kept at most.
const ROOM: usize = 1 << 20;

/// How long it takes until nobody else is believed alive, whatever was said.
const REST: Duration = Duration::from_secs(300);

struct World {
    now: Instant,
    machine: Machine,
    pool: PoolId,
    /// Value and owner by key, as events tell.
    view: BTreeMap<Arc<str>, (Arc<str>, Arc<str>)>,
}

/// Plays lines to a pool: `+` and an own key contributes it, `-` takes it back, `@` and a text is a shard of a checkpoint,
/// everything else is a message. The server hears its own frames.
///
/// # Panics
/// If it exceeds a bound, never comes to rest, tells what makes no sense, or still shows what others said long after they
/// fell silent.
pub fn pool(script: &[u8]) {
    let mut config = Config::new("own").with_seed(1);
    (config.max_origins, config.max_pool_bytes) = (MAX_SERVERS, ROOM);
    let now = Instant::ZERO;
    let mut machine =
        Machine::new(now, START, config, &BusLimits::default(), true).expect("the configuration is right");
    machine.use_checkpoints(4_096);
    let pool = machine.open(now, "pool".into());
    let mut world = World { now, machine, pool, view: BTreeMap::new() };
    script.split(|byte| *byte == b'\n').for_each(|line| world.play(line));
    let end = world.now + REST;
    while world.now < end {
        world.pass();
    }
    assert!(world.view.values().all(|(_, owner)| **owner == *"own"), "somebody else's: {:?}", world.view);
}

impl World {
    fn play(&mut self, line: &[u8]) {
        self.pass();
        let (pool, text) = (self.pool, String::from_utf8_lossy(line.get(1..).unwrap_or_default()));
        match line.first() {
            Some(b'+') => drop(self.machine.contribute(self.now, pool, &text, (&*text).into())),
            Some(b'-') => drop(self.machine.withdraw(self.now, pool, &text)),
            Some(b'@') => {
                self.machine.handle(self.now, Input::Loaded { pool, shards: vec![(&*text).into()] })
            }
            _ => self.machine.handle(self.now, Input::Received { pool, body: Bytes::copy_from_slice(line) }),
        }
        self.attend();
    }

    fn pass(&mut self) {
        self.now += STEP;
        self.attend();
    }

    /// Does all that there is to do now. Publishes succeed, and come back at once.
    fn attend(&mut self) {
        let pool = self.pool;
        for _ in 0..MOST {
            let output = self.machine.poll(self.now);
            self.watch();
            let Some(Output::Publish { frame, message }) = output else {
                assert!(self.machine.next_wakeup().is_some_and(|at| at > self.now), "there is time to rest");
                return;
            };
            self.machine.handle(self.now, Input::Published(frame));
            self.machine.handle(self.now, Input::Received { pool, body: message.body });
        }
        panic!("it never comes to rest");
    }

    /// Takes in what it tells, and whether that agrees with what it says of itself.
    fn watch(&mut self) {
        while let Some((_, notice)) = self.machine.poll_notice() {
            let Notice::Changed(change) = notice else { continue };
            match change {
                Change::Set { key, value, owner, .. } => {
                    let shown = (value, owner);
                    let old = self.view.insert(key, shown.clone());
                    assert_ne!(old, Some(shown), "an event tells something new");
                }
                Change::Removed { key, .. } => {
                    assert!(self.view.remove(&key).is_some(), "what is removed was there: {key}");
                }
            }
        }
        let stats = self.machine.stats();
        assert_eq!(stats.entries as usize, self.view.len());
        assert!(stats.servers as usize <= MAX_SERVERS);
    }
}
