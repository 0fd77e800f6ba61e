//! One key: its latest state, those before it, and what may still be read and written.

use std::collections::VecDeque;

use transport_traits::limits::Throughput;
use transport_traits::{
    Error, ErrorKind, Instant, Precondition, Record, StoreLimits, Stored, Version, VersionInfo, WallTime,
};

use crate::window::{Window, take};

/// A state that a key was once in.
#[derive(Clone)]
pub(super) struct State {
    pub(super) version: Version,
    pub(super) modified: WallTime,
    /// `None` if the state is the record's deletion.
    pub(super) record: Option<Record>,
}

impl State {
    fn stored(&self) -> Option<Stored> {
        let record = self.record.clone()?;
        Some(Stored { record, version: self.version.clone(), modified: self.modified })
    }

    fn info(&self) -> VersionInfo {
        VersionInfo { version: self.version.clone(), modified: self.modified, deleted: self.record.is_none() }
    }
}

/// The states of one key, and its throughput.
pub(super) struct Entry {
    latest: State,
    /// Earlier states, oldest first.
    past: VecDeque<State>,
    /// Boxed, since most stores have no such limit and a million keys.
    throughput: Option<Box<KeyThroughput>>,
}

impl Entry {
    /// A key whose first state is `state`.
    pub(super) fn new(state: State, limits: &StoreLimits, now: Instant) -> Result<Self, Error> {
        let mut throughput = KeyThroughput::new(limits).map(Box::new);
        charge_write(&mut throughput, &state, now)?;
        Ok(Self { latest: state, past: VecDeque::new(), throughput })
    }

    /// Moves on to `state`, remembering the `history` states before it.
    pub(super) fn advance(&mut self, state: State, history: usize, now: Instant) -> Result<(), Error> {
        charge_write(&mut self.throughput, &state, now)?;
        self.past.push_back(std::mem::replace(&mut self.latest, state));
        let excess = self.past.len().saturating_sub(history);
        self.past.drain(..excess);
        Ok(())
    }

    /// Whether the key has a record.
    pub(super) fn is_live(&self) -> bool {
        self.latest.record.is_some()
    }

    /// The latest state, or the one of that version, if it is a record. Reading it counts.
    pub(super) fn read(&mut self, version: Option<&Version>, now: Instant) -> Result<Option<Stored>, Error> {
        let state = match version {
            None => Some(&self.latest),
            Some(version) => self.states().find(|state| state.version == *version),
        };
        let stored = state.and_then(State::stored);
        if let (Some(found), Some(throughput)) = (&stored, &mut self.throughput) {
            charge(&mut throughput.reads, found.record.value.len(), now)?;
        }
        Ok(stored)
    }

    /// What is known of the states, latest first.
    pub(super) fn infos(&self) -> Vec<VersionInfo> {
        self.states().map(State::info).collect()
    }

    /// Whether forgetting the entry at `now` would let nobody exceed its throughput.
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        self.throughput.as_mut().is_none_or(|throughput| throughput.is_idle(now))
    }

    /// Whether this is the latest state.
    pub(super) fn is_in(&self, version: &Version) -> bool {
        self.latest.version == *version
    }

    fn states(&self) -> impl Iterator<Item = &State> {
        std::iter::once(&self.latest).chain(self.past.iter().rev())
    }
}

/// Whether `precondition` holds for what is stored under a key.
pub(super) fn holds(precondition: &Precondition, entry: Option<&Entry>) -> bool {
    let live = entry.filter(|entry| entry.is_live());
    match precondition {
        Precondition::Always => true,
        Precondition::Absent => live.is_none(),
        Precondition::Is(version) => live.is_some_and(|entry| entry.is_in(version)),
    }
}

/// What one key allows.
struct KeyThroughput {
    reads: Option<Metered>,
    writes: Option<Metered>,
}

struct Metered {
    window: Window,
    limit: Throughput,
}

impl KeyThroughput {
    fn new(limits: &StoreLimits) -> Option<Self> {
        let metered = |limit: Option<Throughput>| {
            limit.map(|limit| Metered { window: Window::of_throughput(limit), limit })
        };
        let throughput = Self { reads: metered(limits.key_reads), writes: metered(limits.key_writes) };
        (throughput.reads.is_some() || throughput.writes.is_some()).then_some(throughput)
    }

    fn is_idle(&mut self, now: Instant) -> bool {
        let mut both = self.reads.iter_mut().chain(&mut self.writes);
        both.all(|metered| metered.window.is_idle(now))
    }
}

/// A deletion costs no bytes.
fn charge_write(
    throughput: &mut Option<Box<KeyThroughput>>,
    state: &State,
    now: Instant,
) -> Result<(), Error> {
    match (throughput, &state.record) {
        (Some(throughput), Some(record)) => charge(&mut throughput.writes, record.value.len(), now),
        _ => Ok(()),
    }
}

fn charge(metered: &mut Option<Metered>, size: usize, now: Instant) -> Result<(), Error> {
    let Some(Metered { window, limit }) = metered else {
        return Ok(());
    };
    let cost = (size as u64).next_multiple_of(limit.granularity.max(1));
    if cost > limit.bytes {
        // It would be throttled for ever, so it is not the rate that is exceeded.
        let limit = usize::try_from(limit.bytes).unwrap_or(usize::MAX);
        return Err(Error::new(ErrorKind::TooLarge { size, limit }, "value, of a key's throughput"));
    }
    take([Some(window)], now, cost)
        .map_err(|shortage| Error::new(shortage.throttled(now), "bytes of one key"))
}
