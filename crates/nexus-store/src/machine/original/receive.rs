//! Reading the store, and listening to the other servers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use transport_traits::{Error, Instant, Stored};

use super::super::accept::check_value;
use super::super::context::Context;
use super::super::io::{Outcome, Output};
use super::super::operation::operation_memory;
use super::super::record::{Listening, Load};
use super::record::{Call, Known, Record, Told, Wanted};
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
        change.apply(self.view.read().get(field)).map_err(|why| match why {
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
        let (old, new) = (self.view.read().get(&field).cloned(), self.after(&field, &change)?);
        if self.strict {
            let is_table = matches!(new.as_deref(), Some(Value::Array(_) | Value::Object(_)));
            if is_table || !json::same_field(old.as_ref(), new.as_ref()) {
                self.assign(ctx, &field, new.clone());
                self.announce_set(ctx, now, &field);
                self.pending.add(field, exactly(new.as_ref()), true);
            }
            return Ok(());
        }
        self.assign(ctx, &field, new);
        self.pending.add(field, change, true);
        self.flush_at = self.flush_at.or(Some(Instant::ZERO));
        Ok(())
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
        match result.map(|stored| self.known_of(stored.as_ref())) {
            Ok(Ok(known)) => self.read_ok(ctx, now, known, &wanted),
            Ok(Err(error)) if !self.strict => self.unreadable(ctx, now, &error),
            Ok(Err(error)) | Err(error) => self.read_failed(ctx, now, &error, wanted),
        }
    }

    fn read_ok(&mut self, ctx: &mut Context, now: Instant, known: Known, wanted: &Wanted) {
        self.failures = 0;
        self.known = known;
        self.told.retain(|_, told| now.since(told.since) < TOLD_FOR);
        if *wanted == Wanted::Load {
            self.load_ok(ctx, now);
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
                    let _ = fields.apply(Arc::clone(&pending.field), &by_now);
                }
                self.show(ctx, object);
            }
        }
    }

    fn load_ok(&mut self, ctx: &mut Context, now: Instant) {
        self.set_load(Load::Loaded, LoadState::Loaded);
        if !self.strict {
            self.allow_overwrite = false; // It was about this load.
        }
        self.loaded(ctx, now);
    }

    /// A read for a write is as good as a load. In the strict profile a load that failed is not made good.
    pub(super) fn read_for_write(&mut self, ctx: &mut Context, now: Instant, known: Known) {
        self.known = known;
        if !self.strict && self.load != Load::Loaded {
            self.load_ok(ctx, now);
            self.read_at = Some(now + ctx.jitter(ctx.config.revalidate_every));
        }
    }

    /// What is stored makes no sense. Nothing of it is overwritten, and the load is tried again now and then.
    pub(super) fn unreadable(&mut self, ctx: &mut Context, now: Instant, error: &Arc<Error>) {
        self.store_failed(ctx, now, error);
        self.set_load(Load::Failed, LoadState::Failed(Arc::clone(error)));
        self.refuse_unloaded(ctx);
        self.loaded(ctx, now);
    }

    /// The first attempt to load is over.
    fn loaded(&mut self, ctx: &mut Context, now: Instant) {
        if self.strict && self.autosave_at.is_none() {
            self.autosave_at = Some(now + ctx.config.flush_delay);
        }
        if !self.strict && self.pending.has_own() {
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
            Action::Set(field, value) if !self.strict && heard.sync_id.is_none() => {
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
        let size = operation_memory(&field, &exactly(value.as_ref()));
        if self.heard_bytes_but(&field) + size > ctx.config.max_foreign_bytes {
            ctx.stats.dropped += 1;
            tracing::warn!(record = %self.key, field = &*field, "there is no room for what another server set");
        } else if self.strict {
            self.assign(ctx, &field, value.clone());
            self.pending.add(field, exactly(value.as_ref()), false);
        } else {
            let stored = self.known.object.get(&field).cloned();
            self.told.insert(field, Told { value, stored, since: now });
            self.refresh(ctx);
        }
        if self.strict {
            return; // The next autosave finds it.
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
