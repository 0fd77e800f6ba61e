//! Accepting a write.

use std::sync::Arc;

use transport_traits::Instant;
use transport_traits::limits::{Counting, SizeLimit};

use super::context::Context;
use super::journal::{apply_change, open_operation};
use super::operation::{Pending, operation_memory};
use super::record::Record;
use crate::change::{Change, NoEffect};
use crate::{WriteError, json};

impl Record {
    /// Takes a change into the journal and the view, or says why not.
    pub(crate) fn accept(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        field: &str,
        change: Change,
    ) -> Result<(), WriteError> {
        let field = self.intern(field);
        self.check(ctx, &field, &change, ctx.journal_bytes)?;
        ctx.stats.accepted += 1;
        self.append(ctx, now, field, change);
        Ok(())
    }

    /// Takes changes of different fields, all or none.
    pub(crate) fn accept_all(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        changes: Vec<(Arc<str>, Change)>,
    ) -> Result<(), WriteError> {
        let mut journal_bytes = ctx.journal_bytes;
        for (field, change) in &changes {
            journal_bytes = self.check(ctx, field, change, journal_bytes)?;
        }
        for (field, change) in changes {
            ctx.stats.accepted += 1;
            let field = self.intern(&field);
            self.append(ctx, now, field, change);
        }
        Ok(())
    }

    /// Whether a change can be accepted while the journals take so many bytes, and what they take with it.
    fn check(
        &self,
        ctx: &Context,
        field: &Arc<str>,
        change: &Change,
        journal_bytes: usize,
    ) -> Result<usize, WriteError> {
        check_value(change, ctx.store_limits.value)?;
        let journal_bytes = journal_bytes + operation_memory(field, change);
        if journal_bytes > ctx.config.max_journal_bytes {
            return Err(WriteError::JournalFull);
        }
        match change.apply(self.view.read().get(field)) {
            Ok(_) => Ok(journal_bytes),
            Err(NoEffect::NotANumber) => Err(WriteError::NotANumber { field: Arc::clone(field) }),
            Err(NoEffect::Overflow) => Err(WriteError::Overflow { field: Arc::clone(field) }),
        }
    }

    fn append(&mut self, ctx: &mut Context, now: Instant, field: Arc<str>, change: Change) {
        let stamp = self.journal.stamp_at_the_end(ctx.clock.tick(now));
        let for_view = change.clone();
        if let Err(change) = self.journal.merge(stamp, &field, change, ctx.max_operation()) {
            let op = open_operation(ctx.me, ctx.next_sequence(), stamp, Arc::clone(&field), change);
            self.journal.insert(Pending::new(op, true, now));
        }
        if self.journal.all().next_back().is_some_and(|last| last.own) {
            self.show(ctx, &field, &for_view);
        } else {
            // A stamp that nothing can follow keeps the last place.
            self.refresh_view(ctx);
        }
    }

    /// Applies a change that comes last to the view alone: the rest stays as it is.
    fn show(&self, ctx: &mut Context, field: &Arc<str>, change: &Change) {
        let applied = self.view.edit(|object| apply_change(object, field, change));
        if let Ok(change) = applied
            && !json::same_field(change.old.as_ref(), change.new.as_ref())
        {
            self.tell(ctx, vec![change]);
        }
    }

    /// The field's name, shared with the record's where it has such a field.
    pub(crate) fn intern(&self, field: &str) -> Arc<str> {
        let shared = self.view.read().get_key_value(field).map(|(name, _)| Arc::clone(name));
        shared.unwrap_or_else(|| field.into())
    }
}

/// Refuses values that could never be stored or read again.
pub(crate) fn check_value(change: &Change, limit: Option<SizeLimit>) -> Result<(), WriteError> {
    let Change::Set(value) = change else { return Ok(()) };
    if json::is_too_deep(value) {
        return Err(WriteError::TooDeep);
    }
    let Some(limit) = limit else { return Ok(()) };
    if limit.counting != Counting::JsonEncoded && json::text_len(value) <= limit.max {
        return Ok(()); // Both other ways count at most the bytes.
    }
    let size = limit.counting.measure(value.to_string().as_bytes());
    if size > limit.max { Err(WriteError::TooLarge { size, limit: limit.max }) } else { Ok(()) }
}
