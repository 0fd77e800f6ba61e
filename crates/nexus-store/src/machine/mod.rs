//! Save data as a pure state machine: no clock, no input or output, no randomness of its own.
//!
//! For simulators and for drivers of one's own; everybody else uses [`NexusStore`](crate::NexusStore). Call
//! in, then [`poll`](Machine::poll) until it gives `None`, and again no later than
//! [`next_wakeup`](Machine::next_wakeup). Same seed, same calls: same outputs.

mod accept;
mod announce;
mod base;
mod busy;
mod by_key;
mod calls;
pub(crate) mod clock;
mod close;
mod contention;
mod context;
mod flush;
mod io;
mod journal;
mod load;
mod operation;
pub mod original;
mod rare;
mod receive;
mod record;
mod schedule;
pub(crate) mod table;
pub(crate) mod table_text;
#[cfg(test)]
mod tests;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use transport_traits::{BusLimits, Error, ErrorKind, Instant, RecordKey, StoreLimits, Topic, WallTime};

use self::accept::Accepted;
use self::busy::Call;
use self::by_key::ByKey;
use self::clock::Clock;
use self::context::{Access, Context};
use self::flush::FlushWaiter;
pub use self::io::{
    FieldChange, Input, Outcome, Output, RecordId, Scope, Ticket, UpdateChanges, UpdateInput, UpdateOutcome,
    UpdateRun,
};
pub use self::operation::Operation;
use self::record::{Listening, Load, Record};
use crate::change::Change;
use crate::error::{OpenError, Unsaved};
use crate::json::Fnv;
use crate::view::View;
use crate::{Config, FlushError, Stats, WriteError};

/// Records of this kind that a shutdown reports at most.
const MAX_DOUBTFUL: usize = 1_000;

/// The state of all open records of one process.
#[derive(Debug)]
pub struct Machine {
    ctx: Context,
    /// Boxed, since a map's nodes are on average half empty.
    records: BTreeMap<RecordId, Box<Record>>,
    by_key: BTreeMap<ByKey, RecordId>,
    /// Which record an update is of.
    updates: BTreeMap<Ticket, RecordId>,
    /// When to look after which record.
    due: BTreeSet<(Instant, RecordId)>,
    /// Records that wait for a request to the store, the longest waiting first.
    reads: BTreeSet<(Instant, RecordId)>,
    writes: BTreeSet<(Instant, RecordId)>,
    next_record: u64,
    closing: Option<close::Closing>,
    /// Records that were forgotten with operations of unknown fate that no flush has reported.
    doubtful: Vec<Unsaved>,
}

impl Machine {
    /// A machine for a store and a bus with these limits, at the time `now` of its own clock and `wall` on
    /// the calendar.
    #[must_use]
    pub fn new(config: Config, store: StoreLimits, bus: BusLimits, now: Instant, wall: WallTime) -> Self {
        Self {
            ctx: Context::new(config, store, bus, Clock::new(wall, now), now),
            records: BTreeMap::new(),
            by_key: BTreeMap::new(),
            updates: BTreeMap::new(),
            due: BTreeSet::new(),
            reads: BTreeSet::new(),
            writes: BTreeSet::new(),
            next_record: 0,
            closing: None,
            doubtful: Vec::new(),
        }
    }

    /// Who this machine is to the others.
    #[must_use]
    pub const fn writer(&self) -> u64 {
        self.ctx.me
    }

    /// Counters and the present state.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.ctx.stats.clone();
        stats.records = self.records.len();
        stats.journal_bytes = self.ctx.journal_bytes;
        stats
    }

    /// Opens a record, or adds a holder to one that is open; each holder ends with [`Input::Release`]. The
    /// ticket is answered when the first attempt to load it is over.
    ///
    /// # Errors
    /// The name cannot be used, or the machine was shut down.
    pub fn open(&mut self, now: Instant, key: RecordKey) -> Result<(RecordId, Arc<View>, Ticket), OpenError> {
        if self.ctx.closing {
            return Err(OpenError::Closed);
        }
        let id = match self.by_key.get(&key) {
            Some(&id) => id,
            None => self.create(now, key)?,
        };
        let ticket = self.ctx.next_ticket();
        self.with(id, |record, ctx| {
            record.holders += 1;
            if record.busy.listening == Listening::Unwanted {
                record.busy.listening = Listening::Wanted(now);
            }
            if record.load == Load::Loading {
                record.busy.opens.push(ticket);
            } else {
                ctx.done(ticket, Outcome::Opened);
            }
        });
        let view = Arc::clone(&self.records.get(&id).expect("the record was just opened").view);
        Ok((id, view, ticket))
    }

    fn create(&mut self, now: Instant, mut key: RecordKey) -> Result<RecordId, OpenError> {
        check_name(&key, &self.ctx.store_limits).map_err(|error| OpenError::Name(Arc::new(error)))?;
        key.store = self.ctx.names.share(&key.store);
        self.next_record += 1;
        let id = RecordId(self.next_record);
        let record = Box::new(Record::new(id, key, now));
        self.by_key.insert(ByKey(Arc::clone(&record.view)), id);
        self.records.insert(id, record);
        Ok(id)
    }

    /// Accepts a write.
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    pub fn write(
        &mut self,
        now: Instant,
        id: RecordId,
        field: &str,
        change: Change,
    ) -> Result<(), WriteError> {
        if self.ctx.closing {
            return Err(WriteError::Closed);
        }
        let record = self.records.get_mut(&id).ok_or(WriteError::Closed)?;
        match record.accept(&mut self.ctx, now, field, change)? {
            Accepted::Merged => {
                record.journal.account(&mut self.ctx.journal_bytes, &mut self.ctx.foreign_bytes)
            }
            Accepted::Added => self.touch(id),
        }
        Ok(())
    }

    /// Whether anybody listens to a record's changes. If not, they are not told as [`Output::Changed`], which
    /// makes writes cheaper. From the start they are told.
    pub fn tell_changes(&mut self, id: RecordId, told: bool) {
        if let Some(record) = self.records.get_mut(&id) {
            record.told = told;
        }
    }

    /// Asks to be told when everything is durable that the record accepted.
    pub fn flush(&mut self, now: Instant, id: RecordId) -> Ticket {
        let ticket = self.ctx.next_ticket();
        let found = self.with_found(id, |record, ctx| {
            let undetermined = std::mem::take(&mut record.busy.undetermined);
            record.busy.flushes.push(FlushWaiter { ticket, up_to: record.journal.last_own(), undetermined });
            record.answer_flushes(ctx);
            if record.is_unreadable() {
                record.fail_flushes(ctx, &FlushError::NotLoaded);
            }
            if record.busy.refusal.take().is_some() {
                record.busy.not_before = now; // Whoever asks may have made it acceptable.
            }
        });
        if found.is_none() {
            self.ctx.done(ticket, Outcome::Flushed(Err(FlushError::Closed)));
        }
        ticket
    }

    /// Flushes every record that has something to save.
    pub fn flush_all(&mut self, now: Instant) -> Vec<(RecordId, RecordKey, Ticket)> {
        let dirty: Vec<RecordId> =
            self.records.values().filter(|record| record.is_doubtful()).map(|record| record.id).collect();
        dirty.into_iter().map(|id| (id, self.records[&id].view.key().clone(), self.flush(now, id))).collect()
    }

    /// Takes notice of what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.ctx.stirred = true;
        match input {
            Input::WallClock(wall) => self.ctx.clock.set(wall, now),
            Input::Got(id, result) => self.with(id, |record, ctx| {
                if let Some(Call::Read { generation, heard_of }) = record.busy.call {
                    record.busy.call = None;
                    record.got(ctx, now, generation, heard_of, result);
                    ctx.budget.give_back();
                }
            }),
            Input::PutDone(id, result) => self.with(id, |record, ctx| {
                if record.busy.call == Some(Call::Write) {
                    record.busy.call = None;
                    record.put_done(ctx, now, result);
                    ctx.budget.give_back();
                }
            }),
            Input::Published(id, result) => {
                self.with(id, |record, ctx| record.published(ctx, now, result));
            }
            Input::Subscribed(id, result) => {
                self.with(id, |record, ctx| record.subscribed(ctx, now, result.is_ok()));
            }
            Input::SubscriptionEnded(id) => {
                self.with(id, |record, ctx| record.subscribed(ctx, now, false));
            }
            Input::Received(id, body) => {
                self.with(id, |record, ctx| record.received(ctx, now, &body));
            }
            Input::Gap(id) => self.with(id, |record, ctx| record.want_read(ctx, now)),
            Input::UpdateRan(ticket, run) => self.update_ran(now, ticket, run),
            Input::CancelUpdate(ticket) => {
                if let Some(&id) = self.updates.get(&ticket) {
                    self.with(id, |record, ctx| record.cancel_update(ctx, ticket));
                }
            }
            Input::CancelFlush(id, ticket) => self.with(id, |record, _| record.cancel_flush(ticket)),
            Input::Release(id) => self.with(id, |record, _| record.release(now)),
        }
    }

    fn update_ran(&mut self, now: Instant, ticket: Ticket, run: UpdateRun) {
        let Some(&id) = self.updates.get(&ticket) else { return };
        self.with(id, |record, ctx| {
            if record.is_running(ticket) {
                record.update_ran(ctx, now, ticket, run);
                if record.busy.call.is_none() {
                    ctx.budget.give_back();
                }
            }
        });
    }

    /// What is to be done next; `None` when there is nothing more to do now.
    pub fn poll(&mut self, now: Instant) -> Option<Output> {
        loop {
            if let Some(output) = self.ctx.outputs.pop_front() {
                if let Output::Done(ticket, _) = &output {
                    self.updates.remove(ticket);
                }
                return Some(output);
            }
            if !self.advance(now) && !self.finish_closing(now) {
                self.ctx.stirred = false;
                return None;
            }
        }
    }

    /// Whether a call has made more to do since the last poll that gave `None`. Time may have, too.
    pub(crate) const fn needs_poll(&self) -> bool {
        self.ctx.stirred
    }

    /// When to poll next although nothing happens; `None` if there is no such time.
    pub fn next_wakeup(&mut self, now: Instant) -> Option<Instant> {
        let due = self.due.first().map(|(at, _)| *at);
        [due, self.queue_wakeup(now), self.closing_deadline()].into_iter().flatten().min()
    }

    /// Runs `f` on a record, if it is open, and notes when to look after it next.
    fn with(&mut self, id: RecordId, f: impl FnOnce(&mut Record, &mut Context)) {
        let _ = self.with_found(id, f);
    }

    fn with_found<T>(&mut self, id: RecordId, f: impl FnOnce(&mut Record, &mut Context) -> T) -> Option<T> {
        let record = self.records.get_mut(&id)?;
        let result = f(record, &mut self.ctx);
        self.touch(id);
        Some(result)
    }

    /// Brings the index and the account of journal bytes up to date with a record.
    fn touch(&mut self, id: RecordId) {
        self.ctx.stirred = true;
        let Some(record) = self.records.get_mut(&id) else { return };
        record.journal.account(&mut self.ctx.journal_bytes, &mut self.ctx.foreign_bytes);
        record.journal.tidy();
        record.busy.tidy();
        let due = record.next_due(&self.ctx);
        if due != record.due {
            if let Some(at) = record.due {
                self.due.remove(&(at, id));
            }
            self.due.extend(due.map(|at| (at, id)));
            record.due = due;
        }
    }

    fn evict(&mut self, id: RecordId) {
        let Some(record) = self.records.remove(&id) else { return };
        self.by_key.remove(record.view.key());
        self.ctx.journal_bytes -= record.journal.own_bytes();
        self.ctx.foreign_bytes -= record.journal.foreign_bytes();
        if record.busy.undetermined > 0 && self.doubtful.len() < MAX_DOUBTFUL {
            let (undetermined, error) = (record.busy.undetermined, None);
            self.doubtful.push(Unsaved { key: record.view.key().clone(), undetermined, error });
        }
        if let Some(at) = record.due {
            self.due.remove(&(at, id));
        }
        self.ctx.push(Output::Closed(id));
    }

    fn queue(&mut self, access: Access) -> &mut BTreeSet<(Instant, RecordId)> {
        match access {
            Access::Read => &mut self.reads,
            Access::Write => &mut self.writes,
        }
    }
}

impl Record {
    fn release(&mut self, now: Instant) {
        self.holders = self.holders.saturating_sub(1);
        if self.holders == 0 {
            self.idle_since = now;
        }
    }

    fn subscribed(&mut self, ctx: &mut Context, now: Instant, ok: bool) {
        if ok {
            self.busy.listening = Listening::Active;
            if self.busy.listen_failures > 0 || self.load != Load::Loading || self.busy.call.is_some() {
                self.want_read(ctx, now); // What was published before is missing.
            }
            self.busy.listen_failures = 0;
            return;
        }
        self.busy.listen_failures = self.busy.listen_failures.saturating_add(1);
        self.busy.listening = Listening::Wanted(now + ctx.backoff(self.busy.listen_failures));
    }
}

/// A record's topic: store and key, so that equal keys of different stores never mix. Where that is too
/// long for the bus, 128 bits of a hash stand for it.
fn topic_of(key: &RecordKey, limits: &BusLimits) -> Topic {
    // As in RFC 6901: the slash between the two is the only one that is not escaped.
    let store = key.store.replace('~', "~0").replace('/', "~1");
    let topic = format!("nx/{store}/{}", key.key);
    match limits.topic {
        Some(limit) if limit.check("topic", topic.as_bytes()).is_err() => {
            let half = |salt: &str| {
                let mut hash = Fnv::new();
                hash.write_text(salt);
                hash.write_text(&topic);
                hash.finish()
            };
            format!("nx#{:016x}{:016x}", half("a"), half("b")).into()
        }
        _ => topic.into(),
    }
}

fn check_name(key: &RecordKey, limits: &StoreLimits) -> Result<(), Error> {
    if key.store.is_empty() || key.key.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, "a store's name and a key are not empty"));
    }
    let name = limits.store_name.map_or(Ok(()), |limit| limit.check("store name", key.store.as_bytes()));
    name.and_then(|()| limits.key.map_or(Ok(()), |limit| limit.check("key", key.key.as_bytes())))
}
