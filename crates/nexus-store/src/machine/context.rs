//! What all records of a machine share: configuration, clock, budgets, sequence, outputs.

use std::collections::VecDeque;
use std::time::Duration;

use transport_traits::limits::{FleetRate, SizeLimit};
use transport_traits::{BusLimits, Instant, StoreLimits, TokenBucket};

use super::clock::Clock;
use super::io::{Outcome, Output, Ticket};
use super::table::Room;
use crate::names::Names;
use crate::{Config, Stats};

/// What is shared between the records of a machine.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) store_limits: StoreLimits,
    pub(crate) bus_limits: BusLimits,
    /// Who we are.
    pub(crate) me: u64,
    pub(crate) clock: Clock,
    pub(crate) rng: fastrand::Rng,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) stats: Stats,
    pub(crate) budget: Budget,
    pub(crate) journal_bytes: usize,
    /// The same of other servers' operations.
    pub(crate) foreign_bytes: usize,
    /// No new calls; unsaved records are saved at once.
    pub(crate) closing: bool,
    /// Something happened that a poll may have to act upon.
    pub(crate) stirred: bool,
    pub(crate) names: Names,
    sequence: u64,
    tickets: u64,
}

impl Context {
    pub(crate) fn new(
        config: Config,
        store_limits: StoreLimits,
        bus_limits: BusLimits,
        clock: Clock,
        now: Instant,
    ) -> Self {
        let mut rng = config.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let me = config
            .writer
            .map(|writer| writer % super::table_text::MAX_ID)
            .unwrap_or_else(|| rng.u64(1..super::table_text::MAX_ID));
        Self {
            budget: Budget::new(&config, &store_limits, now),
            me,
            clock,
            rng,
            outputs: VecDeque::new(),
            stats: Stats::default(),
            journal_bytes: 0,
            foreign_bytes: 0,
            closing: false,
            stirred: true,
            names: Names::new(),
            sequence: 0,
            tickets: 0,
            config,
            store_limits,
            bus_limits,
        }
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.stirred = true;
        self.outputs.push_back(output);
    }

    pub(crate) fn done(&mut self, ticket: Ticket, outcome: Outcome) {
        self.push(Output::Done(ticket, outcome));
    }

    pub(crate) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    pub(crate) fn next_ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Between half of `up_to` and all of it, by chance.
    pub(crate) fn jitter(&mut self, up_to: Duration) -> Duration {
        let micros = u64::try_from(up_to.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.rng.u64(micros / 2..=micros))
    }

    /// The wait after the `failures`th failure in a row: doubling, with jitter.
    pub(crate) fn backoff(&mut self, failures: u32) -> Duration {
        let doubled = self.config.min_backoff.saturating_mul(1 << failures.saturating_sub(1).min(20));
        self.jitter(doubled.min(self.config.max_backoff))
    }

    pub(crate) fn room(&self) -> Room {
        let text = self.store_limits.metadata.map_or(usize::MAX, |limit| limit.max);
        Room { writers: self.config.max_writers.max(1), text }
    }

    /// How large an operation may grow: half of a message, so that it can be published, and no more than
    /// is handy in memory.
    pub(crate) fn max_operation(&self) -> usize {
        self.bus_limits.body.map_or(8192, |limit| (limit.max / 2).clamp(128, 8192))
    }

    /// How many bytes of operations a commit may wait with to be announced: as much as a receiver takes.
    pub(crate) fn max_notice(&self) -> usize {
        self.config.max_foreign_bytes.min(self.bus_limits.body.map_or(usize::MAX, |limit| limit.max))
    }

    pub(crate) fn body_limit(&self) -> Option<SizeLimit> {
        self.bus_limits.body
    }
}

/// What a store request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// The store requests that may be made.
#[derive(Debug)]
pub(crate) struct Budget {
    free: usize,
    reads: Option<TokenBucket>,
    writes: Option<TokenBucket>,
    /// Of both kinds together.
    requests: Option<TokenBucket>,
}

impl Budget {
    fn new(config: &Config, limits: &StoreLimits, now: Instant) -> Self {
        let bucket = |rate: Option<FleetRate>, sharers: u32| {
            rate.map(|rate| {
                let share = rate.allowed(config.load) / sharers.max(1);
                TokenBucket::for_share(share.max(1), rate.window, now)
            })
        };
        Self {
            free: config.max_in_flight.max(1),
            reads: bucket(limits.reads, 1),
            writes: bucket(limits.writes, 1),
            requests: bucket(limits.requests, config.load.servers),
        }
    }

    /// Takes the right to one request.
    pub(crate) fn take(&mut self, access: Access, now: Instant) -> bool {
        if self.free == 0 || self.next(access, now).is_none_or(|at| at > now) {
            return false;
        }
        let (own, all) = self.buckets(access);
        for bucket in own.iter_mut().chain(all) {
            let taken = bucket.take(now);
            debug_assert!(taken, "both buckets were just seen to hold a token");
        }
        self.free -= 1;
        true
    }

    /// A request ended.
    pub(crate) fn give_back(&mut self) {
        self.free += 1;
    }

    /// When a request of this kind may be made, if that is a matter of time alone.
    pub(crate) fn next(&mut self, access: Access, now: Instant) -> Option<Instant> {
        if self.free == 0 {
            return None;
        }
        let (own, all) = self.buckets(access);
        let mut at = now;
        for bucket in own.iter().chain(all.iter()) {
            at = at.max(bucket.next_token(now)?);
        }
        Some(at)
    }

    /// Whether there is enough for reads that can wait.
    pub(crate) fn is_ample(&mut self, now: Instant) -> bool {
        let (own, all) = self.buckets(Access::Read);
        own.iter().chain(all.iter()).all(|bucket| bucket.fullness(now) > 0.5)
    }

    fn buckets(&mut self, access: Access) -> (&mut Option<TokenBucket>, &mut Option<TokenBucket>) {
        let own = match access {
            Access::Read => &mut self.reads,
            Access::Write => &mut self.writes,
        };
        (own, &mut self.requests)
    }
}
