//! Reading a record: the first load, catching up, revalidation, and what a read settles.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::{Error, Instant, Retry, Stored};

use super::base::{Base, Origin};
use super::busy::Call;
use super::context::Context;
use super::io::{Outcome, Output, UpdateOutcome};
use super::record::{Load, Record};
use crate::FlushError;
use crate::view::LoadState;

impl Record {
    pub(crate) fn start_read(&mut self, ctx: &mut Context) {
        self.busy.read_at = None;
        self.busy.catch_up_at = None;
        self.busy.call = Some(Call::Read { generation: self.generation, heard_of: self.busy.heard_of });
        ctx.stats.store_reads += 1;
        ctx.push(Output::Get(self.id, self.view.key().clone()));
    }

    /// Whether others are known to be further than this base, or an operation waits for a missing one.
    pub(crate) fn is_behind(&self) -> bool {
        self.busy.heard_of > 0 || self.journal.has_hole(&self.base)
    }

    /// Asks for a read within the fetch jitter, unless the record has caught up by then.
    pub(crate) fn want_to_catch_up(&mut self, ctx: &mut Context, now: Instant) {
        if self.busy.catch_up_at.is_none() {
            self.busy.catch_up_at = Some(now + ctx.jitter(ctx.config.fetch_jitter));
        }
    }

    /// Asks for a read within the fetch jitter.
    pub(crate) fn want_read(&mut self, ctx: &mut Context, now: Instant) {
        if self.busy.read_at.is_none() {
            self.busy.read_at = Some(now + ctx.jitter(ctx.config.fetch_jitter));
        }
    }

    pub(crate) fn got(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        generation: u64,
        heard_of: u64,
        result: Result<Option<Stored>, Arc<Error>>,
    ) {
        match result {
            // The base moved on while the answer was under way: which of the two is newer is unknown.
            Ok(_) if generation != self.generation => self.busy.read_at = Some(Instant::ZERO),
            Ok(stored) => {
                if heard_of == self.busy.heard_of {
                    // Whoever spoke of a commit did so after it, so this read shows it if it is real.
                    self.busy.heard_of = 0;
                }
                self.read_ok(ctx, now, stored.as_ref());
            }
            Err(error) => self.read_failed(ctx, now, &error),
        }
    }

    fn read_ok(&mut self, ctx: &mut Context, now: Instant, stored: Option<&Stored>) {
        let is_known = stored.map(|stored| &stored.version) == self.base.version.as_ref();
        if !(is_known && self.generation > 0) {
            match self.base_of(ctx, stored) {
                Ok(base) => self.load_as(ctx, base),
                Err(error) => return self.unreadable(ctx, now, &Arc::new(error)),
            }
        } else if !self.is_loaded() {
            self.load_as(ctx, self.base.clone());
        }
        if self.busy.attempt.is_none() {
            self.busy.failures = 0;
        }
        self.revalidate_at = now + ctx.jitter(ctx.config.revalidate_every);
        self.settle_attempt(ctx, now);
        self.confirm_verdict(ctx);
        self.adopt(ctx, now);
        if self.is_behind() {
            // What is missing is not stored yet.
            self.want_to_catch_up(ctx, now + ctx.config.flush_delay);
        }
    }

    fn base_of(&self, ctx: &mut Context, stored: Option<&Stored>) -> Result<Base, Error> {
        let Some(stored) = stored else {
            return Ok(Base::absent(self.base.version.as_ref()));
        };
        let (base, origin) = match Base::from_stored(stored, &mut ctx.names) {
            Err(error) if self.may_overwrite => {
                tracing::warn!(record = %self.view.key(), %error, "what is stored is given up, as was allowed");
                (Base::over(stored, &mut ctx.names), Origin::Foreign)
            }
            read => read?,
        };
        if origin == Origin::Foreign {
            ctx.stats.foreign_writes += 1;
            tracing::warn!(record = %self.view.key(), "stored by another program: the bookkeeping begins anew");
        }
        Ok(base)
    }

    fn load_as(&mut self, ctx: &mut Context, base: Base) {
        self.set_load(Load::Loaded, LoadState::Loaded);
        self.may_overwrite = false;
        self.install(ctx, base);
        self.answer_opens(ctx);
    }

    fn answer_opens(&mut self, ctx: &mut Context) {
        for ticket in self.busy.opens.drain(..) {
            ctx.done(ticket, Outcome::Opened);
        }
    }

    fn read_failed(&mut self, ctx: &mut Context, now: Instant, error: &Arc<Error>) {
        self.store_failed(ctx, now, error);
        if self.is_loaded() {
            self.busy.read_at = Some(Instant::ZERO);
        } else {
            self.not_loaded(ctx, error);
        }
    }

    /// What is stored makes no sense. Nothing of it is overwritten.
    fn unreadable(&mut self, ctx: &mut Context, now: Instant, error: &Arc<Error>) {
        tracing::warn!(record = %self.view.key(), %error, "what is stored cannot be read");
        self.store_failed(ctx, now, error);
        self.not_loaded(ctx, error);
    }

    fn not_loaded(&mut self, ctx: &mut Context, error: &Arc<Error>) {
        self.set_load(Load::Failed, LoadState::Failed(Arc::clone(error)));
        self.answer_opens(ctx);
        if !self.is_unreadable() {
            return; // It is read again soon. Whoever waits for a flush or an update waits on.
        }
        self.fail_flushes(ctx, &FlushError::NotLoaded);
        let under_way = self.busy.attempt.as_ref().and_then(|attempt| attempt.update_ticket());
        let waiting =
            self.busy.updates.iter().map(|job| job.ticket).filter(|ticket| Some(*ticket) != under_way);
        for ticket in waiting {
            ctx.done(ticket, Outcome::Updated(UpdateOutcome::NotLoaded));
        }
        self.busy.updates.retain(|job| Some(job.ticket) == under_way);
    }

    /// Notes a failure of the store and waits before the next request.
    pub(crate) fn store_failed(&mut self, ctx: &mut Context, now: Instant, error: &Arc<Error>) {
        self.busy.failures = self.busy.failures.saturating_add(1);
        ctx.stats.store_failures += 1;
        ctx.stats.last_store_error = Some(Arc::clone(error));
        self.busy.not_before = now + wait(ctx, error.retry(), self.busy.failures);
    }

    /// Takes charge of what others made and did not write in time. The store was just read.
    fn adopt(&mut self, ctx: &mut Context, now: Instant) {
        let folded = self.journal.fold(&self.base, |_| true);
        let adopt_after = ctx.config.adopt_after;
        let mut adopted = 0;
        for pending in self.journal.foreign_mut() {
            if !pending.checked && now.since(pending.since) >= adopt_after {
                pending.checked = true;
                pending.adopted = folded.places.contains(&pending.op.place());
                adopted += u64::from(pending.adopted);
            }
        }
        // Those whose predecessor neither came nor is stored were never visible, and never will be.
        self.journal.extract(|pending| pending.checked && !pending.adopted);
        ctx.stats.adopted += adopted;
    }

    /// Withdraws what stayed unconfirmed too long, and asks for a read where something is to be adopted.
    pub(crate) fn look_after_foreign(&mut self, ctx: &mut Context, now: Instant) {
        let (adopt_after, withdraw_after) = (ctx.config.adopt_after, ctx.config.withdraw_after);
        let old = self.journal.extract(|op| !op.own && now.since(op.since) >= withdraw_after);
        if !old.is_empty() {
            self.refresh_view(ctx);
        }
        let due = self.journal.next_foreign(|op| op.next_look(adopt_after, withdraw_after));
        if due.is_some_and(|due| due <= now) {
            self.busy.read_at = Some(Instant::ZERO);
        }
    }
}

/// How long to wait after a failure.
pub(crate) fn wait(ctx: &mut Context, retry: Retry, failures: u32) -> Duration {
    match retry {
        Retry::Later(Some(asked)) => asked + ctx.jitter(ctx.config.min_backoff),
        Retry::Never => ctx.config.max_backoff,
        _ => ctx.backoff(failures),
    }
}
