//! Writing a record: planning, sending, and settling what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use transport_traits::{Error, ErrorKind, Instant, Retry, Version};

use super::base::Base;
use super::busy::Call;
use super::context::Context;
use super::io::{Outcome, Output, Ticket, UpdateOutcome};
use super::journal::Folded;
use super::operation::{Operation, Pending};
use super::record::Record;
use super::table::{Full, Identity, Judgement, Upkeep};
use super::update::Tried;
use crate::{FlushError, UpdateId};

/// Conflicts in a row that are answered at once; further ones wait, so that rivals do not keep colliding.
const EAGER_CONFLICTS: u32 = 3;

/// Somebody waits until everything up to a sequence is durable.
#[derive(Debug)]
pub(crate) struct FlushWaiter {
    pub(crate) ticket: Ticket,
    pub(crate) up_to: u64,
    /// Operations of these that turned out to have no known fate.
    pub(crate) undetermined: u64,
}

/// Where a write stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The function of its update runs.
    Running,
    /// The store has it.
    Flying,
    /// Whether it happened must be read.
    Settling,
    /// It may have happened, but not yet: the same write again is harmless and tells more.
    Repeating,
}

/// One write of the record: planned, under way, or of unknown outcome.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) phase: Phase,
    /// What it is based on.
    pub(crate) before: Base,
    /// What it makes of that; the version comes from the store.
    pub(crate) next: Base,
    /// Writer → last sequence that it applies.
    pub(crate) applied: BTreeMap<u64, u64>,
    pub(crate) upkeep: Upkeep,
    pub(crate) without_effect: u64,
    pub(crate) update: Option<Tried>,
    /// An earlier send of the same write may have happened.
    pub(crate) uncertain: bool,
}

impl Attempt {
    fn new(base: &Base, folded: Folded, update: Option<Tried>) -> Self {
        Self {
            phase: if update.is_some() { Phase::Running } else { Phase::Flying },
            before: base.clone(),
            next: Base { version: None, object: folded.object, ..base.clone() },
            applied: folded.applied,
            upkeep: Upkeep::default(),
            without_effect: folded.without_effect,
            update,
            uncertain: false,
        }
    }

    /// Whether it was sent at all.
    pub(crate) fn may_have_happened(&self) -> bool {
        self.uncertain || self.phase == Phase::Flying
    }

    pub(crate) fn update_ticket(&self) -> Option<Ticket> {
        self.update.as_ref().map(|tried| tried.ticket)
    }
}

impl Record {
    /// When the record's operations are to be written; `None` if there are none to write.
    pub(crate) fn flush_due(&self, ctx: &Context) -> Option<Instant> {
        self.journal.cut()?;
        let Some(first) = self.journal.own().next() else {
            return Some(Instant::ZERO); // Adopted ones are late already.
        };
        let delayed = first.since + ctx.config.flush_delay;
        if ctx.closing || self.holders == 0 || !self.busy.flushes.is_empty() {
            return Some(Instant::ZERO);
        }
        if self.busy.bus.too_long {
            // Others learn of it by this write alone.
            return Some(delayed.min(self.hasten_at));
        }
        Some(delayed)
    }

    pub(crate) fn start_write(&mut self, ctx: &mut Context, now: Instant) {
        if self.busy.attempt.is_some() {
            return self.send(ctx);
        }
        if self.start_update(ctx) {
            return;
        }
        let Some(cut) = self.journal.cut() else { return };
        let folded = self.journal.fold(&self.base, |pending| pending.op.place() <= cut);
        if folded.places.is_empty() {
            // Adopted ones that wait for another after all.
            self.journal.foreign_mut().for_each(|pending| pending.adopted = false);
            return;
        }
        self.begin(folded, None);
        self.finish_plan(ctx, now);
    }

    /// Fixes what a write takes along, and under which identities.
    pub(crate) fn begin(&mut self, folded: Folded, update: Option<Tried>) {
        self.journal.seal(&self.base, |_| true);
        let taken = |pending: &Pending| folded.places.binary_search(&pending.op.place()).is_ok();
        self.journal.own_mut().for_each(|pending| pending.attempted = taken(pending));
        self.journal.unseal();
        debug_assert!(
            self.journal.own().is_sorted_by(|a, b| a.attempted >= b.attempted),
            "a write takes a prefix of the own operations"
        );
        self.busy.attempt = Some(Box::new(Attempt::new(&self.base, folded, update)));
    }

    /// Computes the bookkeeping of the planned write and sends it.
    pub(crate) fn finish_plan(&mut self, ctx: &mut Context, now: Instant) {
        let (table, wall) = (self.table_to_write(now), ctx.clock.wall(now));
        let attempt = self.busy.attempt.as_mut().expect("a write was just planned");
        match table.commit(&attempt.applied, wall, ctx.room()) {
            Ok((table, upkeep)) => {
                attempt.next.table = table;
                attempt.upkeep = upkeep;
                self.send(ctx);
            }
            Err(Full) => self.contended(ctx, now),
        }
    }

    fn send(&mut self, ctx: &mut Context) {
        self.busy.call = Some(Call::Write);
        let attempt = self.busy.attempt.as_mut().expect("there is a write to send");
        attempt.phase = Phase::Flying;
        ctx.stats.store_writes += 1;
        let (record, precondition) = (attempt.next.to_record(), attempt.before.precondition());
        ctx.push(Output::Put(self.id, self.view.key().clone(), record, precondition));
    }

    /// Forgets a write that surely did not happen.
    pub(crate) fn abandon(&mut self) {
        self.busy.attempt = None;
        self.journal.own_mut().for_each(|pending| pending.attempted = false);
        self.journal.unseal();
    }

    pub(crate) fn put_done(&mut self, ctx: &mut Context, now: Instant, result: Result<Version, Arc<Error>>) {
        let Some(attempt) = self.busy.attempt.take_if(|attempt| attempt.phase == Phase::Flying) else {
            return;
        };
        match result {
            Ok(version) if attempt.before.version == self.base.version => {
                self.committed(ctx, now, attempt, version);
            }
            // Somebody claimed to have committed on our precondition, and cannot have.
            Ok(_) => self.settle_later(attempt),
            Err(error) => self.put_failed(ctx, now, attempt, &error),
        }
    }

    fn committed(&mut self, ctx: &mut Context, now: Instant, mut attempt: Box<Attempt>, version: Version) {
        attempt.next.version = Some(version);
        ctx.stats.commits += 1;
        self.report_without_effect(ctx, attempt.without_effect);
        self.hasten_at = now + ctx.config.flush_delay;
        self.busy.failures = 0;
        self.busy.conflicts = 0;
        self.busy.refusal = None;
        self.busy.bus.too_long = false;
        let unannounced = self.journal.own().filter(|pending| pending.attempted && !pending.announced);
        let ops: Vec<Operation> = unannounced.map(|pending| pending.op.clone()).collect();
        self.busy.bus.note_commit(&attempt, ops, ctx.max_notice());
        self.install(ctx, attempt.next);
        if let Some(tried) = attempt.update {
            self.finish_update(ctx, tried.ticket, UpdateOutcome::Committed(tried.id(ctx.me)));
        }
    }

    fn report_without_effect(&self, ctx: &mut Context, changes: u64) {
        if changes > 0 {
            ctx.stats.without_effect += changes;
            tracing::warn!(record = %self.view.key(), changes, "changes of numbers without effect: no number, or overflow");
        }
    }

    fn settle_later(&mut self, mut attempt: Box<Attempt>) {
        attempt.uncertain = true;
        attempt.phase = Phase::Settling;
        self.busy.attempt = Some(attempt);
    }

    fn put_failed(&mut self, ctx: &mut Context, now: Instant, mut attempt: Box<Attempt>, error: &Arc<Error>) {
        let kind = error.kind();
        if kind == ErrorKind::Conflict {
            return self.conflict(ctx, now, attempt);
        }
        self.store_failed(ctx, now, error);
        if kind == ErrorKind::Unknown {
            ctx.stats.unknown_outcomes += 1;
            self.busy.not_before = if self.busy.failures == 1 { now } else { self.busy.not_before };
            return self.settle_later(attempt);
        }
        if attempt.uncertain {
            // This one failed, but an earlier one may still arrive.
            attempt.phase = Phase::Settling;
            self.busy.attempt = Some(attempt);
            return;
        }
        let tried = attempt.update.take();
        self.abandon();
        if error.retry() == Retry::Never {
            self.refused(ctx, now, tried, error);
        }
    }

    fn conflict(&mut self, ctx: &mut Context, now: Instant, attempt: Box<Attempt>) {
        ctx.stats.conflicts += 1;
        if attempt.uncertain {
            return self.settle_later(attempt);
        }
        if attempt.before.version == self.base.version {
            self.busy.read_at = Some(Instant::ZERO);
        }
        self.abandon();
        self.busy.conflicts = self.busy.conflicts.saturating_add(1);
        if self.busy.conflicts > EAGER_CONFLICTS {
            self.busy.not_before = now + ctx.backoff(self.busy.conflicts - EAGER_CONFLICTS);
        }
    }

    /// The store will not take the record as it is. If it is an update's doing, that ends; else the
    /// operations are kept and tried again now and then.
    fn refused(&mut self, ctx: &mut Context, now: Instant, tried: Option<Tried>, error: &Arc<Error>) {
        tracing::warn!(record = %self.view.key(), %error, "the store refuses the record");
        if let Some(tried) = tried {
            self.finish_update(ctx, tried.ticket, UpdateOutcome::Refused(Arc::clone(error)));
            self.busy.not_before = now;
            return;
        }
        self.busy.refusal = Some(Arc::clone(error));
        self.fail_flushes(ctx, &FlushError::Refused(Arc::clone(error)));
    }

    /// What a fresh read says about a write of unknown outcome. The read's state is installed by now, so its
    /// operations are confirmed, lost or free to be written again.
    pub(crate) fn settle_attempt(&mut self, ctx: &mut Context, now: Instant) {
        let Some(mut attempt) = self.busy.attempt.take_if(|attempt| attempt.phase == Phase::Settling) else {
            return;
        };
        if self.base.version == attempt.before.version {
            attempt.phase = Phase::Repeating;
            self.busy.attempt = Some(attempt);
            return;
        }
        if self.base.table == attempt.next.table {
            ctx.stats.commits += 1;
            self.report_without_effect(ctx, attempt.without_effect);
            self.hasten_at = now + ctx.config.flush_delay;
            attempt.next = self.base.clone();
            self.busy.bus.note_commit(&attempt, Vec::new(), ctx.max_notice());
        }
        self.busy.failures = 0;
        self.abandon();
        if let Some(tried) = attempt.update {
            self.settle_update(ctx, tried, &attempt.before);
        }
    }

    fn settle_update(&mut self, ctx: &mut Context, tried: Tried, before: &Base) {
        let identity = Identity {
            writer: ctx.me,
            sequence: tried.sequence,
            pred: 0,
            epoch: before.table.epoch,
            commit: before.table.commits,
        };
        let id: UpdateId = tried.id(ctx.me);
        match self.base.table.judge(identity, &BTreeMap::new()) {
            Judgement::Applied => self.finish_update(ctx, tried.ticket, UpdateOutcome::Committed(id)),
            // Surely not written: the job is still queued, and runs again.
            Judgement::Admitted | Judgement::Hole => {}
            Judgement::Refused => self.finish_update(ctx, tried.ticket, UpdateOutcome::Unknown(id)),
        }
    }

    /// Answers an update and takes it out of the queue.
    pub(crate) fn finish_update(&mut self, ctx: &mut Context, ticket: Ticket, outcome: UpdateOutcome) {
        self.busy.updates.retain(|job| job.ticket != ticket);
        ctx.done(ticket, Outcome::Updated(outcome));
    }
}
