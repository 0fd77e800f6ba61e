//! Save data on the wire of the original, Nexus Data Store: for fleets in which its servers run too.
//!
//! A sibling of the [default machine](super::Machine), with the same inputs and outputs, for two profiles.
//!
//! **[`Profile::Nexus`](crate::Profile::Nexus)** is for a mixed fleet. Original servers wipe the metadata in which *exactly
//! once* is kept, and write sums as values. So an operation is not handed around: it is written at once, by
//! compare-and-swap on what is stored, and then announced by a Fetch that names its fields. What was written but not
//! confirmed is looked for; a write that cannot be told from others' by then is *undetermined*: reported, and never
//! repeated. There is no adoption. A Set of an original is shown until what is stored changes, or 15 s; it is the
//! original that writes it. A Set from a tool outside, which has no SyncId, is written by whoever is first.
//!
//! **[`Profile::StrictNexus`](crate::Profile::StrictNexus)** does what the original does, when it does it: Set messages
//! at once and then one a field and ten seconds, an autosave every ten, received Sets written again with it, no look
//! at gaps, no second try of a load, nothing sent at the end. What it does better than the original: a conflict loses
//! nothing, a failed write is kept for the next autosave, an update starts from what is stored, removals heal, an
//! update's panic or error blocks nothing, what is stored already is not written again, no listener hears of an equal
//! value, and a delayed Set is measured too. What it shares with it: increments are values to the others, and the last
//! message wins.
//!
//! | the original | here |
//! |---|---|
//! | `GetDataStore`, `GetSaveData`, `GetSaveDataById` | [`NexusStore::open`](crate::NexusStore::open); a player's record is `PlayerList$<user id>` of `PlayerDataStore_PlayerData` |
//! | `Get`, `ListKeys` | [`SaveData::get`](crate::SaveData::get), [`snapshot`](crate::SaveData::snapshot) |
//! | `Set`, `Set` to nil, `Increment` | [`set`](crate::SaveData::set), [`remove`](crate::SaveData::remove), [`increment`](crate::SaveData::increment) |
//! | `Update` | [`update`](crate::SaveData::update) |
//! | `OnUpdate` | [`on_update`](crate::SaveData::on_update) |
//! | `Flush`, `FlushAll` | [`flush`](crate::SaveData::flush), [`flush_all`](crate::NexusStore::flush_all) |
//! | `Disconnect`, `RemoveFromCache` | dropping the last [`SaveData`](crate::SaveData); [`Machine::disconnect`] |
//! | the close of the game | [`NexusStore::shutdown`](crate::NexusStore::shutdown) |
//! | `DataLoadedSuccessfully` | [`SaveData::load_state`](crate::SaveData::load_state) |
//! | `SetSendDataChangeUpdates`, `SetAllowOverwriteOfFailedLoad` | [`Machine::send_changes`], [`Machine::allow_overwrite`] |
//!
//! **Keys must differ between stores** in both profiles. The original's channel of a record has the name `NSD_<key>`,
//! whatever store it is of, so all records of one key hear each other: weakness 15 (shared-channel), which only the
//! [default machine](super::Machine) is free of. What an original sets in one store is shown in the other's record; in
//! [`Profile::Nexus`](crate::Profile::Nexus) for 15 s at most, but a write here of that field is made on top of it and
//! makes it durable there, and a Set without a SyncId is written in both. In
//! [`Profile::StrictNexus`](crate::Profile::StrictNexus) the next autosave writes every Set into both stores, as the
//! original does.
//!
//! The facts about the original are in `docs/original-wire.md`.

mod announce;
mod calls;
mod changes;
mod close;
mod commit;
mod marks;
mod receive;
mod record;
mod schedule;
#[cfg(test)]
mod tests;
mod update;
mod wire;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use transport_traits::{BusLimits, Instant, RecordKey, StoreLimits, WallTime};

use self::record::{Call, Record};
use super::clock::Clock;
use super::context::Context;
use super::record::{Listening, Load};
use super::{Input, MAX_DOUBTFUL, Outcome, Output, RecordId, Ticket, UpdateOutcome, UpdateRun, check_name};
use crate::change::Change;
use crate::error::{OpenError, Unsaved};
use crate::view::View;
use crate::{Config, FlushError, Stats, WriteError};

/// The state of all open records of one process. See the [module](self).
#[derive(Debug)]
pub struct Machine {
    ctx: Context,
    records: BTreeMap<RecordId, Record>,
    by_key: BTreeMap<RecordKey, RecordId>,
    /// Which record an update is of.
    updates: BTreeMap<Ticket, RecordId>,
    due: BTreeSet<(Instant, RecordId)>,
    /// Records that wait for a request to the store.
    queue: VecDeque<RecordId>,
    next_record: u64,
    closing: Option<close::Closing>,
    /// Records that were forgotten with something to report, as the default machine keeps them.
    doubtful: Vec<Unsaved>,
}

impl Machine {
    /// As the default machine's [`new`](super::Machine::new).
    #[must_use]
    pub fn new(config: Config, store: StoreLimits, bus: BusLimits, now: Instant, wall: WallTime) -> Self {
        Self {
            ctx: Context::new(config, store, bus, Clock::new(wall, now), now),
            records: BTreeMap::new(),
            by_key: BTreeMap::new(),
            updates: BTreeMap::new(),
            due: BTreeSet::new(),
            queue: VecDeque::new(),
            next_record: 0,
            closing: None,
            doubtful: Vec::new(),
        }
    }

    /// Counters and the present state.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.ctx.stats.clone();
        stats.records = self.records.len();
        stats.journal_bytes = self.ctx.journal_bytes;
        stats
    }

    /// As the default machine's [`open`](super::Machine::open), with a SyncId by chance.
    ///
    /// # Errors
    /// The name cannot be used, or the machine was shut down.
    pub fn open(&mut self, now: Instant, key: RecordKey) -> Result<(RecordId, Arc<View>, Ticket), OpenError> {
        let sync_id = self.any_sync_id();
        self.open_as(now, key, sync_id)
    }

    /// The same with this SyncId, unless the record is open already. It has 38 characters to the original: a GUID in
    /// braces, of which no two are ever the same.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_as(
        &mut self,
        now: Instant,
        key: RecordKey,
        sync_id: Arc<str>,
    ) -> Result<(RecordId, Arc<View>, Ticket), OpenError> {
        if self.ctx.closing {
            return Err(OpenError::Closed);
        }
        let id = match self.by_key.get(&key) {
            Some(&id) => id,
            None => self.create(now, key, sync_id)?,
        };
        let ticket = self.ctx.next_ticket();
        self.with(id, |record, ctx| {
            record.holders += 1;
            record.disconnected = false;
            record.idle_since = None;
            if record.listening == Listening::Unwanted {
                record.listening = Listening::Wanted(now);
            }
            if record.load == Load::Loading {
                record.opens.push(ticket);
            } else {
                ctx.done(ticket, Outcome::Opened);
            }
        });
        let view = Arc::clone(&self.records.get(&id).expect("the record was just opened").view);
        Ok((id, view, ticket))
    }

    fn any_sync_id(&mut self) -> Arc<str> {
        let (a, b) = (self.ctx.rng.u64(..), self.ctx.rng.u64(..));
        let sync_id = format!(
            "{{{:08X}-{:04X}-{:04X}-{:04X}-{:012X}}}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xffff,
            b >> 48,
            b & 0xffff_ffff_ffff
        );
        sync_id.into()
    }

    fn create(&mut self, now: Instant, key: RecordKey, sync_id: Arc<str>) -> Result<RecordId, OpenError> {
        check_name(&key, &self.ctx.store_limits).map_err(|error| OpenError::Name(Arc::new(error)))?;
        self.next_record += 1;
        let id = RecordId(self.next_record);
        self.by_key.insert(key.clone(), id);
        self.records.insert(id, Record::new(id, key, sync_id, &self.ctx.config, now));
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
        self.write_all(now, id, vec![(field.into(), change)])
    }

    /// Accepts several writes of one record, all or none.
    ///
    /// # Errors
    /// See [`WriteError`]; nothing changed.
    pub fn write_all(
        &mut self,
        now: Instant,
        id: RecordId,
        changes: Vec<(Arc<str>, Change)>,
    ) -> Result<(), WriteError> {
        if self.ctx.closing {
            return Err(WriteError::Closed);
        }
        let accepted = self.with_found(id, |record, ctx| record.accept(ctx, now, changes));
        accepted.unwrap_or(Err(WriteError::Closed))
    }

    /// Writes the record now, and says when everything is durable that it accepted.
    pub fn flush(&mut self, id: RecordId) -> Ticket {
        let ticket = self.ctx.next_ticket();
        let found = self.with_found(id, |record, _| {
            record.flushes.push(ticket);
            record.flush_at = Some(Instant::ZERO);
        });
        if found.is_none() {
            self.ctx.done(ticket, Outcome::Flushed(Err(FlushError::Closed)));
        }
        ticket
    }

    /// Flushes every record.
    pub fn flush_all(&mut self) -> Vec<(RecordId, RecordKey, Ticket)> {
        let all: Vec<RecordId> = self.records.keys().copied().collect();
        all.into_iter().map(|id| (id, self.records[&id].key.clone(), self.flush(id))).collect()
    }

    /// Takes notice of what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::WallClock(wall) => self.ctx.clock.set(wall, now),
            Input::Got(id, result) => self.with(id, |record, ctx| {
                if let Some(Call::Read(wanted)) = record.call.take_if(|call| *call != Call::Write) {
                    ctx.budget.give_back();
                    record.got(ctx, now, wanted, result);
                }
            }),
            Input::PutDone(id, result) => self.with(id, |record, ctx| {
                if record.call.take_if(|call| *call == Call::Write).is_some() {
                    ctx.budget.give_back();
                    record.put_done(ctx, now, result);
                }
            }),
            Input::Published(id, result) => self.with(id, |record, ctx| record.published(ctx, now, result)),
            Input::Subscribed(id, result) => {
                self.with(id, |record, ctx| record.subscribed(ctx, now, result.is_ok()));
            }
            Input::SubscriptionEnded(id) => self.with(id, |record, ctx| record.subscribed(ctx, now, false)),
            Input::Received(id, body) => self.with(id, |record, ctx| {
                if !record.disconnected {
                    record.received(ctx, now, &body);
                }
            }),
            Input::Gap(id) => self.with(id, |record, ctx| {
                if !record.strict && record.load != Load::Loading {
                    record.read_soon(ctx, now);
                }
            }),
            Input::UpdateRan(ticket, run) => self.update_ran(ticket, run),
            Input::CancelUpdate(ticket) => self.cancel_update(ticket),
            Input::CancelFlush(id, ticket) => self.with(id, |record, _| record.cancel_flush(ticket)),
            Input::Release(id) => self.with(id, |record, _| record.release(now)),
        }
    }

    fn update_ran(&mut self, ticket: Ticket, run: UpdateRun) {
        let Some(&id) = self.updates.get(&ticket) else { return };
        self.with(id, |record, ctx| {
            if record.is_running(ticket) {
                record.update_ran(ctx, run);
            }
        });
    }

    /// An update that was not begun is not made.
    fn cancel_update(&mut self, ticket: Ticket) {
        let Some(&id) = self.updates.get(&ticket) else { return };
        self.with(id, |record, ctx| {
            let waiting = record.updates.iter().position(|job| job.ticket == ticket);
            if waiting.and_then(|at| record.updates.remove(at)).is_some() {
                ctx.done(ticket, Outcome::Updated(UpdateOutcome::Closed));
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
                return None;
            }
        }
    }

    /// When to poll next although nothing happens; `None` if there is no such time.
    pub fn next_wakeup(&mut self, now: Instant) -> Option<Instant> {
        let due = self.due.first().map(|(at, _)| *at);
        [due, self.queue_wakeup(now), self.closing_deadline()].into_iter().flatten().min()
    }

    fn with(&mut self, id: RecordId, f: impl FnOnce(&mut Record, &mut Context)) {
        let _ = self.with_found(id, f);
    }

    /// Runs `f` on a record, if it is open, and brings the index and the account of bytes up to date.
    fn with_found<T>(&mut self, id: RecordId, f: impl FnOnce(&mut Record, &mut Context) -> T) -> Option<T> {
        let record = self.records.get_mut(&id)?;
        let result = f(record, &mut self.ctx);
        let bytes = record.own_bytes();
        self.ctx.journal_bytes = self.ctx.journal_bytes + bytes - record.accounted;
        record.accounted = bytes;
        let due = record.next_due(&self.ctx);
        if due != record.due {
            if let Some(at) = record.due {
                self.due.remove(&(at, id));
            }
            self.due.extend(due.map(|at| (at, id)));
            record.due = due;
        }
        Some(result)
    }

    fn evict(&mut self, id: RecordId) {
        let Some(record) = self.records.remove(&id) else { return };
        self.by_key.remove(&record.key);
        self.ctx.journal_bytes -= record.accounted;
        if self.doubtful.len() < MAX_DOUBTFUL {
            self.doubtful.extend(record.to_report());
        }
        if let Some(at) = record.due {
            self.due.remove(&(at, id));
        }
        self.ctx.push(Output::Closed(id));
    }
}

impl Record {
    fn release(&mut self, now: Instant) {
        self.holders = self.holders.saturating_sub(1);
        if self.holders == 0 {
            self.idle_since = Some(now);
            self.disconnected = self.strict;
            self.flush_at = Some(Instant::ZERO);
        }
    }
}
