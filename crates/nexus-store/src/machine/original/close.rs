//! Shutting down on the original's wire.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::{Error, Instant};

use super::super::io::{Outcome, RecordId, Ticket, UpdateOutcome};
use super::super::record::Load;
use super::Machine;
use super::record::Record;
use crate::error::{FlushError, ShutdownReport, Unsaved};
use crate::{LoadState, UpdateId};

/// A shutdown that is under way or over.
#[derive(Debug)]
pub(super) struct Closing {
    deadline: Instant,
    tickets: Vec<Ticket>,
    /// What it came to, once it is over.
    report: Option<ShutdownReport>,
}

impl Machine {
    /// Refuses further writes, saves everything and then closes all records. The strict profile tries that once, and
    /// sends none of the messages that wait.
    pub fn shut_down(&mut self, now: Instant) -> Ticket {
        let ticket = self.ctx.next_ticket();
        self.begin_closing(now, self.ctx.config.shutdown_timeout);
        match self.closing.as_mut().map(|closing| (closing.report.clone(), &mut closing.tickets)) {
            Some((Some(report), _)) => self.ctx.done(ticket, Outcome::ShutDown(report)),
            Some((None, tickets)) => tickets.push(ticket),
            None => {}
        }
        ticket
    }

    /// Ends at once: every call that waits is answered.
    pub fn abort(&mut self, now: Instant) {
        self.begin_closing(now, Duration::ZERO);
        self.finish_closing(now + Duration::from_micros(1));
    }

    /// Whether a shutdown is over: nothing will ever come out of this machine again.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.ctx.outputs.is_empty() && self.closing.as_ref().is_some_and(|closing| closing.report.is_some())
    }

    fn begin_closing(&mut self, now: Instant, timeout: Duration) {
        self.ctx.closing = true;
        let deadline = now + timeout;
        match &mut self.closing {
            Some(closing) => closing.deadline = closing.deadline.min(deadline),
            None => self.closing = Some(Closing { deadline, tickets: Vec::new(), report: None }),
        }
        let ids: Vec<RecordId> = self.records.keys().copied().collect();
        for id in ids {
            self.with(id, |record, _| record.flush_at = Some(Instant::ZERO));
        }
    }

    pub(super) fn closing_deadline(&self) -> Option<Instant> {
        self.closing.as_ref().filter(|closing| closing.report.is_none()).map(|closing| closing.deadline)
    }

    /// Ends the shutdown if there is nothing left to do, or no time left to do it.
    pub(super) fn finish_closing(&mut self, now: Instant) -> bool {
        let Some(deadline) = self.closing_deadline() else { return false };
        if now < deadline && !self.records.values().all(Record::has_ended) {
            return false;
        }
        let mut unsaved = std::mem::take(&mut self.doubtful);
        unsaved.extend(self.records.values().filter_map(Record::to_report));
        let report = ShutdownReport { unsaved };
        let ids: Vec<RecordId> = self.records.keys().copied().collect();
        for id in ids {
            self.with(id, Record::answer_all);
            self.evict(id);
        }
        self.doubtful = Vec::new(); // They are in the report.
        if let Some(closing) = &mut self.closing {
            for ticket in closing.tickets.drain(..) {
                self.ctx.done(ticket, Outcome::ShutDown(report.clone()));
            }
            closing.report = Some(report);
        }
        true
    }
}

impl Record {
    /// Whether a shutdown need not wait for it any longer.
    fn has_ended(&self) -> bool {
        let tried = self.flight.is_none()
            && self.call.is_none()
            && self.flush_at.is_none()
            && self.load != Load::Loading;
        if self.strict { tried } else { self.is_settled(true) }
    }

    /// What a shutdown has to say of it, if anything: that writes are not saved, or that nobody knows.
    pub(super) fn to_report(&self) -> Option<Unsaved> {
        (self.own_bytes() > 0 || self.undetermined > 0).then(|| Unsaved {
            key: self.key.clone(),
            error: self.latest_error(),
            undetermined: self.undetermined,
        })
    }

    fn latest_error(&self) -> Option<Arc<Error>> {
        match self.view.load_state() {
            LoadState::Failed(error) => Some(error),
            _ => self.refusal.clone(),
        }
    }

    /// Answers all calls: an update that may have been written has an unknown outcome.
    fn answer_all(&mut self, ctx: &mut super::super::context::Context) {
        self.fail_flushes(ctx, &FlushError::Closed);
        for ticket in self.opens.drain(..) {
            ctx.done(ticket, Outcome::Opened);
        }
        if let Some(mut flight) = self.flight.take() {
            let sent = flight.may_have_happened(self.call.as_ref());
            for ticket in flight.waiters() {
                ctx.done(ticket, Outcome::Flushed(Err(FlushError::Closed)));
            }
            if let Some(job) = flight.job {
                let id = UpdateId { writer: ctx.me, sequence: job.sequence };
                let outcome = if sent { UpdateOutcome::Unknown(id) } else { UpdateOutcome::Closed };
                ctx.done(job.ticket, Outcome::Updated(outcome));
            }
        }
        for job in self.updates.drain(..) {
            ctx.done(job.ticket, Outcome::Updated(UpdateOutcome::Closed));
        }
    }
}
