//! Telling the other servers: operations as they are accepted, and what a commit made of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use transport_traits::limits::{Counting, SizeLimit};
use transport_traits::{Effect, Error, Instant, Outgoing, Priority, Retry};

use super::context::Context;
use super::flush::Attempt;
use super::io::Output;
use super::operation::{Operation, Place};
use super::record::Record;
use super::table::{Entry, Upkeep};
use super::topic_of;
use crate::wire::{self, CommitDetails, CommitNote};

/// Messages that the bus refuses in a row before a record that nobody needs is forgotten with what it had to
/// say: some six seconds.
pub(crate) const PATIENCE: u32 = 5;

/// What a record has to say on the bus.
#[derive(Debug)]
pub(crate) struct BusState {
    sending: Option<Sending>,
    /// Boxed, since it is handed on as a whole.
    notice: Option<Box<Notice>>,
    failures: u32,
    /// The next operation does not fit into a message: it is written soon instead.
    pub(crate) too_long: bool,
}

/// A message under way.
#[derive(Debug)]
struct Sending {
    /// The operations in it, and which of them others could know before.
    ops: Vec<(Place, bool)>,
    notice: Option<Box<Notice>>,
}

/// Commits of ours that are not announced yet.
#[derive(Debug)]
struct Notice {
    epoch: u64,
    note: CommitNote,
    /// Operations in these commits that were never announced themselves.
    ops: Vec<Operation>,
    /// The fields that updates changed.
    touched: BTreeSet<Arc<str>>,
}

impl BusState {
    pub(crate) const fn new() -> Self {
        Self { sending: None, notice: None, failures: 0, too_long: false }
    }

    /// Whether it is as it was made.
    pub(crate) const fn is_vacant(&self) -> bool {
        self.sending.is_none() && self.notice.is_none() && self.failures == 0 && !self.too_long
    }

    /// Whether nothing is left to say, or the bus takes nothing: then the others find out by looking.
    pub(crate) const fn is_over(&self, closing: bool) -> bool {
        let patience = if closing { 1 } else { PATIENCE };
        (self.sending.is_none() && self.notice.is_none()) || self.failures >= patience
    }

    /// Takes up a commit, together with earlier ones that are not announced yet. Operations that do not fit
    /// into `max_size` bytes are not kept for it.
    pub(crate) fn note_commit(&mut self, attempt: &Attempt, ops: Vec<Operation>, max_size: usize) {
        let new = Notice::of(attempt, ops);
        let mut notice = match self.notice.take() {
            Some(old) if old.leads_to(&new) => old.merge(new, attempt),
            _ => new,
        };
        notice.limit(max_size);
        self.notice = Some(Box::new(notice));
    }
}

impl Notice {
    fn of(attempt: &Attempt, ops: Vec<Operation>) -> Self {
        let touched: BTreeSet<Arc<str>> =
            attempt.update.iter().flat_map(|tried| tried.changed.iter().cloned()).collect();
        let mut notice = Self {
            epoch: attempt.next.table.epoch,
            note: CommitNote {
                from: attempt.before.table.commits,
                to: attempt.next.table.commits,
                details: None,
            },
            ops,
            touched,
        };
        let written = attempt.applied.keys().copied().collect();
        notice.note.details = notice.details(attempt, &written, attempt.upkeep);
        notice
    }

    /// While the bus takes nothing, commits pile up in here. What is too long is told without details.
    fn limit(&mut self, max_size: usize) {
        if self.ops.iter().map(Operation::size).sum::<usize>() > max_size {
            self.ops.clear();
            self.note.details = None;
        }
    }

    fn leads_to(&self, next: &Self) -> bool {
        self.epoch == next.epoch && self.note.to == next.note.from
    }

    /// Two commits in a row as one. Where either moved a mark or forgot a writer, only a read tells all.
    fn merge(mut self, next: Self, attempt: &Attempt) -> Self {
        let is_plain = |notice: &Self| {
            notice.note.details.as_ref().is_some_and(|details| details.upkeep == Upkeep::default())
        };
        let plain = is_plain(&self) && is_plain(&next);
        let mut written: BTreeSet<u64> = attempt.applied.keys().copied().collect();
        let earlier = self.note.details.take();
        written.extend(earlier.iter().flat_map(|details| details.entries.iter().map(|(writer, _)| *writer)));
        self.touched.extend(next.touched);
        self.note.to = next.note.to;
        self.ops.extend(next.ops);
        self.note.details = plain.then(|| self.details(attempt, &written, Upkeep::default())).flatten();
        self
    }

    fn details(&self, attempt: &Attempt, written: &BTreeSet<u64>, upkeep: Upkeep) -> Option<CommitDetails> {
        let next = &attempt.next;
        let entry = |writer: &u64| Some((*writer, *next.table.writers.get(writer)?));
        let entries: Vec<(u64, Entry)> = written.iter().filter_map(entry).collect();
        let sets = self.touched.iter();
        let sets = sets.map(|field| (Arc::clone(field), wire::exactly(next.object.get(field)))).collect();
        Some(CommitDetails { version: next.version.clone()?, digest: next.digest(), entries, sets, upkeep })
    }
}

impl Record {
    /// No more pacing: the machine closes.
    pub(crate) fn hurry(&mut self, now: Instant) {
        if self.busy.bus.failures == 0 {
            self.publish_at = self.publish_at.min(now);
        }
    }

    /// When the record has something to publish; `None` if it has nothing or must not.
    ///
    /// While an update is not settled nothing is published: see [`update`](super::update).
    pub(crate) fn publish_due(&self) -> Option<Instant> {
        let updating = self.busy.attempt.as_ref().is_some_and(|attempt| attempt.update.is_some());
        if !self.is_loaded() || self.busy.bus.sending.is_some() || updating {
            return None;
        }
        let has_ops = || self.journal.own().rev().any(|pending| !pending.announced);
        let may_tell = !self.busy.bus.too_long && !self.is_full();
        let has_news = self.busy.bus.notice.is_some() || (may_tell && has_ops());
        has_news.then_some(self.publish_at)
    }

    /// Publishes as much as fits into one message.
    pub(crate) fn publish(&mut self, ctx: &mut Context, now: Instant) {
        let notice = self.busy.bus.notice.take().filter(|notice| notice.epoch == self.base.table.epoch);
        self.journal.seal(&self.base, |_| true);
        let committed: Vec<Operation> = notice.iter().flat_map(|notice| notice.ops.iter().cloned()).collect();
        let mut message = Message::new(ctx, self.base.table.epoch, notice.as_deref(), &committed);
        let mut ops = Vec::new();
        let mut too_long = false;
        let may_tell = self.has_room(ctx, now);
        for pending in self.journal.own_mut().filter(|pending| may_tell && !pending.announced) {
            if !message.add(&pending.op) {
                too_long = message.is_empty();
                break;
            }
            ops.push((pending.op.place(), pending.shared));
            pending.shared = true;
            pending.announced = true;
        }
        self.journal.unseal();
        if message.is_empty() {
            self.busy.bus.too_long = too_long;
            return;
        }
        let priority = if ops.is_empty() { Priority::Background } else { Priority::Normal };
        self.busy.bus.sending = Some(Sending { ops, notice });
        self.publish_at = now + ctx.config.publish_interval;
        ctx.stats.published += 1;
        let outgoing = Outgoing::new(topic_of(self.view.key(), &ctx.bus_limits), message.finish())
            .with_priority(priority);
        ctx.push(Output::Publish(self.id, outgoing));
    }

    pub(crate) fn published(&mut self, ctx: &mut Context, now: Instant, result: Result<(), Arc<Error>>) {
        let Some(sending) = self.busy.bus.sending.take() else { return };
        let Err(error) = result else {
            self.busy.bus.failures = 0;
            return;
        };
        ctx.stats.publish_failures += 1;
        self.busy.bus.failures = self.busy.bus.failures.saturating_add(1);
        let wait = match error.retry() {
            Retry::Never => {
                // The store tells the others sooner or later.
                tracing::warn!(record = %self.view.key(), %error, "the bus refuses a message");
                return;
            }
            Retry::Later(Some(asked)) => asked + ctx.jitter(ctx.config.min_backoff),
            _ => ctx.backoff(self.busy.bus.failures),
        };
        self.publish_at = self.publish_at.max(now + wait);
        self.send_again(sending, error.effect());
    }

    /// Puts back what a failed message held. Saying it twice does no harm.
    fn send_again(&mut self, sending: Sending, effect: Effect) {
        for (place, was_shared) in sending.ops {
            if let Some(pending) = self.journal.get_mut(&place) {
                pending.announced = false;
                pending.shared = was_shared || effect == Effect::Possible;
            }
        }
        self.journal.unseal();
        if self.busy.bus.notice.is_none() {
            self.busy.bus.notice = sending.notice;
        }
    }
}

/// A message that is being put together within the bus's limit.
struct Message {
    writer: u64,
    epoch: u64,
    limit: Option<SizeLimit>,
    size: usize,
    ops: Vec<String>,
    commit: Option<String>,
}

impl Message {
    fn new(ctx: &Context, epoch: u64, notice: Option<&Notice>, committed: &[Operation]) -> Self {
        let mut message =
            Self { writer: ctx.me, epoch, limit: ctx.body_limit(), size: 0, ops: Vec::new(), commit: None };
        message.size = message.measure(&wire::message_text(message.writer, epoch, &[], Some("")));
        if let Some(notice) = notice
            && !message.add_notice(&notice.note, committed)
        {
            let short = CommitNote { details: None, ..notice.note.clone() };
            message.add_notice(&short, &[]);
        }
        message
    }

    fn measure(&self, text: &str) -> usize {
        let counting = self.limit.map_or(Counting::Bytes, |limit| limit.counting);
        counting.measure(text.as_bytes())
    }

    fn fits(&self, added: usize) -> bool {
        self.limit.is_none_or(|limit| self.size + added <= limit.max)
    }

    fn add_notice(&mut self, note: &CommitNote, ops: &[Operation]) -> bool {
        let commit = wire::commit_text(note);
        let ops: Vec<String> = ops.iter().map(wire::operation_text).collect();
        let size = self.measure(&commit) + ops.iter().map(|op| self.measure(op) + 1).sum::<usize>();
        if !self.fits(size) {
            return false;
        }
        self.size += size;
        self.commit = Some(commit);
        self.ops = ops;
        true
    }

    fn add(&mut self, op: &Operation) -> bool {
        let text = wire::operation_text(op);
        let size = self.measure(&text) + 1;
        if !self.fits(size) {
            return false;
        }
        self.size += size;
        self.ops.push(text);
        true
    }

    fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.commit.is_none()
    }

    fn finish(self) -> String {
        let text = wire::message_text(self.writer, self.epoch, &self.ops, self.commit.as_deref());
        debug_assert!(self.limit.is_none_or(|limit| limit.check("body", text.as_bytes()).is_ok()));
        text
    }
}
