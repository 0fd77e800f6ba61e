//! Which operations a record's stored value already contains: the bookkeeping behind *exactly once*.
//!
//! An operation names its writer, its sequence, its predecessor, and the epoch and commit of the base that
//! it was made on. It may be applied if the epochs match, its predecessor is 0 or applied, and its sequence
//! is above its writer's last or, where the writer is not listed, its commit is at or above the fence.
//!
//! **Why that is safe.** Say an operation made on commit `c₀` is applied by commit `m`; then `m > c₀`. While
//! its writer is listed, the last sequence refuses it. To forget the writer at `m' ≥ m` raises the fence to
//! at least `m' ≥ m > c₀`, and the fence never falls, so from then on it is refused as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use litemap::LiteMap;
use transport_traits::WallTime;

/// Writers that moved within this time are never forgotten to make room. It is about being able to take
/// in operations that are still under way; safety does not hang on it, nor on clocks.
pub(crate) const KEEP: u64 = 60;

/// A writer's place in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its last sequence that is applied.
    pub(crate) last: u64,
    /// The commit that applied it.
    pub(crate) moved: u64,
}

/// A commit and a time, in seconds since 1970, at or before which it happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) commit: u64,
    pub(crate) at: u64,
}

/// The bookkeeping of one record's present state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    /// Names the life of this table: 48 bits. See [`epoch_of`](super::base).
    pub(crate) epoch: u64,
    /// Commits since the table began: `c`.
    pub(crate) commits: u64,
    /// Operations of unlisted writers made before this commit are refused: `p`.
    pub(crate) fence: u64,
    /// Commits up to this one are known to be at least [`KEEP`] seconds old.
    pub(crate) aged: u64,
    /// What becomes `aged` once it is old enough: so ages need no time an entry.
    pub(crate) mark: Mark,
    pub(crate) writers: LiteMap<u64, Entry>,
    /// What a later minor version added; kept unread.
    pub(crate) extension: Arc<str>,
}

/// What is to be said of an operation in view of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The stored value contains it.
    Applied,
    /// It may be applied.
    Admitted,
    /// It may be applied once its predecessor is.
    Hole,
    /// It may never be applied here, and whether it once was is not known.
    Refused,
}

/// What the rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) writer: u64,
    pub(crate) sequence: u64,
    pub(crate) pred: u64,
    pub(crate) epoch: u64,
    pub(crate) commit: u64,
}

/// A table has as many writers as it may, all of them recent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// How much room a table has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) writers: usize,
    pub(crate) text: usize,
}

/// What a commit changed besides the writers it lists: enough for others to make the same table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Upkeep {
    /// The new mark's time, if the mark moved.
    pub(crate) marked: Option<u64>,
    /// How many writers were forgotten.
    pub(crate) pruned: usize,
}

impl Table {
    pub(crate) fn new(epoch: u64) -> Self {
        Self { epoch, ..Self::default() }
    }

    pub(crate) fn last(&self, writer: u64) -> Option<u64> {
        self.writers.get(&writer).map(|entry| entry.last)
    }

    /// The rule, for a table to which `applied` (writer → last sequence) was added since.
    pub(crate) fn judge(&self, id: Identity, applied: &BTreeMap<u64, u64>) -> Judgement {
        if id.epoch != self.epoch {
            return Judgement::Refused;
        }
        let last = applied.get(&id.writer).copied().or_else(|| self.last(id.writer));
        match last {
            Some(last) if id.sequence <= last => Judgement::Applied,
            None if id.commit < self.fence => Judgement::Refused,
            _ if id.pred <= last.unwrap_or(0) => Judgement::Admitted,
            _ => Judgement::Hole,
        }
    }

    /// The same table for somebody who knows that it has stood for [`KEEP`] seconds: every writer may be
    /// forgotten. Or else one that filled up within that time would stay full for ever, since only a commit
    /// makes ages known.
    pub(crate) fn all_aged(&self) -> Self {
        Self { aged: self.commits, ..self.clone() }
    }

    /// The table after a commit that applies `applied` at `wall`.
    pub(crate) fn commit(
        &self,
        applied: &BTreeMap<u64, u64>,
        wall: WallTime,
        room: Room,
    ) -> Result<(Self, Upkeep), Full> {
        let commits = self.commits + 1;
        let entries = applied.iter().map(|(&writer, &last)| (writer, Entry { last, moved: commits }));
        let seconds = wall.since(WallTime::default()).as_secs();
        let marked = self.is_mark_due(seconds).then_some(seconds);
        let mut next = self.with(commits, entries, marked);
        let mut pruned = 0;
        while next.writers.len() > room.writers || next.to_text().len() > room.text {
            next.forget_oldest().ok_or(Full)?;
            pruned += 1;
        }
        assert!(next.fence < next.commits && next.fence >= self.fence, "the fence rises and stays behind");
        Ok((next, Upkeep { marked, pruned }))
    }

    /// The table that a commit of another server made, from what that server said of it.
    pub(crate) fn follow(
        &self,
        commits: u64,
        entries: impl IntoIterator<Item = (u64, Entry)>,
        upkeep: Upkeep,
    ) -> Self {
        let mut next = self.with(commits, entries, upkeep.marked);
        for _ in 0..upkeep.pruned.min(next.writers.len()) {
            next.forget_oldest();
        }
        next
    }

    fn with(
        &self,
        commits: u64,
        entries: impl IntoIterator<Item = (u64, Entry)>,
        marked: Option<u64>,
    ) -> Self {
        let mut next = self.clone();
        next.commits = commits;
        next.writers.extend(entries);
        if let Some(at) = marked {
            // A mark in the future was set by a clock that was wrong: what it says about age is void.
            if next.mark.at <= at {
                // No commit came when the next mark was due: all were made before.
                let paused = self.commits > 0 && at - next.mark.at >= 2 * KEEP;
                next.aged = next.aged.max(if paused { self.commits } else { next.mark.commit });
            }
            next.mark = Mark { commit: commits, at };
        }
        next
    }

    /// The mark moves on once its commit is old enough to count as aged, or if it lies in the future.
    fn is_mark_due(&self, seconds: u64) -> bool {
        self.commits == 0 || seconds.abs_diff(self.mark.at) >= KEEP
    }

    fn forget_oldest(&mut self) -> Option<()> {
        let (&writer, entry) = self.writers.iter().min_by_key(|(_, entry)| entry.moved)?;
        if entry.moved > self.aged {
            return None;
        }
        self.fence = self.fence.max(entry.moved);
        self.writers.remove(&writer);
        Some(())
    }
}
