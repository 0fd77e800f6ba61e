//! The operations of one record that are not known to be stored, in view order, and what they make of a base.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use transport_traits::Instant;

use super::base::Base;
use super::io::FieldChange;
use super::operation::{Operation, Pending, Place, change_size};
use super::table::Judgement;
use super::table_text::MAX_NUMBER;
use crate::Object;
use crate::change::{Change, NoEffect};

/// A record's pending operations, own and foreign.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    ops: BTreeMap<Place, Pending>,
    /// (writer, sequence) of each, to know repeated ones.
    known: BTreeSet<(u64, u64)>,
    own_bytes: usize,
    foreign_bytes: usize,
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

    pub(crate) fn knows(&self, writer: u64, sequence: u64) -> bool {
        self.known.contains(&(writer, sequence))
    }

    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.ops.values()
    }

    pub(crate) fn own(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.ops.values().filter(|pending| pending.own)
    }

    pub(crate) fn own_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Pending> {
        self.ops.values_mut().filter(|pending| pending.own)
    }

    pub(crate) fn foreign_mut(&mut self) -> impl Iterator<Item = &mut Pending> {
        self.ops.values_mut().filter(|pending| !pending.own)
    }

    pub(crate) fn get_mut(&mut self, place: &Place) -> Option<&mut Pending> {
        self.ops.get_mut(place)
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
        let is_new = self.known.insert((op.writer, op.sequence));
        assert!(is_new, "an operation is pending once");
        *self.bytes_mut(pending.own) += pending.memory;
        self.ops.insert(op.place(), pending);
    }

    pub(crate) fn remove(&mut self, place: &Place) -> Option<Pending> {
        let pending = self.ops.remove(place)?;
        self.known.remove(&(pending.op.writer, pending.op.sequence));
        *self.bytes_mut(pending.own) -= pending.memory;
        Some(pending)
    }

    fn bytes_mut(&mut self, own: bool) -> &mut usize {
        if own { &mut self.own_bytes } else { &mut self.foreign_bytes }
    }

    /// The stamp of a new own operation: `tick`, or the next after the last one here. So it comes after all
    /// that was visible when it was made, also after what a clock far ahead of ours has stamped, which does
    /// not move our clock. A stamp at the end of all numbers cannot be followed.
    pub(crate) fn stamp_at_the_end(&self, tick: u64) -> u64 {
        let last = self.ops.last_key_value().map_or(0, |((stamp, ..), _)| *stamp);
        if last + 1 < MAX_NUMBER { tick.max(last + 1) } else { tick }
    }

    /// Adds a change to the last operation if that is our own, still open, and not larger than `max_size`
    /// with it; it moves to `stamp`. Only the last one may grow, or the change would come before what was
    /// visible when it was made. Gives back the change if there is no such operation.
    pub(crate) fn merge(
        &mut self,
        stamp: u64,
        field: &Arc<str>,
        change: Change,
        max_size: usize,
    ) -> Result<(), Change> {
        let Some(mut last) = self.ops.last_entry() else { return Err(change) };
        let pending = last.get_mut();
        let added = change_size(field, &change);
        if !pending.own || pending.sealed || pending.size + added > max_size {
            return Err(change);
        }
        let mut pending = last.remove();
        self.own_bytes -= pending.memory;
        merge_change(&mut pending.op.changes, field, change);
        pending.op.stamp = stamp;
        (pending.size, pending.memory) = (pending.op.size(), pending.op.memory());
        self.own_bytes += pending.memory;
        self.ops.insert(pending.op.place(), pending);
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
        for (place, pending) in &self.ops {
            let open = pending.own && !pending.sealed;
            let admitted =
                open || base.table.judge(pending.op.identity(), &folded.applied) == Judgement::Admitted;
            if admitted && select(pending) {
                folded.apply(*place, &pending.op);
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
        let places: Vec<Place> =
            self.ops.iter().filter(|(_, pending)| which(pending)).map(|(place, _)| *place).collect();
        places.iter().filter_map(|place| self.remove(place)).collect()
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
    fn apply(&mut self, place: Place, op: &Operation) {
        let object = Arc::make_mut(&mut self.object);
        for (field, change) in &op.changes {
            if apply_change(object, field, change).is_err() {
                self.without_effect += 1;
            }
        }
        self.applied.insert(op.writer, op.sequence);
        self.places.push(place);
    }
}

/// Applies a change to a field of an object. Says what the field held before and holds now.
pub(crate) fn apply_change(
    object: &mut Object,
    field: &Arc<str>,
    change: &Change,
) -> Result<FieldChange, NoEffect> {
    let old = object.get(field);
    let new = change.apply(old)?;
    let old = old.cloned();
    match &new {
        Some(value) => object.insert(Arc::clone(field), Arc::clone(value)),
        None => object.remove(field),
    };
    Ok(FieldChange { field: Arc::clone(field), old, new })
}

fn merge_change(changes: &mut Vec<(Arc<str>, Change)>, field: &Arc<str>, change: Change) {
    let last = changes.iter_mut().rev().find(|(name, _)| name == field);
    match last.and_then(|(_, last)| Some((last.then(&change)?, last))) {
        Some((merged, last)) => *last = merged,
        None => changes.push((Arc::clone(field), change)),
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
