//! Calls on a machine that concern a whole record: updates, tags, several writes at once, overwriting.

use std::sync::Arc;

use transport_traits::{Instant, RecordKey};

use super::Machine;
use super::io::{Outcome, RecordId, Scope, Ticket, UpdateOutcome};
use super::record::{Listening, Record};
use super::update::UpdateJob;
use crate::change::Change;
use crate::error::{OpenError, WriteError};

impl Machine {
    /// Accepts several writes of one record, all or none.
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    pub fn write_all(
        &mut self,
        now: Instant,
        id: RecordId,
        changes: Vec<(Arc<str>, Change)>,
    ) -> Result<(), WriteError> {
        if self.ctx.closing {
            return Err(WriteError::Closed);
        }
        self.with_found(id, |record, ctx| record.accept_all(ctx, now, changes))
            .unwrap_or(Err(WriteError::Closed))
    }

    /// Queues an update; its function is asked for with [`Output::RunUpdate`](super::Output::RunUpdate).
    pub fn update(&mut self, id: RecordId, scope: Scope<'_>) -> Ticket {
        let ticket = self.ctx.next_ticket();
        let refusal = match self.records.get(&id) {
            _ if self.ctx.closing => Some(UpdateOutcome::Closed),
            Some(record) if record.is_unreadable() => Some(UpdateOutcome::NotLoaded),
            Some(_) => None,
            None => Some(UpdateOutcome::Closed),
        };
        match refusal {
            Some(outcome) => self.ctx.done(ticket, Outcome::Updated(outcome)),
            None => self.enqueue(id, ticket, scope),
        }
        ticket
    }

    /// Queues an update of a record that need not be open. If nobody opens it meanwhile, the machine does not
    /// subscribe to it, and forgets it as soon as the update is answered and announced.
    ///
    /// # Errors
    /// The name cannot be used, or the machine was shut down.
    pub fn update_once(
        &mut self,
        now: Instant,
        key: RecordKey,
        scope: Scope<'_>,
    ) -> Result<Ticket, OpenError> {
        if self.ctx.closing {
            return Err(OpenError::Closed);
        }
        let id = match self.by_key.get(&key) {
            Some(&id) => id,
            None => {
                let id = self.create(now, key)?;
                self.with(id, |record, _| {
                    record.busy.listening = Listening::Unwanted;
                });
                id
            }
        };
        Ok(self.update(id, scope))
    }

    fn enqueue(&mut self, id: RecordId, ticket: Ticket, scope: Scope<'_>) {
        self.updates.insert(ticket, id);
        self.with(id, |record, _| {
            let fields = match scope {
                Scope::Fields(fields) => Some(fields.iter().map(|field| record.intern(field)).collect()),
                Scope::Record => None,
            };
            record.busy.updates.push_back(UpdateJob { ticket, fields, verdict: None, canceled: false });
        });
    }

    /// The record's user tags as they are stored, as far as is known here.
    #[must_use]
    pub fn users(&self, id: RecordId) -> Arc<[Arc<str>]> {
        self.records.get(&id).map(|record| Arc::clone(&record.base.users)).unwrap_or_default()
    }

    /// If the record's load failed, or has not ended: what is stored and cannot be understood may be
    /// overwritten. The load is tried again at once.
    pub fn allow_overwrite(&mut self, now: Instant, id: RecordId) {
        self.with(id, |record, _| record.allow_overwrite(now));
    }
}

impl Record {
    fn allow_overwrite(&mut self, now: Instant) {
        if !self.is_loaded() {
            self.may_overwrite = true;
            self.busy.not_before = self.busy.not_before.min(now);
        }
    }
}
