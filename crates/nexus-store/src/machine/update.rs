//! Updates: a function of the user's inside compare-and-swap.
//!
//! The function gets the stored value plus every visible operation, and all of these are written with its
//! changes in one step. The update has a sequence above all that it takes along. While it is not settled, no
//! later operation of ours is published: so that sequence in the table proves that the update happened.

use std::sync::Arc;

use transport_traits::{Error, ErrorKind, Instant};

use super::context::Context;
use super::flush::Phase;
use super::io::{Outcome, Output, Ticket, UpdateChanges, UpdateInput, UpdateOutcome, UpdateRun};
use super::record::Record;
use crate::{Object, UpdateId, json};

/// An update that waits for its turn.
#[derive(Debug)]
pub(crate) struct UpdateJob {
    pub(crate) ticket: Ticket,
    /// The fields that it may touch; `None`: all.
    pub(crate) fields: Option<Vec<Arc<str>>>,
    /// The function decided to write nothing, on the base of this generation. That counts once the store
    /// has confirmed that base.
    pub(crate) verdict: Option<(UpdateOutcome, u64)>,
    pub(crate) canceled: bool,
}

/// An update as part of a write.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub(crate) ticket: Ticket,
    pub(crate) sequence: u64,
    /// The fields that it changed.
    pub(crate) changed: Vec<Arc<str>>,
}

impl Tried {
    pub(crate) fn id(&self, writer: u64) -> UpdateId {
        UpdateId { writer, sequence: self.sequence }
    }
}

impl Record {
    /// What an update's function gets to see of a state.
    fn input_of(job: &UpdateJob, object: &Object, users: &Arc<[Arc<str>]>) -> UpdateInput {
        let fields = match &job.fields {
            Some(named) => {
                named.iter().map(|field| (Arc::clone(field), object.get(field).cloned())).collect()
            }
            None => {
                object.iter().map(|(field, value)| (Arc::clone(field), Some(Arc::clone(value)))).collect()
            }
        };
        UpdateInput { fields, whole_record: job.fields.is_none(), users: Arc::clone(users) }
    }

    /// Plans a write for the first update in the queue and has its function run.
    pub(crate) fn start_update(&mut self, ctx: &mut Context) -> bool {
        self.drop_canceled(ctx, None);
        let Some(job) = self.busy.updates.front() else { return false };
        let folded = self.journal.fold(&self.base, |_| true);
        let input = Self::input_of(job, &folded.object, &self.base.users);
        let tried = Tried { ticket: job.ticket, sequence: ctx.next_sequence(), changed: Vec::new() };
        ctx.push(Output::RunUpdate(job.ticket, input));
        self.begin(folded, Some(tried));
        self.busy.call = Some(super::busy::Call::Write);
        true
    }

    /// Whether this update's function is running.
    pub(crate) fn is_running(&self, ticket: Ticket) -> bool {
        self.busy
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.phase == Phase::Running && attempt.update_ticket() == Some(ticket))
    }

    /// The function has run. The write slot is free again unless a write follows.
    pub(crate) fn update_ran(&mut self, ctx: &mut Context, now: Instant, ticket: Ticket, run: UpdateRun) {
        debug_assert!(self.is_running(ticket), "only a running update ends");
        self.busy.call = None;
        if self.busy.attempt.as_ref().is_some_and(|attempt| attempt.before.version != self.base.version) {
            return self.abandon(); // The base moved on meanwhile: run again.
        }
        let takes_along = self.busy.attempt.as_ref().is_some_and(|attempt| !attempt.applied.is_empty());
        match run {
            // What it saw becomes durable with it, even if it changes nothing of that.
            UpdateRun::Changes(changes) if takes_along || !changes.is_empty() => {
                self.apply_update(ctx, now, ticket, changes)
            }
            UpdateRun::Changes(_) => self.judge_later(ticket, UpdateOutcome::Unchanged),
            UpdateRun::Aborted => self.judge_later(ticket, UpdateOutcome::Aborted),
            UpdateRun::Panicked => self.give_up(ctx, ticket, UpdateOutcome::Panicked),
            UpdateRun::NotNamed(field) => self.give_up(ctx, ticket, UpdateOutcome::NotNamed(field)),
        }
    }

    fn apply_update(&mut self, ctx: &mut Context, now: Instant, ticket: Ticket, changes: UpdateChanges) {
        if changes
            .fields
            .iter()
            .any(|(_, value)| value.as_ref().is_some_and(|value| json::is_too_deep(value)))
        {
            let error = Error::new(ErrorKind::Invalid, "a value is nested too deeply to be read again");
            return self.give_up(ctx, ticket, UpdateOutcome::Refused(Arc::new(error)));
        }
        let attempt = self.busy.attempt.as_mut().expect("the update is running");
        let tried = attempt.update.as_mut().expect("the update is running");
        let object = Arc::make_mut(&mut attempt.next.object);
        for (field, value) in changes.fields {
            tried.changed.push(Arc::clone(&field));
            match value {
                Some(value) => object.insert(field, value),
                None => object.remove(&field),
            };
        }
        attempt.next.users = changes.users.unwrap_or_else(|| Arc::clone(&attempt.next.users));
        attempt.applied.insert(ctx.me, tried.sequence);
        self.finish_plan(ctx, now);
    }

    fn give_up(&mut self, ctx: &mut Context, ticket: Ticket, outcome: UpdateOutcome) {
        self.abandon();
        self.finish_update(ctx, ticket, outcome);
    }

    fn judge_later(&mut self, ticket: Ticket, outcome: UpdateOutcome) {
        self.abandon();
        let generation = self.generation;
        if let Some(job) = self.busy.updates.iter_mut().find(|job| job.ticket == ticket) {
            job.verdict = Some((outcome, generation));
        }
    }

    /// Whether an update waits for the store to confirm what it decided on.
    pub(crate) fn has_verdict(&self) -> bool {
        self.busy.updates.front().is_some_and(|job| job.verdict.is_some())
    }

    /// The store was just read: a decision on this base stands, one on another is taken anew.
    pub(crate) fn confirm_verdict(&mut self, ctx: &mut Context) {
        let Some(job) = self.busy.updates.front_mut() else { return };
        let Some((outcome, generation)) = job.verdict.take() else { return };
        if generation == self.generation {
            let ticket = job.ticket;
            self.finish_update(ctx, ticket, outcome);
        }
    }

    pub(crate) fn cancel_update(&mut self, ctx: &mut Context, ticket: Ticket) {
        let trying = self.busy.attempt.as_ref().and_then(|attempt| attempt.update_ticket());
        for job in self.busy.updates.iter_mut().filter(|job| job.ticket == ticket) {
            job.canceled = true;
        }
        self.drop_canceled(ctx, trying);
    }

    /// Takes canceled updates out of the queue, but for the one that is being tried.
    fn drop_canceled(&mut self, ctx: &mut Context, trying: Option<Ticket>) {
        self.busy.updates.retain(|job| {
            let keep = !job.canceled || Some(job.ticket) == trying;
            if !keep {
                ctx.done(job.ticket, Outcome::Updated(UpdateOutcome::Closed));
            }
            keep
        });
    }
}
