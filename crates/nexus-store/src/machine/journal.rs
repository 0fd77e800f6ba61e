//! The operations of one record that are not known to be stored, in view order, and what they make of a base.

use std::collections::BTreeMap;
use std::sync::Arc;

use transport_traits::Instant;

use super::base::Base;
use super::operation::{Operation, Pending, Place, change_size};
use super::rare::Vacant;
use super::table::Judgement;
use super::table_text::MAX_NUMBER;
use crate::Object;
use crate::change::Change;

/// A record's pending operations, own and foreign.
///
/// They stand in one vector in the order of their places: there are few, and nearly all are added at the end.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    ops: Vec<Pending>,
    own_bytes: usize,
    foreign_bytes: usize,
    /// What of these the machine has accounted for.
    accounted: usize,
    accounted_foreign: usize,
}

impl Vacant for Journal {
    const VACANT: &'static Self =
        &Self { ops: Vec::new(), own_bytes: 0, foreign_bytes: 0, accounted: 0, accounted_foreign: 0 };

    fn is_vacant(&self) -> bool {
        self.ops.is_empty() && self.accounted == 0 && self.accounted_foreign == 0
    }
}

/// A base with operations applied to it.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) object: Arc<Object>,
    /// Writer → its last sequence among the applied ones.
    pub(crate) applied: BTreeMap<u64, u64>,
    pub(crate) places: Vec<Place>,
    /// Changes that left their field as it was because it holds no number or the sum is out of range.
    pub(crate) without_effect: u64,
}

impl Journal {
    pub(crate) fn own_bytes(&self) -> usize {
        self.own_bytes
    }

    pub(crate) fn foreign_bytes(&self) -> usize {
        self.foreign_bytes
    }

    /// Brings the machine's accounts of bytes, own and foreign, up to date.
    pub(crate) fn account(&mut self, own: &mut usize, foreign: &mut usize) {
        *own = *own + self.own_bytes - self.accounted;
        *foreign = *foreign + self.foreign_bytes - self.accounted_foreign;
        (self.accounted, self.accounted_foreign) = (self.own_bytes, self.foreign_bytes);
    }

    /// Bytes of other servers' operations that are not accounted for yet.
    pub(crate) fn new_foreign_bytes(&self) -> usize {
        self.foreign_bytes - self.accounted_foreign
    }

    pub(crate) fn knows(&self, writer: u64, sequence: u64) -> bool {
        self.ops.iter().any(|pending| pending.op.writer == writer && pending.op.sequence == sequence)
    }

    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.ops.iter()
    }

    pub(crate) fn own(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.ops.iter().filter(|pending| pending.own)
    }

    pub(crate) fn own_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Pending> {
        self.ops.iter_mut().filter(|pending| pending.own)
    }

    pub(crate) fn foreign_mut(&mut self) -> impl Iterator<Item = &mut Pending> {
        self.ops.iter_mut().filter(|pending| !pending.own)
    }

    pub(crate) fn get_mut(&mut self, place: &Place) -> Option<&mut Pending> {
        let at = self.ops.binary_search_by_key(place, |pending| pending.op.place()).ok()?;
        self.ops.get_mut(at)
    }

    /// The sequence of the last own operation, 0 if there is none.
    pub(crate) fn last_own(&self) -> u64 {
        self.own().next_back().map_or(0, |pending| pending.op.sequence)
    }

    /// The place up to which a write takes operations along: the last own or adopted one.
    pub(crate) fn cut(&self) -> Option<Place> {
        self.all().rev().find(|pending| pending.own || pending.adopted).map(|pending| pending.op.place())
    }

    pub(crate) fn insert(&mut self, pending: Pending) {
        let op = &pending.op;
        debug_assert!(!self.knows(op.writer, op.sequence), "an operation is pending once");
        let place = op.place();
        let at = self.ops.partition_point(|other| other.op.place() < place);
        assert!(self.ops.get(at).is_none_or(|next| next.op.place() != place), "an operation is pending once");
        *self.bytes_mut(pending.own) += pending.memory;
        self.ops.insert(at, pending);
    }

    fn bytes_mut(&mut self, own: bool) -> &mut usize {
        if own { &mut self.own_bytes } else { &mut self.foreign_bytes }
    }

    /// The stamp of a new own operation: `tick`, or the next after the last one here. So it comes after all
    /// that was visible when it was made, also after what a clock far ahead of ours has stamped, which does
    /// not move our clock.
    pub(crate) fn stamp_at_the_end(&self, tick: u64) -> u64 {
        let stamp = self.ops.last().map_or(tick, |last| tick.max(last.op.stamp + 1));
        // Others' stamps are below half of it, and between two of ours there is always one.
        assert!(stamp < MAX_NUMBER, "what others stamped can be followed");
        stamp
    }

    /// Adds a change to the last operation if that is our own, still open, and not larger than `max_size`
    /// with it; it moves to `stamp`, which comes after all that are here. Only the last one may grow, or the
    /// change would come before what was visible when it was made. Gives back the change if there is no such
    /// operation.
    pub(crate) fn merge(
        &mut self,
        stamp: u64,
        field: &str,
        name: impl FnOnce() -> Arc<str>,
        change: Change,
        max_size: usize,
    ) -> Result<(), Change> {
        let Some(last) = self.ops.last_mut() else { return Err(change) };
        if !last.own || last.sealed || last.size + change_size(field, &change) > max_size {
            return Err(change);
        }
        debug_assert!(stamp > last.op.stamp, "a change comes after all that was visible");
        self.own_bytes -= last.memory;
        last.op.stamp = stamp;
        last.add(field, name, change);
        self.own_bytes += last.memory;
        Ok(())
    }

    /// Applies to `base`, in order, the operations that may be applied to it and that `select` wants.
    pub(crate) fn fold(&self, base: &Base, mut select: impl FnMut(&Pending) -> bool) -> Folded {
        let mut folded = Folded {
            object: Arc::clone(&base.object),
            applied: BTreeMap::new(),
            places: Vec::new(),
            without_effect: 0,
        };
        for pending in &self.ops {
            let open = pending.own && !pending.sealed;
            let admitted =
                open || base.table.judge(pending.op.identity(), &folded.applied) == Judgement::Admitted;
            if admitted && select(pending) {
                folded.apply(&pending.op);
            }
        }
        folded
    }

    /// Seals the own operations for a base: from here on their identity stands.
    pub(crate) fn seal(&mut self, base: &Base, mut which: impl FnMut(&Pending) -> bool) {
        let mut pred = 0;
        for pending in self.own_mut() {
            if !pending.sealed {
                if !which(pending) {
                    break;
                }
                pending.sealed = true;
                pending.op.pred = pred;
                pending.op.epoch = base.table.epoch;
                pending.op.commit = base.table.commits;
            }
            assert!(pending.op.sequence > pred, "own operations stand in the order of their sequence");
            pred = pending.op.sequence;
        }
    }

    /// Opens again what is sealed but was neither shared nor part of a write that may have happened.
    pub(crate) fn unseal(&mut self) {
        for pending in self.own_mut() {
            pending.sealed = pending.shared || pending.attempted;
        }
    }

    /// Takes out the operations that `which` names.
    pub(crate) fn extract(&mut self, mut which: impl FnMut(&Pending) -> bool) -> Vec<Pending> {
        let taken: Vec<Pending> = self.ops.extract_if(.., |pending| which(pending)).collect();
        for pending in &taken {
            *self.bytes_mut(pending.own) -= pending.memory;
        }
        taken
    }

    /// Whether an operation waits for one that never came.
    pub(crate) fn has_hole(&self, base: &Base) -> bool {
        let mut applied = BTreeMap::new();
        self.all().filter(|pending| !pending.own).any(|pending| {
            match base.table.judge(pending.op.identity(), &applied) {
                Judgement::Hole => true,
                Judgement::Admitted => {
                    applied.insert(pending.op.writer, pending.op.sequence);
                    false
                }
                Judgement::Applied | Judgement::Refused => false,
            }
        })
    }

    /// When something of another server must be looked after next.
    pub(crate) fn next_foreign(&self, due: impl Fn(&Pending) -> Instant) -> Option<Instant> {
        self.all().filter(|pending| !pending.own).map(due).min()
    }
}

impl Folded {
    fn apply(&mut self, op: &Operation) {
        let object = Arc::make_mut(&mut self.object);
        for (field, change) in &op.changes {
            if object.apply(Arc::clone(field), change).is_err() {
                self.without_effect += 1;
            }
        }
        self.applied.insert(op.writer, op.sequence);
        self.places.push(op.place());
    }
}

/// An operation without identity yet, for one change.
pub(crate) fn open_operation(
    writer: u64,
    sequence: u64,
    stamp: u64,
    field: Arc<str>,
    change: Change,
) -> Operation {
    Operation { writer, sequence, pred: 0, epoch: 0, commit: 0, stamp, changes: vec![(field, change)] }
}
