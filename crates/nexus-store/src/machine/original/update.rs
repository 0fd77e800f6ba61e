//! The functions of updates: what they did becomes part of the write that is planned.

use std::sync::Arc;

use serde_json::Value;
use transport_traits::{Error, ErrorKind};

use super::super::context::Context;
use super::super::io::{Outcome, Ticket, UpdateChanges, UpdateOutcome, UpdateRun};
use super::commit::Stage;
use super::record::Record;
use crate::json;
use crate::wire::exactly;

impl Record {
    /// Whether this update's function is running.
    pub(crate) fn is_running(&self, ticket: Ticket) -> bool {
        let running = self.flight.as_ref().filter(|flight| flight.stage == Stage::Running);
        running.and_then(|flight| flight.job.as_ref()).is_some_and(|job| job.ticket == ticket)
    }

    /// The function has run. Whatever it did, the other changes are written.
    pub(crate) fn update_ran(&mut self, ctx: &mut Context, run: UpdateRun) {
        let outcome = match run {
            UpdateRun::Changes(changes) if !has_too_deep(&changes.fields) => {
                self.change(changes);
                return self.finish_plan(ctx);
            }
            UpdateRun::Changes(_) => {
                let error = Error::new(ErrorKind::Invalid, "a value is nested too deeply to be read again");
                UpdateOutcome::Refused(Arc::new(error))
            }
            UpdateRun::Aborted => UpdateOutcome::Aborted,
            UpdateRun::Panicked => UpdateOutcome::Panicked,
            UpdateRun::NotNamed(field) => UpdateOutcome::NotNamed(field),
        };
        self.finish_job(ctx, outcome);
        self.finish_plan(ctx);
    }

    fn change(&mut self, changes: UpdateChanges) {
        let Some(flight) = &mut self.flight else { return };
        flight.users = changes.users.unwrap_or_else(|| Arc::clone(&flight.users));
        let fields = Arc::make_mut(&mut flight.next);
        for (field, value) in changes.fields {
            // To set and to remove always succeeds.
            let _ = fields.apply(Arc::clone(&field), &exactly(value.as_ref()));
            flight.changed.push(field);
        }
    }

    pub(super) fn finish_job(&mut self, ctx: &mut Context, outcome: UpdateOutcome) {
        if let Some(job) = self.flight.as_mut().and_then(|flight| flight.job.take()) {
            ctx.done(job.ticket, Outcome::Updated(outcome));
        }
    }
}

fn has_too_deep(changes: &[(Arc<str>, Option<Arc<Value>>)]) -> bool {
    changes.iter().any(|(_, value)| value.as_ref().is_some_and(|value| json::is_too_deep(value)))
}
