//! Reading the store, and listening to the other servers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use transport_traits::{Error, ErrorKind, Instant, Stored};

use super::super::accept::check_value;
use super::super::context::Context;
use super::super::io::{Outcome, Output};
use super::super::operation::operation_memory;
use super::super::record::{Listening, Load};
use super::record::{Call, Known, Pending, Record, Told, Wanted};
use super::wire::{self, Action};
use crate::change::{Change, NoEffect};
use crate::view::LoadState;
use crate::wire::exactly;
use crate::{WriteError, json};

/// Reads that messages asked for, one each in the strict profile; more are made one that takes over everything.
const MOST_READS: usize = 16;

/// An original writes what it tells of within its autosave of 10 s; some time later what is stored counts.
const TOLD_FOR: Duration = Duration::from_secs(15);

impl Record {
    /// Takes changes into the view, all or none, and sees to it that they are written and told of.
    pub(crate) fn accept(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        changes: Vec<(Arc<str>, Change)>,
    ) -> Result<(), WriteError> {
        let mut journal_bytes = ctx.journal_bytes;
        for (field, change) in &changes {
            check_value(change, ctx.store_limits.value)?;
            journal_bytes += operation_memory(field, change);
            if journal_bytes > ctx.config.max_journal_bytes {
                return Err(WriteError::JournalFull);
            }
            self.after(field, change)?;
        }
        for (field, change) in changes {
            ctx.stats.accepted += 1;
            self.append(ctx, now, field, change)?;
        }
        Ok(())
    }

    /// What a visible field is after a change.
    fn after(&self, field: &Arc<str>, change: &Change) -> Result<Option<Arc<Value>>, WriteError> {
        change.apply(self.view.get(field).as_ref()).map_err(|why| match why {
            NoEffect::NotANumber => WriteError::NotANumber { field: Arc::clone(field) },
            NoEffect::Overflow => WriteError::Overflow { field: Arc::clone(field) },
        })
    }

    fn append(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        field: Arc<str>,
        change: Change,
    ) -> Result<(), WriteError> {
        let (old, new) = (self.view.get(&field), self.after(&field, &change)?);
        if self.strict {
            let is_table = matches!(new.as_deref(), Some(Value::Array(_) | Value::Object(_)));
            if is_table || !json::same_field(old.as_ref(), new.as_ref()) {
                self.assign(ctx, &field, new.clone());
                self.announce_set(ctx, now, &field);
                self.add_pending(field, exactly(new.as_ref()), true);
            }
            return Ok(());
        }
        self.assign(ctx, &field, new);
        self.add_pending(field, change, true);
        self.flush_at = self.flush_at.or(Some(Instant::ZERO));
        Ok(())
    }

    fn add_pending(&mut self, field: Arc<str>, change: Change, own: bool) {
        let last = self.pending.iter_mut().rev().find(|pending| pending.field == field);
        if let Some(last) = last
            && let Some(both) = last.change.then(&change)
        {
            last.change = both;
            last.own |= own;
            return;
        }
        self.pending.push(Pending { field, change, own });
    }

    pub(crate) fn start_read(&mut self, ctx: &mut Context, wanted: Wanted) {
        ctx.stats.store_reads += 1;
        self.call = Some(Call::Read(wanted));
        ctx.push(Output::Get(self.id, self.key.clone()));
    }

    pub(crate) fn got(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        wanted: Wanted,
        result: Result<Option<Stored>, Arc<Error>>,
    ) {
        if wanted == Wanted::Flush {
            return self.flight_read(ctx, now, result);
        }
        let known = result.and_then(|stored| {
            Known::of(stored.as_ref()).map_err(|why| Arc::new(Error::new(ErrorKind::Malformed, why)))
        });
        match known {
            Ok(known) => self.read_ok(ctx, now, known, &wanted),
            Err(error) => self.read_failed(ctx, now, &error, wanted),
        }
    }

    fn read_ok(&mut self, ctx: &mut Context, now: Instant, known: Known, wanted: &Wanted) {
        self.failures = 0;
        self.known = known;
        self.told.retain(|_, told| now.since(told.since) < TOLD_FOR);
        if *wanted == Wanted::Load {
            self.set_load(Load::Loaded, LoadState::Loaded);
            self.loaded(ctx, now);
        }
        if !self.strict {
            self.read_at = Some(now + ctx.jitter(ctx.config.revalidate_every));
            return self.refresh(ctx);
        }
        let known = Arc::clone(&self.known.object);
        match wanted {
            Wanted::Fields(fields) => {
                for field in fields {
                    self.assign(ctx, field, known.get(field).cloned());
                }
            }
            // What was heard or set before the first load stays.
            _ => {
                let mut object = known;
                let fields = Arc::make_mut(&mut object);
                for pending in self.unsaved() {
                    let by_now = exactly(self.view.get(&pending.field).as_ref());
                    // To set and to remove always succeeds.
                    let _ = super::super::journal::apply_change(fields, &pending.field, &by_now);
                }
                self.show(ctx, object);
            }
        }
    }

    /// The first attempt to load is over.
    fn loaded(&mut self, ctx: &mut Context, now: Instant) {
        if self.strict && self.autosave_at.is_none() {
            self.autosave_at = Some(now + ctx.config.flush_delay);
        }
        if !self.strict && self.pending.iter().any(|pending| pending.own) {
            self.flush_at = Some(Instant::ZERO);
        }
        for ticket in self.opens.drain(..) {
            ctx.done(ticket, Outcome::Opened);
        }
    }

    fn read_failed(&mut self, ctx: &mut Context, now: Instant, error: &Arc<Error>, wanted: Wanted) {
        self.store_failed(ctx, now, error);
        if wanted == Wanted::Load {
            self.set_load(Load::Failed, LoadState::Failed(Arc::clone(error)));
            self.loaded(ctx, now);
        } else if !self.strict {
            self.read_at = Some(Instant::ZERO);
        }
    }

    /// Notes a failure of the store; all but the strict profile wait before the next request.
    pub(crate) fn store_failed(&mut self, ctx: &mut Context, now: Instant, error: &Arc<Error>) {
        ctx.stats.store_failures += 1;
        ctx.stats.last_store_error = Some(Arc::clone(error));
        tracing::warn!(record = %self.key, %error, "the store failed");
        self.failures = self.failures.saturating_add(1);
        if !self.strict {
            self.not_before = now + super::super::load::wait(ctx, error.retry(), self.failures);
        }
    }

    pub(crate) fn received(&mut self, ctx: &mut Context, now: Instant, body: &[u8]) {
        let heard = match wire::parse(body) {
            Ok(heard) => heard,
            Err(wire::Damaged) => {
                ctx.stats.rejected_messages += 1;
                return tracing::warn!(record = %self.key, "a damaged message is ignored");
            }
        };
        let Some(heard) = heard.filter(|heard| heard.sync_id.as_deref() != Some(&self.sync_id)) else {
            return;
        };
        ctx.stats.received += 1;
        match heard.action {
            Action::Fetch(fields) => self.heard_fetch(ctx, now, fields),
            Action::Set(field, value) if self.strict => {
                self.assign(ctx, &field, value.clone());
                self.add_pending(field, exactly(value.as_ref()), false);
            }
            Action::Set(field, value) if heard.sync_id.is_none() => {
                // Nobody else may ever write it.
                if let Err(error) = self.accept(ctx, now, vec![(field, exactly(value.as_ref()))]) {
                    tracing::warn!(record = %self.key, %error, "a change from outside is not taken");
                }
            }
            Action::Set(field, value) => self.heard_set(ctx, now, field, value),
        }
    }

    fn heard_fetch(&mut self, ctx: &mut Context, now: Instant, fields: Vec<Arc<str>>) {
        if !self.strict {
            self.read_soon(ctx, now);
        } else if self.reads.len() < MOST_READS {
            self.reads.push_back(Wanted::Fields(fields));
        } else {
            self.reads.clear();
            self.reads.push_back(Wanted::All);
        }
    }

    /// An original tells of a value that it is going to write.
    fn heard_set(&mut self, ctx: &mut Context, now: Instant, field: Arc<str>, value: Option<Arc<Value>>) {
        let size = |field: &str, value: Option<&Arc<Value>>| operation_memory(field, &exactly(value));
        let held: usize = self.told.iter().map(|(field, told)| size(field, told.value.as_ref())).sum();
        if held + size(&field, value.as_ref()) <= ctx.config.max_foreign_bytes {
            let stored = self.known.object.get(&field).cloned();
            self.told.insert(field, Told { value, stored, since: now });
            self.refresh(ctx);
        }
        let at = now + TOLD_FOR;
        self.read_at = Some(self.read_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// Not strict: asks for a read within the fetch jitter.
    pub(crate) fn read_soon(&mut self, ctx: &mut Context, now: Instant) {
        let at = now + ctx.jitter(ctx.config.fetch_jitter);
        self.read_at = Some(self.read_at.map_or(at, |earlier| earlier.min(at)));
    }

    pub(crate) fn subscribed(&mut self, ctx: &mut Context, now: Instant, ok: bool) {
        if ok {
            self.listening = Listening::Active;
            if !self.strict && (self.listen_failures > 0 || self.load != Load::Loading) {
                self.read_soon(ctx, now);
            }
            self.listen_failures = 0;
            return;
        }
        self.listen_failures = self.listen_failures.saturating_add(1);
        self.listening = Listening::Wanted(now + ctx.backoff(self.listen_failures));
    }
}
