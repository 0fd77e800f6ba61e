//! Calls on a machine that concern a whole record, and the settings of one.

use std::sync::Arc;

use transport_traits::{Instant, RecordKey};

use super::super::io::{Outcome, RecordId, Scope, Ticket, UpdateOutcome};
use super::super::record::{Listening, Load};
use super::Machine;
use super::record::{Job, Record};
use crate::error::OpenError;

impl Machine {
    /// Queues an update of these fields; its function is asked for with [`Output::RunUpdate`](crate::machine::Output::RunUpdate).
    pub fn update(&mut self, id: RecordId, scope: Scope<'_>) -> Ticket {
        let ticket = self.ctx.next_ticket();
        if self.ctx.closing || !self.records.contains_key(&id) {
            self.ctx.done(ticket, Outcome::Updated(UpdateOutcome::Closed));
            return ticket;
        }
        self.updates.insert(ticket, id);
        self.with(id, |record, ctx| {
            let fields = match scope {
                Scope::Fields(fields) => Some(fields.iter().map(|&field| field.into()).collect()),
                Scope::Record => None,
            };
            record.updates.push_back(Job { ticket, fields, sequence: ctx.next_sequence() });
            record.flush_at = Some(Instant::ZERO);
        });
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
                let sync_id = self.any_sync_id();
                let id = self.create(now, key, sync_id)?;
                self.with(id, |record, _| {
                    record.listening = Listening::Unwanted;
                    record.release(now);
                });
                id
            }
        };
        Ok(self.update(id, scope))
    }

    /// The record's user tags as they are stored, as far as is known here.
    #[must_use]
    pub fn users(&self, id: RecordId) -> Arc<[Arc<str>]> {
        self.records.get(&id).map(|record| Arc::clone(&record.known.users)).unwrap_or_default()
    }

    /// Whether the record's changes are told to the others: `SetSendDataChangeUpdates` of the original. They are, unless
    /// it is turned off.
    pub fn send_changes(&mut self, id: RecordId, send: bool) {
        self.with(id, |record, _| record.announcing.silent = !send);
    }

    /// Whether a record that could not be loaded may be saved: `SetAllowOverwriteOfFailedLoad` of the original. It may
    /// not, unless it is turned on. Even then only fields that were written here are replaced, but for what is no JSON
    /// object, which is given up. Where loads are tried again, that is done at once, and the leave ends with one that
    /// succeeds.
    pub fn allow_overwrite(&mut self, id: RecordId, allow: bool) {
        self.with(id, |record, _| {
            record.allow_overwrite = allow && (record.strict || record.load != Load::Loaded);
            if record.allow_overwrite && !record.strict {
                record.not_before = Instant::ZERO;
            }
        });
    }

    /// Flushes the record and lets it hear nothing more: `Disconnect` of the original. It stays usable, but is saved
    /// only when somebody asks, until it is released. The strict profile alone does so; in the other nothing changes but
    /// that it is flushed, and to release it is enough.
    pub fn disconnect(&mut self, id: RecordId) -> Ticket {
        self.with(id, |record, _| record.disconnected = record.strict);
        self.flush(id)
    }

    /// Whether the store request of the record that is under way is part of a flush, and not a load or a Fetch.
    #[must_use]
    pub fn is_flushing(&self, id: RecordId) -> bool {
        self.records.get(&id).is_some_and(Record::is_flushing)
    }
}
