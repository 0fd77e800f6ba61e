//! Writing a record: read it, make the changes on what is there, and put it back if it is still so.

use std::sync::Arc;

use transport_traits::{Error, ErrorKind, Instant, Retry, Stored, Version};

use super::super::context::{Access, Context};
use super::super::io::{Outcome, Output, Ticket, UpdateInput, UpdateOutcome};
use super::super::record::Load;
use super::changes::Changes;
use super::marks;
use super::record::{Call, Job, Known, Record, Wanted};
use crate::wire::exactly;
use crate::{FlushError, Object, UpdateId, json};

/// Conflicts in a row that are answered at once; further ones wait.
const EAGER_CONFLICTS: u32 = 3;

/// What a write does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// What is stored must be read.
    Read,
    /// The function of its update runs.
    Running,
    Write,
}

/// A write that is planned or under way.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) stage: Stage,
    pub(crate) pending: Changes,
    pub(crate) job: Option<Job>,
    /// What the record becomes.
    pub(super) next: Arc<Object>,
    pub(super) users: Arc<[Arc<str>]>,
    /// The fields that its update changed.
    pub(super) changed: Vec<Arc<str>>,
    /// What it is based on.
    before: Known,
    /// By which it is known again.
    mark: String,
    without_effect: u64,
    waiters: Vec<Ticket>,
    conflicts: u32,
    /// What it is based on was read for it.
    has_read: bool,
    /// It was sent and may have happened.
    uncertain: bool,
}

impl Flight {
    pub(crate) fn waiters(&mut self) -> Vec<Ticket> {
        std::mem::take(&mut self.waiters)
    }

    pub(crate) fn may_have_happened(&self, call: Option<&Call>) -> bool {
        self.uncertain || call == Some(&Call::Write)
    }
}

impl Record {
    /// Begins a flush that is due. What needs no store is done at once.
    pub(crate) fn begin_flush(&mut self, ctx: &mut Context) {
        self.flush_at = None;
        let writes = if self.strict { !self.pending.is_empty() } else { self.pending.has_own() };
        if !writes && self.updates.is_empty() {
            self.announce_written(ctx);
            let waiters = std::mem::take(&mut self.flushes);
            return self.answer_flushes(ctx, waiters);
        }
        if !self.may_save() {
            return self.refuse_unloaded(ctx);
        }
        let job = self.updates.pop_front();
        if !self.updates.is_empty() {
            self.flush_at = Some(Instant::ZERO);
        }
        let sequence = job.as_ref().map_or_else(|| ctx.next_sequence(), |job| job.sequence);
        // A function decides on what is stored now.
        let reads = self.strict || job.is_some() || self.load != Load::Loaded;
        self.flight = Some(Flight {
            stage: Stage::Read,
            pending: std::mem::take(&mut self.pending),
            job,
            next: Arc::default(),
            users: Arc::default(),
            changed: Vec::new(),
            before: Known::default(),
            mark: marks::mark(ctx.me, sequence),
            without_effect: 0,
            waiters: std::mem::take(&mut self.flushes),
            conflicts: 0,
            has_read: false,
            uncertain: false,
        });
        if !reads {
            self.plan(ctx);
        }
    }

    pub(super) fn refuse_unloaded(&mut self, ctx: &mut Context) {
        self.fail_flushes(ctx, &FlushError::NotLoaded);
        for job in self.updates.drain(..) {
            ctx.done(job.ticket, Outcome::Updated(UpdateOutcome::NotLoaded));
        }
    }

    /// What a write that is under way wants of the store.
    pub(crate) fn flight_work(&self) -> Option<Access> {
        match self.flight.as_ref()?.stage {
            Stage::Read => Some(Access::Read),
            Stage::Write => Some(Access::Write),
            Stage::Running => None,
        }
    }

    /// Sends the planned write.
    pub(crate) fn send(&mut self, ctx: &mut Context) {
        let Some(flight) = &self.flight else { return };
        ctx.stats.store_writes += 1;
        let before = &flight.before;
        let marks = marks::read(&before.metadata, before.version.as_ref());
        let record = transport_traits::Record::new(json::to_text(&flight.next))
            .with_metadata(marks::write(&flight.mark, &marks, &ctx.store_limits))
            .with_users(flight.users.iter().cloned());
        ctx.push(Output::Put(self.id, self.key.clone(), record, flight.before.precondition()));
        self.call = Some(Call::Write);
    }

    /// A read for the write is back.
    pub(crate) fn flight_read(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        result: Result<Option<Stored>, Arc<Error>>,
    ) {
        match result.map(|stored| self.known_of(stored.as_ref())) {
            Ok(Ok(known)) => self.read_for_write(ctx, now, known),
            Ok(Err(error)) if !self.strict => return self.cannot_write(ctx, now, &error),
            Ok(Err(error)) | Err(error) => return self.write_failed(ctx, now, &error),
        }
        let Some(flight) = &mut self.flight else { return };
        flight.has_read = true;
        if !flight.uncertain {
            return self.plan(ctx);
        }
        if self.known.version == flight.before.version {
            flight.stage = Stage::Write; // It did not happen yet; the same again can happen once only.
            return;
        }
        let marks = marks::read(&self.known.metadata, self.known.version.as_ref());
        if marks.contains(&flight.mark) {
            flight.before = self.known.clone();
            flight.next = Arc::clone(&self.known.object);
            return self.written(ctx);
        }
        let before = marks::read(&flight.before.metadata, flight.before.version.as_ref());
        if marks.contains(&before[0]) {
            flight.uncertain = false;
            return self.plan(ctx); // It never will.
        }
        self.doubtful(ctx);
    }

    /// Makes the changes on what is stored.
    fn plan(&mut self, ctx: &mut Context) {
        if !self.strict {
            self.refresh(ctx);
        }
        let Some(flight) = &mut self.flight else { return };
        flight.before = self.known.clone();
        flight.next = Arc::clone(&self.known.object);
        flight.users = Arc::clone(&self.known.users);
        flight.changed.clear();
        flight.without_effect = 0;
        let fields = Arc::make_mut(&mut flight.next);
        let mut touched: Vec<&Arc<str>> = flight.pending.iter().map(|pending| &pending.field).collect();
        match flight.job.as_ref().map(|job| &job.fields) {
            Some(Some(named)) => touched.extend(named),
            Some(None) => touched.extend(self.told.keys()),
            None => {}
        }
        for field in touched {
            if let Some(told) = self.told.get(field) {
                // What was visible when the change was made comes before it.
                let _ = fields.apply(Arc::clone(field), &exactly(told.value.as_ref()));
            }
        }
        for pending in flight.pending.iter() {
            // The original writes what the field is by now, whatever it was set to.
            let by_now = self.strict.then(|| exactly(self.view.get(&pending.field).as_ref()));
            let change = by_now.as_ref().unwrap_or(&pending.change);
            flight.without_effect += u64::from(fields.apply(Arc::clone(&pending.field), change).is_err());
        }
        let Some(job) = &flight.job else { return self.finish_plan(ctx) };
        let value = |field: &Arc<str>| (Arc::clone(field), flight.next.get(field).cloned());
        let fields = match &job.fields {
            Some(named) => named.iter().map(value).collect(),
            None => flight.next.keys().map(value).collect(),
        };
        let (whole_record, users) = (job.fields.is_none(), Arc::clone(&flight.users));
        ctx.push(Output::RunUpdate(job.ticket, UpdateInput { fields, whole_record, users }));
        flight.stage = Stage::Running;
    }

    pub(super) fn finish_plan(&mut self, ctx: &mut Context) {
        let Some(flight) = &mut self.flight else { return };
        // The original makes a record even if it stays empty.
        let makes = self.strict && (!flight.pending.is_empty() || flight.job.is_some());
        let is_there = flight.before.version.is_some() || !makes;
        let is_same =
            flight.users == flight.before.users && json::same_object(&flight.next, &flight.before.object);
        if !(is_there && is_same) {
            flight.stage = Stage::Write;
        } else if flight.has_read {
            self.written(ctx); // It is stored already, by whomever.
        } else {
            flight.stage = Stage::Read; // It was, when that was read last.
        }
    }

    pub(crate) fn put_done(&mut self, ctx: &mut Context, now: Instant, result: Result<Version, Arc<Error>>) {
        let Some(flight) = &mut self.flight else { return };
        let error = match result {
            Ok(version) => {
                ctx.stats.commits += 1;
                let before = flight.before.version.replace(version);
                flight.before.object = Arc::clone(&flight.next);
                flight.before.users = Arc::clone(&flight.users);
                let marks = marks::read(&flight.before.metadata, before.as_ref());
                flight.before.metadata = marks::write(&flight.mark, &marks, &ctx.store_limits).into();
                return self.written(ctx);
            }
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Conflict => {
                ctx.stats.conflicts += 1;
                flight.stage = Stage::Read;
                flight.conflicts = flight.conflicts.saturating_add(1);
                if flight.conflicts > EAGER_CONFLICTS {
                    self.not_before = now + ctx.backoff(flight.conflicts - EAGER_CONFLICTS);
                }
            }
            ErrorKind::Unknown => {
                ctx.stats.unknown_outcomes += 1;
                flight.uncertain = true;
                if self.strict {
                    return self.doubtful(ctx); // The original does not look either.
                }
                self.write_failed(ctx, now, &error);
                self.not_before = if self.failures == 1 { now } else { self.not_before };
            }
            _ => self.write_failed(ctx, now, &error),
        }
    }

    /// The write is part of what is stored: `before`.
    fn written(&mut self, ctx: &mut Context) {
        let Some(flight) = self.flight.take() else { return };
        let changed = flight.before.version != self.known.version || flight.uncertain;
        self.known = flight.before;
        (self.failures, self.refusal) = (0, None);
        if flight.without_effect > 0 {
            ctx.stats.without_effect += flight.without_effect;
            tracing::warn!(record = %self.key, changes = flight.without_effect, "changes without effect");
        }
        let named = flight.pending.iter().filter(|_| changed && !self.strict).map(|pending| &pending.field);
        self.announcing.named.extend(named.cloned());
        if let Some(job) = flight.job {
            let named = job.fields.unwrap_or(flight.changed);
            self.announcing.named.extend(named.into_iter().filter(|_| changed || self.strict));
            let id = UpdateId { writer: ctx.me, sequence: job.sequence };
            let outcome = if changed { UpdateOutcome::Committed(id) } else { UpdateOutcome::Unchanged };
            ctx.done(job.ticket, Outcome::Updated(outcome));
        }
        for pending in flight.pending.iter() {
            self.told.remove(&pending.field);
        }
        self.take_over(ctx, flight.next);
        self.announce_written(ctx);
        self.answer_flushes(ctx, flight.waiters);
    }

    /// Shows what is stored now, but for what changed here meanwhile.
    fn take_over(&mut self, ctx: &mut Context, stored: Arc<Object>) {
        if !self.strict {
            return self.refresh(ctx);
        }
        let mut object = stored;
        let fields = Arc::make_mut(&mut object);
        for pending in self.pending.iter() {
            // To set and to remove always succeeds.
            let _ =
                fields.apply(Arc::clone(&pending.field), &exactly(self.view.get(&pending.field).as_ref()));
        }
        self.show(ctx, object);
    }

    /// Whether the write happened cannot be found out: it is reported, and not repeated.
    fn doubtful(&mut self, ctx: &mut Context) {
        let Some(flight) = self.flight.take() else { return };
        let operations = flight.pending.iter().filter(|pending| pending.own).count() as u64;
        ctx.stats.undetermined += operations;
        tracing::warn!(record = %self.key, operations, "the fate of writes cannot be found out");
        self.undetermined += operations;
        if let Some(job) = flight.job {
            self.announcing.named.extend(job.fields.unwrap_or(flight.changed));
            let id = UpdateId { writer: ctx.me, sequence: job.sequence };
            ctx.done(job.ticket, Outcome::Updated(UpdateOutcome::Unknown(id)));
        }
        self.take_over(ctx, flight.next);
        if !self.strict {
            self.announcing.named.extend(flight.pending.iter().map(|pending| Arc::clone(&pending.field)));
            self.announce_written(ctx); // Whatever became of it, the others should look.
        }
        if self.strict && self.undetermined == 0 {
            // Nothing of ours is in doubt, only what was heard of.
            self.flushes.splice(0..0, flight.waiters);
            return self.fail_flushes(ctx, &FlushError::Undetermined { operations: 0 });
        }
        self.answer_flushes(ctx, flight.waiters);
    }

    /// The store did not do what it was asked to.
    fn write_failed(&mut self, ctx: &mut Context, now: Instant, error: &Arc<Error>) {
        self.store_failed(ctx, now, error);
        let Some(flight) = &mut self.flight else { return };
        flight.stage = Stage::Read;
        let is_final = error.retry() == Retry::Never && !flight.uncertain;
        if self.strict || is_final {
            self.give_up(ctx, error);
        }
    }

    /// What is stored makes no sense by now.
    fn cannot_write(&mut self, ctx: &mut Context, now: Instant, error: &Arc<Error>) {
        if self.flight.as_ref().is_some_and(|flight| flight.uncertain) {
            self.doubtful(ctx);
        } else {
            self.finish_job(ctx, UpdateOutcome::NotLoaded);
            self.take_back();
        }
        self.unreadable(ctx, now, error);
    }

    /// A write surely did not happen: its changes are kept for a later one.
    fn take_back(&mut self) {
        let Some(mut flight) = self.flight.take() else { return };
        flight.pending.append(std::mem::take(&mut self.pending));
        self.pending = flight.pending;
        self.flushes.append(&mut flight.waiters);
    }

    /// Keeps the changes for a later flush.
    fn give_up(&mut self, ctx: &mut Context, error: &Arc<Error>) {
        self.finish_job(ctx, UpdateOutcome::Refused(Arc::clone(error)));
        self.take_back();
        self.fail_flushes(ctx, &FlushError::Refused(Arc::clone(error)));
        self.refusal = Some(Arc::clone(error));
        if !self.strict && self.pending.has_own() {
            self.flush_at = Some(self.not_before);
        }
    }

    /// Nobody waits for a flush any more.
    pub(crate) fn cancel_flush(&mut self, ticket: Ticket) {
        self.flushes.retain(|waiting| *waiting != ticket);
        if let Some(flight) = &mut self.flight {
            flight.waiters.retain(|waiting| *waiting != ticket);
        }
    }

    fn answer_flushes(&mut self, ctx: &mut Context, waiters: Vec<Ticket>) {
        for ticket in waiters {
            let result = match std::mem::take(&mut self.undetermined) {
                0 => Ok(()),
                operations => Err(FlushError::Undetermined { operations }),
            };
            ctx.done(ticket, Outcome::Flushed(result));
        }
    }

    /// Strict: whether the request under way is part of a flush.
    pub(crate) fn is_flushing(&self) -> bool {
        matches!(&self.call, Some(Call::Write | Call::Read(Wanted::Flush)))
    }
}
