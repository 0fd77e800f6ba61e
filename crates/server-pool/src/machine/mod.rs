//! The protocol of all pools of one server as a pure state machine.
//!
//! It has no clock, no I/O and no randomness but a seeded generator: the same calls with the same times
//! give the same results. Whoever runs it (the driver of [`Pools`](crate::Pools), or a simulation of a
//! whole fleet) hands in what happened ([`Machine::handle`]), takes out what is to be sent
//! ([`Machine::poll`], until `None`) and what changed ([`Machine::poll_notice`]), and comes back at
//! [`Machine::next_wakeup`].

mod budget;
mod change;
mod checkpoint;
mod clock;
mod holders;
mod items;
mod lives;
mod log;
mod origin;
mod own;
mod peer;
mod peers;
mod pool;
mod port;
mod queue;
mod ranges;
mod repair;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use transport_traits::{BusLimits, Instant, Topic, WallTime};

use crate::config::Config;
use crate::error::{ConfigError, ContributeError};
use crate::stats::Stats;
use crate::wire::text_hash;
use budget::Budget;
pub use change::{Change, Notice, Reason, ViewState};
use clock::Clock;
pub use items::ENTRY_OVERHEAD;
use lives::Lives;
use pool::{Context, Job, Pool, Sent, Settings};
pub use port::{FrameId, Input, Output, PoolId, StoreCall, StoreJob, shard_count};

/// The first wait after a failed publish; it doubles with each further failure.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);

/// It doubles at most this often.
const MAX_DOUBLINGS: u32 = 5;

/// The longest wait that a bus can ask for. It holds a farewell up as well.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Places kept for notices while none wait: a join needs many, and hardly anything afterwards does.
const KEPT_NOTICES: usize = 64;

/// All pools of one server.
///
/// # Panics
/// Whatever takes a [`PoolId`] panics on one that [`open`](Self::open) did not give.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    lives: Lives,
    bus: BusLimits,
    now: Instant,
    clock: Clock,
    rng: fastrand::Rng,
    pools: Vec<Pool>,
    budget: Budget,
    in_flight: BTreeMap<FrameId, (PoolId, Sent)>,
    next_frame: u64,
    /// Failed publishes running.
    failures: u32,
    blocked_until: Instant,
    phase: Phase,
    notices: VecDeque<(PoolId, Notice)>,
    /// The most bytes of a shard of a checkpoint, if there is a store for them.
    checkpoints: Option<usize>,
    store: VecDeque<StoreJob>,
    stats: Stats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Closing,
    Closed,
}

impl Machine {
    /// A machine without pools. `echo`: whether this server hears its own messages.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(
        now: Instant,
        wall: WallTime,
        config: Config,
        bus: &BusLimits,
        echo: bool,
    ) -> Result<Self, ConfigError> {
        let limit = config.check(bus)?;
        let incarnation = config.incarnation.unwrap_or_else(|| Clock::new(now, wall).wall_millis(now));
        let seed = config.seed.unwrap_or_else(|| text_hash(&config.server) ^ incarnation);
        Ok(Self {
            settings: Settings { config, incarnation, limit, echo },
            lives: Lives::new(incarnation),
            bus: bus.clone(),
            now,
            clock: Clock::new(now, wall),
            rng: fastrand::Rng::with_seed(seed),
            pools: Vec::new(),
            budget: Budget::new([bus.send, bus.receive_total], now),
            in_flight: BTreeMap::new(),
            next_frame: 0,
            failures: 0,
            blocked_until: now,
            phase: Phase::Open,
            notices: VecDeque::new(),
            checkpoints: None,
            store: VecDeque::new(),
            stats: Stats::default(),
        })
    }

    /// Reads and writes checkpoints from now on, of pools that are opened afterwards: see
    /// [`poll_store`](Self::poll_store). `room`: the most bytes of a shard; more than 512 KiB is not used.
    pub fn use_checkpoints(&mut self, room: usize) {
        self.checkpoints = Some(room.min(checkpoint::MAX_SHARD));
    }

    /// Opens a pool on a topic that is already subscribed to. After [`Input::Close`] nothing is ever sent for it.
    pub fn open(&mut self, now: Instant, topic: Topic) -> PoolId {
        self.now = self.now.max(now);
        let id = PoolId(self.pools.len());
        let budget = Budget::new([self.bus.receive_topic], now);
        let (checkpoints, closing) = (self.checkpoints, self.is_closing());
        let (mut context, pools) = self.split();
        let mut pool = Pool::new(id, topic, budget, &context);
        if closing {
            pool.stay_out();
        } else if let Some(room) = checkpoints {
            pool.use_checkpoints(&mut context, room);
        }
        pools.push(pool);
        self.warn_of_crowding();
        id
    }

    /// Warns when a pool is one too many for four heartbeats of each in a timeout.
    fn warn_of_crowding(&self) {
        let (pools, timeout) = (self.pools.len(), self.settings.config.timeout);
        let rates = [self.bus.send, self.bus.receive_total].into_iter().flatten();
        let frames =
            rates.map(|rate| f64::from(rate.share()) * timeout.as_secs_f64() / rate.window.as_secs_f64());
        let most = (frames.fold(f64::INFINITY, f64::min) / 4.0) as usize;
        if pools == most.saturating_add(1) {
            tracing::warn!(
                pools,
                most,
                "too many pools for the bus's rates: live servers may be taken for dead"
            );
        }
    }

    /// Contributes an entry to a pool, or another value for it. `value` is JSON text. An equal value of an
    /// entry that this server owns already changes nothing.
    ///
    /// # Errors
    /// `Encode` if the value is no JSON text, `TooLarge`, `Full` and `Closed` of [`ContributeError`].
    pub fn contribute(
        &mut self,
        now: Instant,
        pool: PoolId,
        key: &str,
        value: Arc<str>,
    ) -> Result<(), ContributeError> {
        if self.phase != Phase::Open {
            return Err(ContributeError::Closed);
        }
        self.now = self.now.max(now);
        let (mut context, pools) = self.split();
        pools[pool.0].contribute(&mut context, key, value)
    }

    /// Takes a contribution of this server back. `false` if it has none under the key, or is closed.
    pub fn withdraw(&mut self, now: Instant, pool: PoolId, key: &str) -> bool {
        self.now = self.now.max(now);
        let open = self.phase == Phase::Open;
        let (mut context, pools) = self.split();
        open && pools[pool.0].withdraw(&mut context, key)
    }

    /// Takes all contributions of this server to a pool back, and says how many there were; none if closed.
    pub fn withdraw_all(&mut self, now: Instant, pool: PoolId) -> usize {
        self.now = self.now.max(now);
        let open = self.phase == Phase::Open;
        let (mut context, pools) = self.split();
        if open { pools[pool.0].withdraw_all(&mut context) } else { 0 }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::WallClock(wall) => self.clock.set_wall(self.now, wall),
            Input::Received { pool, body } => {
                let (mut context, pools) = self.split();
                pools[pool.0].receive(&mut context, &body);
                self.refute();
            }
            Input::Gap { .. } => self.stats.gaps += 1,
            Input::Ended { pool } => {
                let (mut context, pools) = self.split();
                pools[pool.0].deafen(&mut context);
            }
            Input::Published(frame) => self.published(frame),
            Input::Failed { frame, retry_after } => self.failed(frame, retry_after),
            Input::Loaded { pool, shards } => {
                let (mut context, pools) = self.split();
                pools[pool.0].loaded(&mut context, &shards);
                self.refute();
            }
            Input::Saved { pool } => self.pools[pool.0].saved(),
            Input::Close => self.close(),
        }
    }

    /// The next thing to do outside. To be called until `None` after anything else was called.
    pub fn poll(&mut self, now: Instant) -> Option<Output> {
        self.now = self.now.max(now);
        if self.phase == Phase::Closed {
            return None;
        }
        let (mut context, pools) = self.split();
        pools.iter_mut().for_each(|pool| pool.tick(&mut context));
        while let Some((id, job)) = self.due_job() {
            let (mut context, pools) = self.split();
            if let Some(parcel) = pools[id.0].build(&mut context, job) {
                return Some(self.hand_out(id, parcel));
            }
            let is_due = |(due, next)| next == job && due <= self.now;
            let next = self.pools[id.0].next_job(&self.settings);
            assert!(!next.is_some_and(is_due), "what turns out to be nothing is not due any more: {job:?}");
        }
        let left = self.phase == Phase::Closing && self.pools.iter().all(Pool::has_left);
        left.then(|| {
            self.phase = Phase::Closed;
            Output::Closed
        })
    }

    /// The next change of a view, in order.
    pub fn poll_notice(&mut self) -> Option<(PoolId, Notice)> {
        let notice = self.notices.pop_front();
        if self.notices.is_empty() && self.notices.capacity() > KEPT_NOTICES {
            self.notices = VecDeque::new();
        }
        notice
    }

    /// The next call to the store of checkpoints, one a pool at a time; none without
    /// [`use_checkpoints`](Self::use_checkpoints).
    pub fn poll_store(&mut self) -> Option<StoreJob> {
        self.store.pop_front()
    }

    /// When to [`poll`](Self::poll) again if nothing happens before.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        if self.phase == Phase::Closed {
            return None;
        }
        let ticks = self.pools.iter().map(|pool| pool.next_tick(self.now, &self.settings));
        let sends = self.pools.iter().filter_map(|pool| self.next_send(pool).map(|(at, ..)| at));
        ticks.chain(sends).min()
    }

    /// Whether [`Input::Close`] was handled.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.phase != Phase::Open
    }

    /// What happened so far, and how things stand.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let sum = |count: fn(&Pool) -> usize| self.pools.iter().map(|pool| count(pool) as u64).sum();
        Stats { servers: sum(Pool::servers), entries: sum(Pool::entries), ..self.stats }
    }

    /// A hash of what this server knows of a pool: of whom it believes alive, and of each of those the life, how far its
    /// contributions are known and their hash; of itself also how many wait to be sent, of which no other server knows.
    ///
    /// Where two servers have equal digests, all that is the same on both, but for one chance in 2⁶⁴, and neither has anything to
    /// send that the other lacks. So they hold the same entries, as far as 32 bits tell for each server that contributes: the
    /// hash of its contributions is of their keys and versions, where a version stands for a value. What neither has heard
    /// of yet shows on neither: a fleet has converged when *all* digests are equal. A digest takes time with the number of
    /// servers, not of entries.
    #[must_use]
    pub fn digest(&self, pool: PoolId) -> u64 {
        self.pools[pool.0].digest(&self.settings)
    }

    /// Goes on in all pools above the incarnation that others know of a past life.
    fn refute(&mut self) {
        let Some(incarnation) = self.lives.next(&mut self.rng) else { return };
        tracing::warn!(incarnation, "a later incarnation of this server was known: it goes on above that");
        self.stats.refutations += 1;
        self.settings.incarnation = incarnation;
        let (mut context, pools) = self.split();
        pools.iter_mut().for_each(|pool| pool.restart(&mut context));
    }

    fn published(&mut self, frame: FrameId) {
        let Some((pool, sent)) = self.in_flight.remove(&frame) else { return };
        self.failures = 0;
        let (context, pools) = self.split();
        pools[pool.0].sent(&context, sent);
    }

    fn failed(&mut self, frame: FrameId, retry_after: Option<Duration>) {
        let Some((pool, sent)) = self.in_flight.remove(&frame) else { return };
        self.stats.frames_failed += 1;
        let backoff = FIRST_BACKOFF * (1 << self.failures.min(MAX_DOUBLINGS));
        let wait = retry_after.map_or(backoff, |wait| wait.clamp(FIRST_BACKOFF, MAX_RETRY_AFTER));
        let wait = wait.mul_f64(1.0 + self.rng.f64() / 2.0);
        self.failures = self.failures.saturating_add(1);
        self.blocked_until = self.blocked_until.max(self.now + wait);
        let (mut context, pools) = self.split();
        pools[pool.0].failed(&mut context, sent);
    }

    fn close(&mut self) {
        if self.phase == Phase::Open {
            self.phase = Phase::Closing;
            let now = self.now;
            self.pools.iter_mut().for_each(|pool| pool.close(now));
        }
    }

    /// What is due longest and may be sent now.
    fn due_job(&self) -> Option<(PoolId, Job)> {
        let jobs = self.pools.iter().enumerate().filter_map(|(index, pool)| {
            let (at, due, job) = self.next_send(pool)?;
            (at <= self.now).then_some((due, PoolId(index), job))
        });
        jobs.min_by_key(|(due, id, _)| (*due, *id)).map(|(_, id, job)| (id, job))
    }

    /// When a pool may send next, since when that is due, and what it is.
    fn next_send(&self, pool: &Pool) -> Option<(Instant, Instant, Job)> {
        if self.in_flight.len() >= self.settings.config.max_in_flight {
            return None;
        }
        let (due, job) = pool.next_job(&self.settings)?;
        let tokens = self.budget.next_token(self.now)?.max(pool.budget.next_token(self.now)?);
        let tokens = if tokens > self.now { tokens } else { Instant::ZERO };
        Some((due.max(tokens).max(self.blocked_until), due, job))
    }

    fn hand_out(&mut self, id: PoolId, parcel: pool::Parcel) -> Output {
        self.budget.take(self.now);
        self.pools[id.0].budget.take(self.now);
        let frame = FrameId(self.next_frame);
        self.next_frame += 1;
        self.in_flight.insert(frame, (id, parcel.sent));
        self.stats.frames_sent += 1;
        Output::Publish { frame, message: parcel.message }
    }

    /// The pools, and what they borrow while they work.
    fn split(&mut self) -> (Context<'_>, &mut Vec<Pool>) {
        let context = Context {
            now: self.now,
            settings: &self.settings,
            lives: &mut self.lives,
            clock: &mut self.clock,
            rng: &mut self.rng,
            notices: &mut self.notices,
            store: &mut self.store,
            stats: &mut self.stats,
        };
        (context, &mut self.pools)
    }
}
