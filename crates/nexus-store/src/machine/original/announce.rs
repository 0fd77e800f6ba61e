//! Telling the others: a Set at once and then one each ten seconds, or a Fetch after the write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use transport_traits::{Error, Instant, Outgoing, Retry};

use super::super::context::Context;
use super::super::io::Output;
use super::record::Record;
use super::wire;

/// Fields whose last Set is remembered before those that no longer matter are forgotten.
const MANY: usize = 64;

/// What a record has to tell.
#[derive(Debug, Default)]
pub(crate) struct Announcing {
    /// Nothing is told at all while this is set.
    pub(crate) silent: bool,
    /// The fields that the next Fetch names.
    pub(crate) named: Vec<Arc<str>>,
    /// Strict: when a field's last Set went out, and whether another is to follow.
    paces: BTreeMap<Arc<str>, Pace>,
    /// Not strict: the fields that are to be told of, and those of the message that is under way.
    outbox: BTreeSet<Arc<str>>,
    sending: Option<Vec<Arc<str>>>,
    not_before: Instant,
    failures: u32,
}

#[derive(Clone, Copy, Debug)]
struct Pace {
    last: Instant,
    again: bool,
}

impl Announcing {
    pub(crate) fn is_busy(&self) -> bool {
        let delayed = self.paces.values().any(|pace| pace.again);
        delayed || !self.outbox.is_empty() || self.sending.is_some()
    }
}

impl Record {
    /// Strict: tells of a Set, unless one of the field went out lately, which another follows then.
    pub(crate) fn announce_set(&mut self, ctx: &mut Context, now: Instant, field: &Arc<str>) {
        let value = self.view.get(field);
        let text = wire::set_text(field, value.as_deref(), &self.sync_id);
        if !wire::is_short(&text) {
            self.announcing.named.push(Arc::clone(field));
            return;
        }
        if self.announcing.silent {
            return;
        }
        let interval = ctx.config.publish_interval;
        if !interval.is_zero() {
            let paces = &mut self.announcing.paces;
            if let Some(pace) = paces.get_mut(field).filter(|pace| now.since(pace.last) < interval) {
                pace.again = true;
                return;
            }
            if paces.len() >= MANY {
                paces.retain(|_, pace| pace.again || now.since(pace.last) < interval);
            }
            paces.insert(Arc::clone(field), Pace { last: now, again: false });
        }
        self.publish(ctx, text);
    }

    /// Strict: tells of the fields whose Set had to wait.
    pub(crate) fn announce_delayed(&mut self, ctx: &mut Context, now: Instant) {
        let interval = ctx.config.publish_interval;
        let is_due = |pace: &Pace| pace.again && pace.last + interval <= now;
        let paces = self.announcing.paces.iter();
        let due: Vec<Arc<str>> =
            paces.filter(|(_, pace)| is_due(pace)).map(|(field, _)| Arc::clone(field)).collect();
        for field in due {
            self.announcing.paces.remove(&field);
            self.announce_set(ctx, now, &field);
        }
    }

    pub(crate) fn delayed_due(&self, ctx: &Context) -> Option<Instant> {
        let waiting = self.announcing.paces.values().filter(|pace| pace.again);
        waiting.map(|pace| pace.last + ctx.config.publish_interval).min()
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
