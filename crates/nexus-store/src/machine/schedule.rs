//! What a record does when, and whose turn it is when the store's budget is short.

use std::collections::BTreeSet;

use transport_traits::Instant;

use super::busy::Call;
use super::context::{Access, Context};
use super::flush::Phase;
use super::io::{Output, RecordId};
use super::record::{Listening, Load, Record};
use super::{Machine, topic_of};

/// How long a revalidation waits when the budget is needed for better things.
const REVALIDATE_LATER: std::time::Duration = std::time::Duration::from_secs(5);

/// What a record wants of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    Read,
    /// A read, unless the record has caught up.
    CatchUp,
    Write,
    /// A read that can wait.
    Revalidate,
}

impl Work {
    pub(crate) const fn access(self) -> Access {
        match self {
            Self::Write => Access::Write,
            Self::Read | Self::CatchUp | Self::Revalidate => Access::Read,
        }
    }
}

impl Record {
    /// What the record wants of the store next, and when.
    pub(crate) fn store_work(&self, ctx: &Context) -> Option<(Instant, Work)> {
        if self.busy.call.is_some() {
            return None;
        }
        let (at, work) = self.necessary_work().or_else(|| self.usual_work(ctx))?;
        Some((at.max(self.busy.not_before), work))
    }

    /// What must come first, if something must.
    fn necessary_work(&self) -> Option<(Instant, Work)> {
        match self.busy.attempt.as_ref().map(|attempt| attempt.phase) {
            Some(Phase::Repeating) => return Some((Instant::ZERO, Work::Write)),
            Some(_) => return Some((Instant::ZERO, Work::Read)),
            None => {}
        }
        match self.load {
            Load::Loading => Some((self.first_read_at(), Work::Read)),
            Load::Failed => Some((Instant::ZERO, Work::Read)),
            Load::Loaded => self.has_verdict().then_some((Instant::ZERO, Work::Read)),
        }
    }

    /// The first read comes after the subscription, or what is published in between would be missed. A bus
    /// that fails or keeps silent delays it no longer; then a read follows the subscription, too.
    fn first_read_at(&self) -> Instant {
        let listens = matches!(self.busy.listening, Listening::Active | Listening::Unwanted);
        let listens = listens || self.busy.listen_failures > 0;
        if listens { Instant::ZERO } else { self.busy.patience }
    }

    fn usual_work(&self, ctx: &Context) -> Option<(Instant, Work)> {
        let update = (!self.busy.updates.is_empty()).then_some(Instant::ZERO);
        let revalidate = (self.holders > 0).then_some(self.revalidate_at);
        [
            (self.busy.read_at, Work::Read),
            (self.busy.catch_up_at, Work::CatchUp),
            (update, Work::Write),
            (self.flush_due(ctx), Work::Write),
            (revalidate, Work::Revalidate),
        ]
        .into_iter()
        .filter_map(|(at, work)| Some((at?, work)))
        .min()
    }

    /// When the record can be forgotten.
    fn evict_at(&self, ctx: &Context) -> Option<Instant> {
        if !self.is_settled(ctx.closing) {
            return None;
        }
        if ctx.closing || self.busy.listening == Listening::Unwanted {
            Some(Instant::ZERO)
        } else {
            (self.holders == 0).then_some(self.idle_since + ctx.config.idle_eviction)
        }
    }

    fn listen_at(&self) -> Option<Instant> {
        match self.busy.listening {
            Listening::Wanted(at) => Some(at),
            Listening::Unwanted | Listening::Asked | Listening::Active => None,
        }
    }

    fn foreign_at(&self, ctx: &Context) -> Option<Instant> {
        let (adopt_after, withdraw_after) = (ctx.config.adopt_after, ctx.config.withdraw_after);
        // A read that is due anyway will look after them. What is to be shown no longer need not wait for one.
        let reads = self.busy.read_at.is_some() || self.busy.call.is_some();
        let at = self.journal.next_foreign(|op| {
            if reads { op.since + withdraw_after } else { op.next_look(adopt_after, withdraw_after) }
        });
        at.filter(|_| self.is_loaded() && self.busy.call != Some(Call::Write))
    }

    /// When to look after the record next.
    pub(crate) fn next_due(&self, ctx: &Context) -> Option<Instant> {
        let store = if self.queued { None } else { self.store_work(ctx).map(|(at, _)| at) };
        [store, self.publish_due(), self.listen_at(), self.foreign_at(ctx), self.evict_at(ctx)]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Machine {
    /// Does one step of what is due. `false`: nothing is.
    pub(crate) fn advance(&mut self, now: Instant) -> bool {
        let due = self.due.first().copied().filter(|(at, _)| *at <= now);
        if let Some((_, id)) = due {
            self.look_after(now, id);
            return true;
        }
        // The two may share a budget: whoever waited longest comes first.
        let since = |queue: &BTreeSet<(Instant, RecordId)>| queue.first().map_or(now, |(since, _)| *since);
        let (first, second) = if since(&self.writes) < since(&self.reads) {
            (Access::Write, Access::Read)
        } else {
            (Access::Read, Access::Write)
        };
        self.serve_queue(now, first) || self.serve_queue(now, second)
    }

    fn look_after(&mut self, now: Instant, id: RecordId) {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        self.with(id, |record, ctx| {
            if is_due(record.listen_at()) {
                record.busy.listening = Listening::Asked;
                let topic = topic_of(record.view.key(), &ctx.bus_limits);
                ctx.push(Output::Subscribe(record.id, topic));
            }
            if is_due(record.publish_due()) {
                record.publish(ctx, now);
            }
            if is_due(record.foreign_at(ctx)) {
                record.look_after_foreign(ctx, now);
            }
        });
        self.store_turn(now, id);
        if self.records.get(&id).is_some_and(|record| is_due(record.evict_at(&self.ctx))) {
            self.evict(id);
        }
    }

    /// Does what the record wants of the store, or puts it in the queue for that.
    fn store_turn(&mut self, now: Instant, id: RecordId) {
        let Some(record) = self.records.get(&id).filter(|record| !record.queued) else { return };
        let Some((_, work)) = record.store_work(&self.ctx).filter(|(at, _)| *at <= now) else { return };
        if work == Work::Revalidate && !self.ctx.budget.is_ample(now) {
            return self.with(id, |record, _| record.revalidate_at = now + REVALIDATE_LATER);
        }
        let access = work.access();
        if self.reads.is_empty() && self.writes.is_empty() && self.ctx.budget.take(access, now) {
            return self.start(now, id, work);
        }
        self.queue(access).insert((now, id)); // Behind all that wait: nobody comes to the front by being busy.
        self.with(id, |record, _| record.queued = true);
    }

    /// Serves the longest waiting record, if there is a request for it.
    fn serve_queue(&mut self, now: Instant, access: Access) -> bool {
        if self.queue(access).is_empty() || !self.ctx.budget.take(access, now) {
            return false;
        }
        let (_, id) = self.queue(access).pop_first().expect("the queue was just seen not to be empty");
        let Some(record) = self.records.get_mut(&id) else {
            self.ctx.budget.give_back();
            return true;
        };
        record.queued = false;
        match record.store_work(&self.ctx).filter(|(at, work)| *at <= now && work.access() == access) {
            Some((_, work)) => self.start(now, id, work),
            None => {
                self.ctx.budget.give_back();
                self.touch(id);
            }
        }
        true
    }

    /// Starts what a request was taken for. It may turn out that none is needed.
    fn start(&mut self, now: Instant, id: RecordId, work: Work) {
        self.with(id, |record, ctx| {
            match work {
                Work::CatchUp if !record.is_behind() => record.busy.catch_up_at = None,
                Work::Read | Work::CatchUp | Work::Revalidate => record.start_read(ctx),
                Work::Write => record.start_write(ctx, now),
            }
            if record.busy.call.is_none() {
                ctx.budget.give_back();
            }
        });
    }

    /// When the queue can go on, if that is a matter of time alone.
    pub(crate) fn queue_wakeup(&mut self, now: Instant) -> Option<Instant> {
        let at = |machine: &mut Self, access| {
            if machine.queue(access).is_empty() { None } else { machine.ctx.budget.next(access, now) }
        };
        [at(self, Access::Read), at(self, Access::Write)].into_iter().flatten().min()
    }
}
