//! Accepting a write.

use std::sync::Arc;

use transport_traits::Instant;
use transport_traits::limits::{Counting, SizeLimit};

use super::context::Context;
use super::io::FieldChange;
use super::journal::open_operation;
use super::operation::{Pending, operation_memory};
use super::record::Record;
use crate::change::{Change, NoEffect};
use crate::{WriteError, json};

/// What accepting a write did to the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// The change became part of an operation that waited already: nothing is due earlier than it was.
    Merged,
    /// There is a new operation.
    Added,
}

impl Record {
    /// Takes a change into the journal and the view, or says why not.
    pub(crate) fn accept(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        field: &str,
        change: Change,
    ) -> Result<Accepted, WriteError> {
        check_value(&change, ctx.store_limits.value)?;
        journal_with(ctx, ctx.journal_bytes, field, &change)?;
        self.append(ctx, now, field, change).map_err(|why| no_effect(why, field))
    }

    /// Takes changes, all or none.
    pub(crate) fn accept_all(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        changes: Vec<(Arc<str>, Change)>,
    ) -> Result<(), WriteError> {
        let mut journal_bytes = ctx.journal_bytes;
        for (field, change) in &changes {
            check_value(change, ctx.store_limits.value)?;
            journal_bytes = journal_with(ctx, journal_bytes, field, change)?;
            change.apply(self.view.read().get(field)).map_err(|why| no_effect(why, field))?;
        }
        for (field, change) in changes {
            // Each was checked; only one before it, of the same field, can have left it without effect.
            let _ = self.append(ctx, now, &field, change);
        }
        Ok(())
    }

    /// Takes a change into the journal and the view, unless it has no effect on what is visible.
    fn append(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        field: &str,
        change: Change,
    ) -> Result<Accepted, NoEffect> {
        let stamp = self.journal.stamp_at_the_end(ctx.clock.tick(now));
        self.show(ctx, field, &change)?;
        ctx.stats.accepted += 1;
        let name = || self.view.read().name(field);
        match self.journal.merge(stamp, field, name, change, ctx.max_operation()) {
            Ok(()) => Ok(Accepted::Merged),
            Err(change) => {
                let op = open_operation(ctx.me, ctx.next_sequence(), stamp, self.intern(field), change);
                self.journal.insert(Pending::new(op, true, now));
                Ok(Accepted::Added)
            }
        }
    }

    /// Applies a change that comes last to the view alone: the rest stays as it is.
    fn show(&self, ctx: &mut Context, field: &str, change: &Change) -> Result<(), NoEffect> {
        if !self.told {
            return self.view.edit(|object| object.apply(field, change));
        }
        let shown = self.view.edit(|object| {
            let (name, old) = (object.name(field), object.get(field).cloned());
            object.apply(Arc::clone(&name), change)?;
            Ok(FieldChange { new: object.get(field).cloned(), field: name, old })
        })?;
        if !json::same_field(shown.old.as_ref(), shown.new.as_ref()) {
            self.tell(ctx, vec![shown]);
        }
        Ok(())
    }

    /// The field's name, shared with the record's where it has such a field.
    pub(crate) fn intern(&self, field: &str) -> Arc<str> {
        self.view.read().name(field)
    }
}

/// What the journals take with a change, which must not be more than they may.
fn journal_with(ctx: &Context, bytes: usize, field: &str, change: &Change) -> Result<usize, WriteError> {
    let bytes = bytes + operation_memory(field, change);
    if bytes > ctx.config.max_journal_bytes { Err(WriteError::JournalFull) } else { Ok(bytes) }
}

fn no_effect(why: NoEffect, field: &str) -> WriteError {
    match why {
        NoEffect::NotANumber => WriteError::NotANumber { field: field.into() },
        NoEffect::Overflow => WriteError::Overflow { field: field.into() },
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
