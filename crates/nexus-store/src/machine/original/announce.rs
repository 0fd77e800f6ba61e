//! Telling the others: a Set at once and then one each ten seconds, or a Fetch after the write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use transport_traits::{Error, Instant, Outgoing, Retry};

use super::super::announce::PATIENCE;
use super::super::context::Context;
use super::super::io::Output;
use super::record::Record;
use super::wire;

/// Fields whose last Set is remembered before those that no longer matter are forgotten, and after that twice as many
/// as are left, so that looking through them costs little a Set.
const MANY: usize = 64;

/// What a record has to tell.
#[derive(Debug, Default)]
pub(crate) struct Announcing {
    /// Nothing is told at all while this is set.
    pub(crate) silent: bool,
    /// The fields that the next Fetch names.
    pub(crate) named: Vec<Arc<str>>,
    /// Strict: when a field's last Set went out, and those of them that another is to follow.
    last_sets: BTreeMap<Arc<str>, Instant>,
    delayed: BTreeSet<(Instant, Arc<str>)>,
    /// How many of them were left when those that no longer matter were forgotten.
    kept: usize,
    /// Not strict: the fields that are to be told of, and those of the message that is under way.
    outbox: BTreeSet<Arc<str>>,
    sending: Option<Vec<Arc<str>>>,
    not_before: Instant,
    failures: u32,
}

impl Announcing {
    /// Whether something is left to say, and the bus takes it: if not, the others find out by looking.
    pub(crate) fn is_busy(&self, closing: bool) -> bool {
        let is_heard = self.failures < if closing { 1 } else { PATIENCE };
        !self.delayed.is_empty() || (is_heard && (!self.outbox.is_empty() || self.sending.is_some()))
    }

    /// Strict: whether a Set of this field has to wait for the interval to pass; if not, it goes out now.
    fn delays(&mut self, now: Instant, interval: Duration, field: &Arc<str>) -> bool {
        if interval.is_zero() {
            return false;
        }
        if let Some(&last) = self.last_sets.get(field) {
            let set = (last, Arc::clone(field));
            if now.since(last) < interval {
                self.delayed.insert(set);
                return true;
            }
            self.delayed.remove(&set);
        }
        if self.last_sets.len() >= MANY.max(2 * self.kept) {
            let delayed = &self.delayed;
            self.last_sets.retain(|field, &mut last| {
                now.since(last) < interval || delayed.contains(&(last, Arc::clone(field)))
            });
            self.kept = self.last_sets.len();
        }
        self.last_sets.insert(Arc::clone(field), now);
        false
    }

    /// The fields whose wait is over, by name.
    fn take_delayed(&mut self, now: Instant, interval: Duration) -> BTreeSet<Arc<str>> {
        let mut due = BTreeSet::new();
        while self.delayed.first().is_some_and(|(last, _)| *last + interval <= now) {
            due.extend(self.delayed.pop_first().map(|(_, field)| field));
        }
        for field in &due {
            self.last_sets.remove(field);
        }
        due
    }
}

impl Record {
    /// Strict: tells of a Set, unless one of the field went out lately, which another follows then.
    pub(crate) fn announce_set(&mut self, ctx: &mut Context, now: Instant, field: &Arc<str>) {
        let value = self.view.read().get(field).cloned();
        let text = wire::set_text(field, value.as_deref(), &self.sync_id);
        if !wire::is_short(&text) {
            self.announcing.named.push(Arc::clone(field));
            return;
        }
        if self.announcing.silent {
            return;
        }
        if !self.announcing.delays(now, ctx.config.publish_interval, field) {
            self.publish(ctx, text);
        }
    }

    /// Strict: tells of the fields whose Set had to wait.
    pub(crate) fn announce_delayed(&mut self, ctx: &mut Context, now: Instant) {
        for field in self.announcing.take_delayed(now, ctx.config.publish_interval) {
            self.announce_set(ctx, now, &field);
        }
    }

    pub(crate) fn delayed_due(&self, ctx: &Context) -> Option<Instant> {
        self.announcing.delayed.first().map(|(last, _)| *last + ctx.config.publish_interval)
    }

    /// Tells of what was written.
    pub(crate) fn announce_written(&mut self, ctx: &mut Context) {
        let named = std::mem::take(&mut self.announcing.named);
        if named.is_empty() || self.announcing.silent {
            return;
        }
        if !self.strict {
            return self.announcing.outbox.extend(named);
        }
        for text in wire::fetch_texts(&named, &self.sync_id, ctx.body_limit()) {
            self.publish(ctx, text);
        }
    }

    fn publish(&self, ctx: &mut Context, text: String) {
        ctx.stats.published += 1;
        ctx.push(Output::Publish(self.id, Outgoing::new(Arc::clone(&self.topic), text)));
    }

    /// Not strict: when the next message may go.
    pub(crate) fn send_due(&self) -> Option<Instant> {
        let is_free = self.announcing.sending.is_none() && !self.announcing.outbox.is_empty();
        is_free.then_some(self.announcing.not_before)
    }

    /// Tells of as many fields as one message holds.
    pub(crate) fn send_next(&mut self, ctx: &mut Context) {
        let mut fields: Vec<Arc<str>> = self.announcing.outbox.iter().cloned().collect();
        while wire::fetch_texts(&fields, &self.sync_id, ctx.body_limit()).len() > 1 {
            fields.truncate(fields.len() / 2);
        }
        self.announcing.outbox.retain(|field| !fields.contains(field));
        self.publish(ctx, wire::fetch_text(&fields, &self.sync_id));
        self.announcing.sending = Some(fields);
    }

    /// The bus took a message or did not. The strict profile repeats none.
    pub(crate) fn published(&mut self, ctx: &mut Context, now: Instant, result: Result<(), Arc<Error>>) {
        let sent = self.announcing.sending.take();
        let Err(error) = result else {
            self.announcing.failures = 0;
            return;
        };
        ctx.stats.publish_failures += 1;
        tracing::warn!(record = %self.key, %error, "the bus did not take a message");
        let Some(fields) = sent.filter(|_| error.retry() != Retry::Never) else { return };
        self.announcing.failures = self.announcing.failures.saturating_add(1);
        self.announcing.not_before = now + ctx.backoff(self.announcing.failures);
        // To read twice does no harm.
        self.announcing.outbox.extend(fields);
    }
}
