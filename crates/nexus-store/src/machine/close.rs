//! Shutting down: saving everything, and saying what could not be saved.

use std::time::Duration;

use transport_traits::Instant;

use super::Machine;
use super::io::{Outcome, RecordId, Ticket, UpdateOutcome};
use super::record::Record;
use crate::error::{FlushError, ShutdownReport, Unsaved};

/// A shutdown that is under way or over.
#[derive(Debug)]
pub(crate) struct Closing {
    deadline: Instant,
    tickets: Vec<Ticket>,
    /// What it came to, once it is over.
    report: Option<ShutdownReport>,
}

impl Machine {
    /// Refuses further writes, saves everything and then closes all records. The ticket is answered when
    /// that is done, or when [`Config::shutdown_timeout`](crate::Config::shutdown_timeout) has passed.
    pub fn shut_down(&mut self, now: Instant) -> Ticket {
        let ticket = self.ctx.next_ticket();
        let timeout = self.ctx.config.shutdown_timeout;
        self.begin_closing(now, timeout);
        if let Some(closing) = &mut self.closing {
            match &closing.report {
                Some(report) => self.ctx.done(ticket, Outcome::ShutDown(report.clone())),
                None => closing.tickets.push(ticket),
            }
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
        self.ctx.stirred = true;
        let deadline = now + timeout;
        match &mut self.closing {
            Some(closing) => closing.deadline = closing.deadline.min(deadline),
            None => self.closing = Some(Closing { deadline, tickets: Vec::new(), report: None }),
        }
        let ids: Vec<RecordId> = self.records.keys().copied().collect();
        for id in ids {
            self.with(id, |record, _| record.hurry(now));
        }
    }

    pub(crate) fn closing_deadline(&self) -> Option<Instant> {
        self.closing.as_ref().filter(|closing| closing.report.is_none()).map(|closing| closing.deadline)
    }

    /// Ends the shutdown if there is nothing left to do, or no time left to do it.
    pub(crate) fn finish_closing(&mut self, now: Instant) -> bool {
        let Some(deadline) = self.closing_deadline() else { return false };
        if now < deadline && !self.records.values().all(|record| record.is_settled(true)) {
            return false;
        }
        let report = self.unsaved();
        let ids: Vec<RecordId> = self.records.keys().copied().collect();
        for id in ids {
            self.with(id, |record, ctx| {
                record.fail_flushes(ctx, &FlushError::Closed);
                for ticket in record.busy.opens.drain(..) {
                    ctx.done(ticket, Outcome::Opened);
                }
                record.close_updates(ctx);
            });
            self.evict(id);
        }
        if let Some(closing) = &mut self.closing {
            for ticket in closing.tickets.drain(..) {
                self.ctx.done(ticket, Outcome::ShutDown(report.clone()));
            }
            closing.report = Some(report);
        }
        true
    }

    fn unsaved(&self) -> ShutdownReport {
        let unsaved = self.records.values().filter(|record| record.is_doubtful());
        let error = |record: &Record| {
            record.busy.refusal.clone().or_else(|| match record.view.load_state() {
                crate::LoadState::Failed(error) => Some(error),
                _ => self.ctx.stats.last_store_error.clone(),
            })
        };
        let describe = |record: &Record| Unsaved {
            key: record.view.key().clone(),
            undetermined: record.busy.undetermined + record.untold(),
            error: error(record),
        };
        let unsaved = unsaved.map(|record| describe(record));
        ShutdownReport { unsaved: self.doubtful.iter().cloned().chain(unsaved).collect() }
    }
}

impl Record {
    /// Answers all updates: one that may have been written has an unknown outcome.
    fn close_updates(&mut self, ctx: &mut super::context::Context) {
        let tried = self.busy.attempt.take().filter(|attempt| attempt.may_have_happened());
        let tried = tried.and_then(|attempt| attempt.update);
        for job in self.busy.updates.drain(..) {
            let outcome = match &tried {
                Some(tried) if tried.ticket == job.ticket => UpdateOutcome::Unknown(tried.id(ctx.me)),
                _ => UpdateOutcome::Closed,
            };
            ctx.done(job.ticket, Outcome::Updated(outcome));
        }
    }
}
