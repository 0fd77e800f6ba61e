//! What a record does when its table has no room for all who write it.
//!
//! Metadata is short: Open Cloud's 300 characters hold about 20 writers. Only writers that have not moved for
//! a minute are forgotten, so where more than that write one record, some must wait. A write then takes the
//! longest prefix of the view order that fits, so that nothing overtakes what its writer saw. While there
//! is no room, nothing more is published either: what waits unseen blocks nobody, merges into one operation,
//! and is made on whatever base there is once its turn comes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use transport_traits::Instant;

use super::base::Base;
use super::context::Context;
use super::journal::Folded;
use super::operation::Place;
use super::record::Record;
use super::table::{KEEP, Table};

/// More characters than a new writer's entry takes in the text of a table.
const LONGEST_ENTRY: usize = 32;

impl Record {
    /// The planned write finds no room in the table.
    pub(crate) fn contended(&mut self, ctx: &mut Context, now: Instant) {
        ctx.stats.contended += 1;
        tracing::warn!(record = %self.view.key(), "too many servers write this record: waiting for room");
        self.abandon();
        self.note_full(now);
        if let Some(folded) = self.fold_what_fits(ctx, now) {
            self.begin(folded, None);
            return self.finish_plan(ctx, now);
        }
        self.busy.failures = self.busy.failures.saturating_add(1);
        self.busy.not_before = now + ctx.backoff(self.busy.failures);
    }

    fn note_full(&mut self, now: Instant) {
        if !self.is_full() {
            self.busy.full_since = Some((self.generation, now));
        }
    }

    /// Whether this base is known to have no room for all that is visible.
    pub(crate) fn is_full(&self) -> bool {
        self.busy.full_since.is_some_and(|(generation, _)| generation == self.generation)
    }

    /// The base's table, with what we know of its age.
    pub(crate) fn table_to_write(&self, now: Instant) -> Table {
        let keep = Duration::from_secs(KEEP);
        match self.busy.full_since {
            Some((_, since)) if self.is_full() && now.since(since) >= keep => self.base.table.all_aged(),
            _ => self.base.table.clone(),
        }
    }

    /// The longest prefix, in view order, of what is to be written that the table has room for. `None`: not
    /// even one operation fits.
    fn fold_what_fits(&self, ctx: &Context, now: Instant) -> Option<Folded> {
        let (table, wall, room) = (self.table_to_write(now), ctx.clock.wall(now), ctx.room());
        let cut = self.journal.cut();
        let wanted = self.journal.fold(&self.base, |op| cut.is_none_or(|cut| op.op.place() <= cut));
        let lengths: Vec<usize> = (1..=wanted.places.len()).collect();
        let length = lengths
            .partition_point(|&length| table.commit(&lasts(&wanted.places[..length]), wall, room).is_ok());
        let last = *wanted.places.get(length.checked_sub(1)?)?;
        Some(self.journal.fold(&self.base, |pending| pending.op.place() <= last))
    }

    /// Whether the table has room for all that is visible here. If not, nothing more is to be published.
    pub(crate) fn has_room(&mut self, ctx: &Context, now: Instant) -> bool {
        let table = &self.base.table;
        let unlisted: BTreeSet<u64> =
            self.journal.all().map(|p| p.op.writer).filter(|writer| table.last(*writer).is_none()).collect();
        let room = ctx.room();
        let ample = table.writers.len() + unlisted.len() <= room.writers
            && (room.text == usize::MAX
                || table.to_text().len() + unlisted.len() * LONGEST_ENTRY <= room.text);
        if unlisted.is_empty() || ample {
            return true;
        }
        let applied = self.journal.fold(&self.base, |_| true).applied;
        let fits = self.table_to_write(now).commit(&applied, ctx.clock.wall(now), room).is_ok();
        if !fits {
            self.note_full(now);
        }
        fits
    }

    /// Whether own operations that the base refuses were surely never applied: `before` is the base until
    /// now. They were not in that, or they would have left the journal. Had a later commit applied them,
    /// we would be listed, or else forgotten, and forgetting raises the fence to that commit at least.
    pub(crate) fn are_refused_unapplied(&self, ctx: &Context, before: &Base) -> bool {
        let (table, old) = (&self.base.table, &before.table);
        self.generation > 1
            && table.epoch == old.epoch
            && table.fence <= old.commits
            && table.last(ctx.me).is_none()
    }

    /// Makes all own operations anew: under new sequences, so that no copy of the old ones can be applied
    /// once a new one is, since it would be below our last.
    pub(crate) fn remake_own(&mut self, ctx: &mut Context) {
        let mut renamed = Vec::new();
        for mut pending in self.journal.extract(|pending| pending.own) {
            let sequence = ctx.next_sequence();
            renamed.push((pending.op.sequence, sequence));
            pending.op.sequence = sequence;
            pending.shared = false;
            pending.announced = false;
            pending.attempted = false;
            self.journal.insert(pending);
        }
        self.journal.unseal();
        for waiter in &mut self.busy.flushes {
            let last = renamed.iter().rev().find(|(old, _)| *old <= waiter.up_to);
            waiter.up_to = last.map_or(waiter.up_to, |(_, new)| *new);
        }
    }
}

/// Writer → its last sequence among these.
fn lasts(places: &[Place]) -> BTreeMap<u64, u64> {
    places.iter().map(|(_, writer, sequence)| (*writer, *sequence)).collect()
}
