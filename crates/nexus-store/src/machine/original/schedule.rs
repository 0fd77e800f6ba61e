//! What a record on the original's wire does when.

use transport_traits::Instant;

use super::super::context::{Access, Context};
use super::super::io::Output;
use super::super::record::{Listening, Load};
use super::Machine;
use super::record::{Record, Wanted};
use crate::machine::RecordId;

impl Record {
    /// What the record wants of the store next, and when.
    fn store_work(&self) -> Option<(Instant, Access)> {
        if self.call.is_some() {
            return None;
        }
        let (at, access) = match self.flight_work() {
            Some(access) => (Instant::ZERO, access),
            None => (self.next_read()?.0, Access::Read),
        };
        Some((at.max(self.not_before), access))
    }

    /// The next read that is no part of a write.
    fn next_read(&self) -> Option<(Instant, Wanted)> {
        match self.load {
            Load::Loading => return Some((self.first_read_at(), Wanted::Load)),
            Load::Failed if !self.strict => return Some((Instant::ZERO, Wanted::Load)),
            _ => {}
        }
        let asked = self.reads.front().map(|wanted| (Instant::ZERO, wanted.clone()));
        asked.or_else(|| Some((self.read_at.filter(|_| self.flight.is_none())?, Wanted::All)))
    }

    fn first_read_at(&self) -> Instant {
        let listens = matches!(self.listening, Listening::Active | Listening::Unwanted);
        let listens = listens || self.listen_failures > 0;
        if listens { Instant::ZERO } else { self.patience }
    }

    fn flush_due(&self) -> Option<Instant> {
        // A record that failed to load is saved once it can be; until then whoever asks is told.
        let waits = self.load == Load::Loading
            || (!self.strict && !self.may_save() && self.flushes.is_empty() && self.updates.is_empty());
        self.flush_at.filter(|_| self.flight.is_none() && !waits)
    }

    fn listen_at(&self) -> Option<Instant> {
        match self.listening {
            Listening::Wanted(at) => Some(at),
            Listening::Asked | Listening::Active | Listening::Unwanted => None,
        }
    }

    fn autosave_due(&self) -> Option<Instant> {
        let is_left = self.disconnected && self.holders > 0;
        self.autosave_at.filter(|_| !is_left && self.flight.is_none() && self.flush_at.is_none())
    }

    fn evict_at(&self, ctx: &Context) -> Option<Instant> {
        if !self.is_settled(ctx.closing) {
            return None;
        }
        if ctx.closing || self.listening == Listening::Unwanted {
            Some(Instant::ZERO)
        } else {
            self.idle_since.map(|at| at + ctx.config.idle_eviction)
        }
    }

    /// When to look after the record next.
    pub(crate) fn next_due(&self, ctx: &Context) -> Option<Instant> {
        let store = if self.queued { None } else { self.store_work().map(|(at, _)| at) };
        let all = [
            store,
            self.flush_due(),
            self.listen_at(),
            self.autosave_due(),
            self.delayed_due(ctx),
            self.send_due(),
            self.evict_at(ctx),
        ];
        all.into_iter().flatten().min()
    }

    /// Does what is due and needs no store.
    fn look_after(&mut self, ctx: &mut Context, now: Instant) {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(self.listen_at()) {
            self.listening = Listening::Asked;
            ctx.push(Output::Subscribe(self.id, self.topic.clone()));
        }
        if is_due(self.autosave_due()) {
            self.autosave_at = Some(now + ctx.config.flush_delay);
            self.flush_at = Some(Instant::ZERO);
        }
        if is_due(self.delayed_due(ctx)) {
            self.announce_delayed(ctx, now);
        }
        if is_due(self.flush_due()) {
            self.begin_flush(ctx);
        }
        if is_due(self.send_due()) {
            self.send_next(ctx);
        }
    }

    /// Starts the request that a turn was taken for.
    fn start(&mut self, ctx: &mut Context) {
        match self.flight_work() {
            Some(Access::Write) => self.send(ctx),
            Some(Access::Read) => self.start_read(ctx, Wanted::Flush),
            None => {
                let Some((_, wanted)) = self.next_read() else { return };
                match wanted {
                    Wanted::All if self.reads.is_empty() => self.read_at = None,
                    Wanted::All | Wanted::Fields(_) => drop(self.reads.pop_front()),
                    Wanted::Load | Wanted::Flush => {}
                }
                self.start_read(ctx, wanted);
            }
        }
    }
}

impl Machine {
    /// Does one step of what is due. `false`: nothing is.
    pub(super) fn advance(&mut self, now: Instant) -> bool {
        if let Some((_, id)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.with(id, |record, ctx| record.look_after(ctx, now));
            self.store_turn(now, id);
            if self.records.get(&id).and_then(|record| record.evict_at(&self.ctx)).is_some_and(|at| at <= now)
            {
                self.evict(id);
            }
            return true;
        }
        self.serve_queue(now)
    }

    fn store_turn(&mut self, now: Instant, id: RecordId) {
        let Some(record) = self.records.get(&id).filter(|record| !record.queued) else { return };
        let Some((_, access)) = record.store_work().filter(|(at, _)| *at <= now) else { return };
        if self.queue.is_empty() && self.ctx.budget.take(access, now) {
            return self.with(id, |record, ctx| record.start(ctx));
        }
        self.queue.push_back(id);
        self.with(id, |record, _| record.queued = true);
    }

    /// Serves the longest waiting record, if there is a request for it.
    fn serve_queue(&mut self, now: Instant) -> bool {
        let Some(&id) = self.queue.front() else { return false };
        let work = self.records.get(&id).and_then(|record| record.store_work().filter(|(at, _)| *at <= now));
        if work.is_some_and(|(_, access)| !self.ctx.budget.take(access, now)) {
            return false;
        }
        self.queue.pop_front();
        self.with(id, |record, ctx| {
            record.queued = false;
            if work.is_some() {
                record.start(ctx);
            }
        });
        true
    }

    /// When the queue can go on, if that is a matter of time alone.
    pub(super) fn queue_wakeup(&mut self, now: Instant) -> Option<Instant> {
        let id = self.queue.front()?;
        let access =
            self.records.get(id).and_then(Record::store_work).map_or(Access::Read, |(_, access)| access);
        self.ctx.budget.next(access, now)
    }
}
