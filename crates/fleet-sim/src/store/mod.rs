//! A data store that fails, forgets to answer and is late on purpose, and keeps the limits of a real one.
//!
//! Whatever it does, it stays what the port promises: reads are never older than the last write, a write happens once or
//! never, and only the outcome `Unknown` can mean either.

mod data;
mod limits;

use std::sync::Arc;

use transport_traits::limits::Load;
use transport_traits::{
    ErrorKind, Instant, Precondition, Record, RecordKey, StoreLimits, Stored, Version, WallTime,
};

use crate::HostId;
use crate::chance::{Delay, happens};
pub use data::Commit;
use data::Data;
use limits::Usage;

/// What the store does to calls. Chances go from 0 to 1; the default is a store without faults that takes 10 ms there
/// and 10 ms back. An outage is `unavailable: 1.0`; one in which calls hang is `unknown_before: 1.0`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoreFaults {
    /// The chance that a call fails, surely without effect.
    pub unavailable: f64,
    /// The chance that a call is throttled.
    pub throttled: f64,
    /// The chance that a write is told of a conflict although its precondition holds. It does not happen then.
    pub conflict: f64,
    /// The chance that a call is lost on the way there: outcome unknown.
    pub unknown_before: f64,
    /// The chance that the answer is lost, and the call is carried out: outcome unknown.
    pub unknown_after: f64,
    /// The chance that a call is carried out after its caller was told that the outcome is unknown.
    pub unknown_late: f64,
    /// From the call to its being carried out, and from there to its answer: drawn for each.
    pub latency: Delay,
    /// How long a caller waits before the outcome counts as unknown.
    pub timeout: Delay,
    /// How much later than that a late call is carried out.
    pub lateness: Delay,
}

/// A call to the store.
#[derive(Debug)]
pub(crate) enum StoreCall {
    Get(RecordKey),
    Put(RecordKey, Record, Precondition),
    Delete(RecordKey, Precondition),
    List(Arc<str>, Arc<str>),
}

impl StoreCall {
    /// Whether it changes something.
    const fn is_write(&self) -> bool {
        matches!(self, Self::Put(..) | Self::Delete(..))
    }

    /// The answer of a call of this kind that failed.
    pub(crate) const fn failed(&self, kind: ErrorKind) -> StoreAnswer {
        match self {
            Self::Get(_) => StoreAnswer::Got(Err(kind)),
            Self::Put(..) => StoreAnswer::Put(Err(kind)),
            Self::Delete(..) => StoreAnswer::Deleted(Err(kind)),
            Self::List(..) => StoreAnswer::Listed(Err(kind)),
        }
    }
}

/// What a call came to.
pub(crate) enum StoreAnswer {
    Got(Result<Option<Stored>, ErrorKind>),
    Put(Result<Version, ErrorKind>),
    Deleted(Result<(), ErrorKind>),
    Listed(Result<Vec<Arc<str>>, ErrorKind>),
}

/// What becomes of a call.
pub(crate) struct Fate {
    /// When it is carried out, if ever.
    pub(crate) carried_at: Option<Instant>,
    /// What its caller is told instead of how it went, and when.
    pub(crate) failure: Option<(Instant, ErrorKind)>,
}

/// What the store has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// Reads and listings asked for.
    pub reads: u64,
    /// Writes and deletions asked for.
    pub writes: u64,
    /// Calls refused because a rate was used up.
    pub over_rate: u64,
}

/// The data store of a simulation. Its fields may be changed at any time.
#[derive(Debug)]
pub struct Store {
    /// What it allows: sizes, and the rates of reads, writes and all requests. Bytes a minute are not kept.
    pub limits: StoreLimits,
    /// What it does to calls.
    pub faults: StoreFaults,
    stats: StoreStats,
    data: Data,
    usage: Usage,
    rng: fastrand::Rng,
}

impl Store {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            limits: StoreLimits::default(),
            faults: StoreFaults::default(),
            stats: StoreStats::default(),
            data: Data::default(),
            usage: Usage::default(),
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// What a record holds now.
    #[must_use]
    pub fn get(&self, key: &RecordKey) -> Option<&Stored> {
        self.data.get(key)
    }

    /// Every write that happened, in order.
    #[must_use]
    pub fn commits(&self) -> &[Commit] {
        &self.data.commits
    }

    /// What it has done so far.
    #[must_use]
    pub const fn stats(&self) -> StoreStats {
        self.stats
    }

    pub(crate) fn fate(&mut self, now: Instant, from: HostId, call: &StoreCall, load: Load) -> Fate {
        let is_write = call.is_write();
        *(if is_write { &mut self.stats.writes } else { &mut self.stats.reads }) += 1;
        let (there, back) = (self.latency(), self.latency());
        if let Some(kind) = self.refusal(now, from, call, load) {
            return Fate { carried_at: None, failure: Some((now + there + back, kind)) };
        }
        let unknown = now + self.faults.timeout.draw(&mut self.rng).max(there);
        let lost = |carried_at| Fate { carried_at, failure: Some((unknown, ErrorKind::Unknown)) };
        if happens(&mut self.rng, self.faults.unknown_before) {
            return lost(None);
        }
        if happens(&mut self.rng, self.faults.unknown_after) {
            return lost(Some(now + there));
        }
        if happens(&mut self.rng, self.faults.unknown_late) {
            return lost(Some(unknown + self.faults.lateness.draw(&mut self.rng)));
        }
        Fate { carried_at: Some(now + there), failure: None }
    }

    /// Carries a call out, and says how long the answer takes.
    pub(crate) fn carry_out(
        &mut self,
        now: Instant,
        wall: WallTime,
        by: HostId,
        call: StoreCall,
    ) -> (Instant, StoreAnswer) {
        let answer = match call {
            StoreCall::Get(key) => StoreAnswer::Got(Ok(self.data.get(&key).cloned())),
            StoreCall::Put(key, record, precondition) => {
                let commit = Commit { at: now, by: Some(by), key, record: Some(record) };
                StoreAnswer::Put(self.data.commit(commit, wall, &precondition))
            }
            StoreCall::Delete(key, precondition) => {
                let commit = Commit { at: now, by: Some(by), key, record: None };
                StoreAnswer::Deleted(self.data.commit(commit, wall, &precondition).map(drop))
            }
            StoreCall::List(store, prefix) => StoreAnswer::Listed(Ok(self.data.list(&store, &prefix))),
        };
        (now + self.latency(), answer)
    }

    /// Writes a record as another program does: at once and whatever is there.
    pub(crate) fn write(&mut self, now: Instant, wall: WallTime, key: RecordKey, record: Record) {
        let commit = Commit { at: now, by: None, key, record: Some(record) };
        let written = self.data.commit(commit, wall, &Precondition::Always);
        assert!(written.is_ok(), "a write without a precondition happens");
    }

    /// Why a call is refused, if it is.
    fn refusal(&mut self, now: Instant, from: HostId, call: &StoreCall, load: Load) -> Option<ErrorKind> {
        let is_write = call.is_write();
        if let Err(kind) = limits::check_sizes(&self.limits, call) {
            return Some(kind);
        }
        if happens(&mut self.rng, self.faults.unavailable) {
            return Some(ErrorKind::Unavailable);
        }
        if happens(&mut self.rng, self.faults.throttled) {
            return Some(ErrorKind::Throttled { retry_after: None });
        }
        if is_write && happens(&mut self.rng, self.faults.conflict) {
            return Some(ErrorKind::Conflict);
        }
        if !self.usage.take(&self.limits, load, now, from, is_write) {
            self.stats.over_rate += 1;
            return Some(ErrorKind::Throttled { retry_after: None });
        }
        None
    }

    fn latency(&mut self) -> std::time::Duration {
        self.faults.latency.draw(&mut self.rng)
    }
}
