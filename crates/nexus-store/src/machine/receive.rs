//! Listening to the other servers: taking in their operations and following their commits.

use std::collections::BTreeMap;
use std::sync::Arc;

use transport_traits::Instant;

use super::base::Base;
use super::context::Context;
use super::operation::{Operation, Pending};
use super::record::Record;
use super::table::Judgement;
use crate::wire::{Announcement, CommitDetails, CommitNote, Rejected};

impl Record {
    pub(crate) fn received(&mut self, ctx: &mut Context, now: Instant, body: &[u8]) {
        match Announcement::parse(body) {
            Ok(message) if message.writer == ctx.me => {} // Our own echo.
            Ok(message) => {
                ctx.stats.received += 1;
                self.take_in(ctx, now, message);
            }
            Err(why) => {
                ctx.stats.rejected_messages += 1;
                let why = if why == Rejected::Version { "unknown version" } else { "damaged" };
                tracing::warn!(record = %self.view.key(), why, "a message is ignored");
            }
        }
    }

    fn take_in(&mut self, ctx: &mut Context, now: Instant, message: Announcement) {
        if self.is_loaded() && message.epoch != self.base.table.epoch {
            // One of us has an old base. A read tells what there is to know.
            return self.want_read(ctx, now);
        }
        let mut is_new = false;
        for op in message.ops {
            is_new |= self.take_operation(ctx, now, op);
        }
        if let Some(note) = message.commit {
            if !self.is_loaded() {
                return self.heard_while_loading(ctx, now);
            }
            self.hear_of(note.to);
            if self.follow(ctx, &note) {
                return;
            }
        }
        if is_new && self.is_loaded() {
            self.refresh_view(ctx);
        }
        if self.is_loaded() && self.is_behind() {
            self.want_to_catch_up(ctx, now);
        }
    }

    /// A read that is under way may have been answered before the commit that somebody tells of.
    fn heard_while_loading(&mut self, ctx: &mut Context, now: Instant) {
        if self.busy.call.is_some() {
            self.want_read(ctx, now);
        }
    }

    /// Takes another server's operation into the journal, unless it is known or must not be there.
    fn take_operation(&mut self, ctx: &mut Context, now: Instant, op: Operation) -> bool {
        if self.journal.knows(op.writer, op.sequence) {
            return false;
        }
        if self.is_loaded() {
            self.hear_of(op.commit);
            let judgement = self.base.table.judge(op.identity(), &BTreeMap::new());
            if matches!(judgement, Judgement::Applied | Judgement::Refused) {
                return false;
            }
        }
        let mut pending = Pending::new(op, false, now);
        let bytes = self.journal.foreign_bytes() + pending.memory;
        let all = ctx.foreign_bytes + self.journal.new_foreign_bytes() + pending.memory;
        if bytes > ctx.config.max_foreign_bytes || all > ctx.config.max_foreign_bytes_in_all {
            ctx.stats.dropped += 1;
            self.want_read(ctx, now);
            return false;
        }
        ctx.clock.observe(now, pending.op.stamp);
        pending.adoption_jitter = ctx.jitter(ctx.config.adopt_after / 3);
        self.journal.insert(pending);
        true
    }

    /// Moves the base along with another server's commit. Only if the outcome is the same down to the last
    /// bit, which the digest shows, else it stays, and a read is due.
    fn follow(&mut self, ctx: &mut Context, note: &CommitNote) -> bool {
        let commits = self.base.table.commits;
        let Some(details) = &note.details else { return false };
        if !(note.from <= commits && commits < note.to) {
            return false;
        }
        let next = self.base_after(note.to, details);
        if next.digest() != details.digest {
            return false;
        }
        ctx.stats.followed += 1;
        self.install(ctx, next);
        true
    }

    fn base_after(&self, to: u64, details: &CommitDetails) -> Base {
        let lasts: BTreeMap<u64, u64> =
            details.entries.iter().map(|(writer, entry)| (*writer, entry.last)).collect();
        let folded = self.journal.fold(&self.base, |pending| {
            pending.sealed && lasts.get(&pending.op.writer).is_some_and(|&last| pending.op.sequence <= last)
        });
        let mut object = folded.object;
        let fields = Arc::make_mut(&mut object);
        for (field, change) in &details.sets {
            // Of an honest sender these only set and remove, which always succeeds.
            let _ = fields.apply(Arc::clone(field), change);
        }
        Base {
            version: Some(details.version.clone()),
            object,
            table: self.base.table.follow(to, details.entries.iter().copied(), details.upkeep),
            users: Arc::clone(&self.base.users),
        }
    }
}
