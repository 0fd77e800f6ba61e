//! The state of one open record, and how its view follows from it.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::{ErrorKind, Instant, RecordKey, Retry};

use super::base::Base;
use super::busy::Busy;
use super::context::Context;
use super::io::{FieldChange, Outcome, Output, RecordId, Ticket};
use super::journal::Journal;
use super::rare::Rare;
use super::table::Judgement;
use crate::view::{LoadState, View};
use crate::{FlushError, Object, json};

/// How long the first load waits for the subscription: what is published before it is in place would be
/// missed, but a bus that does not answer must not keep records from loading.
const SUBSCRIBE_PATIENCE: Duration = Duration::from_secs(5);

/// Whether the record's base may be relied upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// No attempt has ended yet.
    Loading,
    Loaded,
    /// What is stored could not be read, ever or any more.
    Failed,
}

/// The subscription of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listening {
    /// Nobody holds the record: it was opened for one update.
    Unwanted,
    /// To be asked for at this time.
    Wanted(Instant),
    Asked,
    Active,
}

/// One open record.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: RecordId,
    pub(crate) view: Arc<View>,
    pub(crate) holders: usize,
    /// Since when nobody holds it, if nobody does.
    pub(crate) idle_since: Instant,

    pub(crate) load: Load,
    /// What is stored and cannot be understood may be overwritten.
    pub(crate) may_overwrite: bool,
    pub(crate) base: Base,
    /// Rises whenever the base is replaced.
    pub(crate) generation: u64,
    pub(crate) journal: Rare<Journal>,
    /// What is under way or waits.
    pub(crate) busy: Rare<Busy>,
    pub(crate) revalidate_at: Instant,
    /// No message on the bus before this.
    pub(crate) publish_at: Instant,
    /// From when on what others learn of by a write alone is written at once: a flush delay after the last write.
    pub(crate) hasten_at: Instant,
    /// Stands in the queue for store requests.
    pub(crate) queued: bool,
    /// When the machine looks after it next, as its index has it.
    pub(crate) due: Option<Instant>,
    /// Somebody listens to its changes.
    pub(crate) told: bool,
}

impl Record {
    pub(crate) fn new(id: RecordId, key: RecordKey, now: Instant) -> Self {
        let mut busy = Rare::<Busy>::default();
        busy.listening = Listening::Wanted(now);
        busy.patience = now + SUBSCRIBE_PATIENCE;
        Self {
            id,
            view: Arc::new(View::new(key)),
            holders: 0,
            idle_since: now,
            load: Load::Loading,
            may_overwrite: false,
            base: Base::absent(None),
            generation: 0,
            journal: Rare::default(),
            busy,
            revalidate_at: now,
            publish_at: now,
            hasten_at: Instant::ZERO,
            queued: false,
            due: None,
            told: true,
        }
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.load == Load::Loaded
    }

    /// Whether a flush would have something to say of the record.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.journal.own_bytes() > 0 || self.busy.undetermined + self.untold() > 0
    }

    /// Whether nothing of ours is unsaved, nobody waits for anything, and the others were told if they can be.
    pub(crate) fn is_settled(&self, closing: bool) -> bool {
        self.journal.own_bytes() == 0
            && self.busy.call.is_none()
            && self.busy.attempt.is_none()
            && self.busy.updates.is_empty()
            && self.busy.opens.is_empty()
            && (self.busy.bus.is_over(closing) || !self.is_loaded())
    }

    /// Takes over a stored state, and settles what it says about pending operations.
    pub(crate) fn install(&mut self, ctx: &mut Context, base: Base) {
        let (old, new) = (&self.base.table, &base.table);
        if self.busy.heard_of > 0 && (new.epoch != old.epoch || self.busy.heard_of <= new.commits) {
            self.busy.heard_of = 0;
        }
        let before = std::mem::replace(&mut self.base, base);
        self.generation += 1;
        self.reconcile(ctx, &before);
        self.refresh_view(ctx);
        self.answer_flushes(ctx);
    }

    /// Somebody spoke of a commit of the base's epoch.
    pub(crate) fn hear_of(&mut self, commit: u64) {
        if commit > self.base.table.commits {
            self.busy.heard_of = self.busy.heard_of.max(commit);
        }
    }

    /// Removes what the base contains or refuses. Own operations that nobody else can know, or that surely
    /// were never applied, are opened again: they are made anew on this base when they are next sealed.
    fn reconcile(&mut self, ctx: &mut Context, before: &Base) {
        let mut applied = std::collections::BTreeMap::new();
        let unapplied = self.are_refused_unapplied(ctx, before);
        let table = &self.base.table;
        let (mut lost, mut remake, mut written) = (Vec::new(), false, false);
        self.journal.extract(|pending| {
            if pending.own && !pending.sealed {
                return false;
            }
            match table.judge(pending.op.identity(), &applied) {
                Judgement::Applied => {
                    written |= pending.own;
                    true
                }
                Judgement::Admitted => {
                    applied.insert(pending.op.writer, pending.op.sequence);
                    false
                }
                Judgement::Hole if !pending.own => false,
                Judgement::Refused if !pending.own => true,
                Judgement::Hole | Judgement::Refused if unapplied => {
                    remake = true;
                    false
                }
                Judgement::Hole | Judgement::Refused if pending.shared || pending.attempted => {
                    lost.push(pending.op.sequence);
                    true
                }
                Judgement::Hole | Judgement::Refused => false,
            }
        });
        self.journal.unseal();
        if written && self.busy.updates.is_empty() {
            self.end_contest();
        }
        if remake {
            self.remake_own(ctx);
        }
        for sequence in lost {
            self.report_undetermined(ctx, sequence);
        }
    }

    /// What writes were lost for is written, if by others: what comes next does not wait for that.
    fn end_contest(&mut self) {
        if self.busy.conflicts == 0 {
            return;
        }
        self.busy.conflicts = 0;
        if self.busy.failures == 0 {
            self.busy.not_before = Instant::ZERO; // No failure of the store asked for the wait.
        }
    }

    fn report_undetermined(&mut self, ctx: &mut Context, sequence: u64) {
        ctx.stats.undetermined += 1;
        tracing::warn!(record = %self.view.key(), sequence, "the fate of an operation cannot be found out");
        let mut waits = false;
        for waiter in self.busy.flushes.iter_mut().filter(|waiter| sequence <= waiter.up_to) {
            waiter.undetermined += 1;
            waits = true;
        }
        self.busy.undetermined += u64::from(!waits);
    }

    /// Computes the view anew and tells what changed.
    pub(crate) fn refresh_view(&mut self, ctx: &mut Context) {
        let new = self.journal.fold(&self.base, |_| true).object;
        let old = self.view.replace(Arc::clone(&new));
        if self.told {
            self.tell(ctx, differences(&old, &new));
        }
    }

    pub(crate) fn tell(&self, ctx: &mut Context, changes: Vec<FieldChange>) {
        if !changes.is_empty() {
            ctx.push(Output::Changed(self.id, changes));
        }
    }

    /// Answers the flushes whose operations are all out of the journal.
    pub(crate) fn answer_flushes(&mut self, ctx: &mut Context) {
        if self.busy.flushes.is_empty() {
            return;
        }
        let first = self.journal.own().next().map_or(u64::MAX, |pending| pending.op.sequence);
        for waiter in self.busy.flushes.extract_if(.., |waiter| waiter.up_to < first) {
            let result = match waiter.undetermined {
                0 => Ok(()),
                operations => Err(FlushError::Undetermined { operations }),
            };
            ctx.done(waiter.ticket, Outcome::Flushed(result));
        }
    }

    /// Nobody waits for a flush any more. What it would have told of undetermined operations the next one tells.
    pub(crate) fn cancel_flush(&mut self, ticket: Ticket) {
        let cancelled = self.busy.flushes.extract_if(.., |waiter| waiter.ticket == ticket);
        let untold: u64 = cancelled.map(|waiter| waiter.undetermined).sum();
        self.busy.undetermined += untold;
    }

    /// Fails those who wait for a flush. What they were to be told of undetermined operations the next one is told.
    pub(crate) fn fail_flushes(&mut self, ctx: &mut Context, error: &FlushError) {
        self.busy.undetermined += self.untold();
        for waiter in self.busy.flushes.drain(..) {
            ctx.done(waiter.ticket, Outcome::Flushed(Err(error.clone())));
        }
    }

    /// How many undetermined operations those who wait for a flush are to be told of. Several may wait for the same.
    pub(crate) fn untold(&self) -> u64 {
        self.busy.flushes.iter().map(|waiter| waiter.undetermined).max().unwrap_or(0)
    }

    /// Whether waiting for the record to be loaded is vain: what is stored makes no sense, or the store refuses to tell.
    pub(crate) fn is_unreadable(&self) -> bool {
        let LoadState::Failed(error) = self.view.load_state() else { return false };
        let is_vain = error.kind() == ErrorKind::Malformed || error.retry() == Retry::Never;
        self.load == Load::Failed && is_vain
    }

    pub(crate) fn set_load(&mut self, load: Load, state: LoadState) {
        self.load = load;
        self.view.set_load_state(state);
    }
}

/// What differs between two objects, field by field.
pub(crate) fn differences(old: &Arc<Object>, new: &Arc<Object>) -> Vec<FieldChange> {
    if Arc::ptr_eq(old, new) {
        return Vec::new();
    }
    let gone = old.iter().filter(|(field, _)| !new.contains_key(field));
    let gone = gone.map(|(field, value)| (field, Some(value), None));
    let here = new.iter().map(|(field, value)| (field, old.get(field), Some(value)));
    gone.chain(here)
        .filter(|(_, old, new)| !json::same_field(*old, *new))
        .map(|(field, old, new)| FieldChange {
            field: Arc::clone(field),
            old: old.cloned(),
            new: new.cloned(),
        })
        .collect()
}
