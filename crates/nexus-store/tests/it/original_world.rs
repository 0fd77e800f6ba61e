//! A small world for machines on the original's wire: one record, a store with faults, a bus that may lose.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nexus_store::machine::original::Machine;
use nexus_store::machine::{Input, Outcome, Output, RecordId, Scope, Ticket};
use nexus_store::{Change, Config, View};
use serde_json::{Value, json};
use transport_traits::{
    BusLimits, Error, ErrorKind, Instant, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
    WallTime,
};

use super::functions::add_one;
use super::world::{START, key};

/// What becomes of a request to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unavailable,
    /// Not done, and never will be.
    Refused,
    /// Not done, and nobody knows.
    UnknownBefore,
    /// Done, and nobody knows.
    UnknownAfter,
    /// Nobody knows, and it is done some time after.
    UnknownLate,
    /// Done, nobody knows, and then somebody else writes, too.
    UnknownAndOverwritten,
}

const BY_CHANCE: [Fault; 5] =
    [Fault::Unavailable, Fault::Refused, Fault::UnknownBefore, Fault::UnknownAfter, Fault::UnknownLate];

pub(crate) struct Server {
    pub(crate) machine: Machine,
    pub(crate) record: RecordId,
    pub(crate) view: Arc<View>,
    pub(crate) done: HashMap<Ticket, Outcome>,
    /// What was stored when a call was answered.
    pub(crate) stored_then: HashMap<Ticket, Option<Stored>>,
}

enum Event {
    Give(usize, Input),
    /// A write arrives at the store that was answered already.
    Late(Record, Precondition),
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) rng: fastrand::Rng,
    pub(crate) servers: Vec<Server>,
    pub(crate) stored: Option<Stored>,
    pub(crate) gets: u64,
    pub(crate) puts: u64,
    /// Percent of requests that meet a fault by chance.
    pub(crate) chance: u32,
    /// What the next writes meet, the first one last.
    pub(crate) faults: Vec<Fault>,
    /// The next loads fail.
    pub(crate) failing_gets: u32,
    /// Percent of deliveries that are lost.
    pub(crate) loss: u32,
    pub(crate) messages: Vec<String>,
    /// The bus takes nothing.
    pub(crate) deaf: bool,
    versions: u64,
    events: BTreeMap<(Instant, u64), Event>,
    next_event: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            rng: fastrand::Rng::with_seed(seed),
            servers: Vec::new(),
            stored: None,
            gets: 0,
            puts: 0,
            chance: 0,
            faults: Vec::new(),
            failing_gets: 0,
            loss: 0,
            messages: Vec::new(),
            deaf: false,
            versions: 0,
            events: BTreeMap::new(),
            next_event: 0,
        }
    }

    pub(crate) fn join(&mut self, config: Config) -> usize {
        let index = self.servers.len();
        let config = Config { seed: Some(self.rng.u64(..)), writer: Some(1 + index as u64), ..config };
        let wall: WallTime = START + self.now.since(Instant::ZERO);
        let mut machine = Machine::new(config, StoreLimits::default(), BusLimits::default(), self.now, wall);
        let (record, view, _) = machine.open(self.now, key()).unwrap();
        let (done, stored_then) = (HashMap::new(), HashMap::new());
        self.servers.push(Server { machine, record, view, done, stored_then });
        self.drain(index);
        index
    }

    /// So many servers in the profile for mixed fleets.
    pub(crate) fn join_all(&mut self, count: usize) {
        for _ in 0..count {
            self.join(Config::nexus());
        }
    }

    pub(crate) fn act<T>(&mut self, at: usize, f: impl FnOnce(&mut Machine, Instant, RecordId) -> T) -> T {
        let server = &mut self.servers[at];
        let result = f(&mut server.machine, self.now, server.record);
        self.drain(at);
        result
    }

    pub(crate) fn write(&mut self, at: usize, field: &str, change: Change) {
        self.act(at, |machine, now, id| machine.write(now, id, field, change)).unwrap();
    }

    pub(crate) fn set(&mut self, at: usize, field: &str, value: Value) {
        self.write(at, field, Change::Set(Arc::new(value)));
    }

    pub(crate) fn increment(&mut self, at: usize, field: &str) {
        self.write(at, field, Change::Increment(1.into()));
    }

    pub(crate) fn flush(&mut self, at: usize) -> Ticket {
        self.act(at, |machine, _, id| machine.flush(id))
    }

    pub(crate) fn update(&mut self, at: usize, fields: &[&str]) -> Ticket {
        self.act(at, |machine, _, id| machine.update(id, Scope::Fields(fields)))
    }

    pub(crate) fn seen(&self, at: usize, field: &str) -> Value {
        self.servers[at].view.get(field).map_or(Value::Null, |value| Value::clone(&value))
    }

    pub(crate) fn stored_value(&self) -> Value {
        let text = self.stored.as_ref().map_or("null", |stored| &stored.record.value);
        serde_json::from_str(text).unwrap()
    }

    /// Somebody else writes: the metadata is gone.
    pub(crate) fn commit_foreign(&mut self, value: &Value) {
        self.commit(Record::new(value.to_string()));
    }

    pub(crate) fn hear(&mut self, at: usize, action: &Value) {
        let body = Value::String(action.to_string()).to_string();
        self.give(at, Input::Received(self.servers[at].record, Bytes::from(body)));
    }

    pub(crate) fn give(&mut self, at: usize, input: Input) {
        self.act(at, |machine, now, _| machine.handle(now, input));
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.next_time().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= self.now) {
                match entry.remove() {
                    Event::Give(server, input) => self.give(server, input),
                    Event::Late(record, precondition) => {
                        let _ = self.compare_and_swap(record, &precondition);
                    }
                }
            }
            (0..self.servers.len()).for_each(|server| self.drain(server));
        }
        self.now = end;
    }

    fn next_time(&mut self) -> Option<Instant> {
        let now = self.now;
        let wakeups = self.servers.iter_mut().filter_map(|server| server.machine.next_wakeup(now));
        wakeups.chain(self.events.keys().next().map(|(at, _)| *at)).min()
    }

    fn later(&mut self, millis: u64, server: usize, input: Input) {
        self.happens(millis, Event::Give(server, input));
    }

    fn happens(&mut self, millis: u64, event: Event) {
        self.next_event += 1;
        self.events.insert((self.now + Duration::from_millis(millis), self.next_event), event);
    }

    fn drain(&mut self, at: usize) {
        while let Some(output) = self.servers[at].machine.poll(self.now) {
            match output {
                Output::Get(id, _) => self.get(at, id),
                Output::Put(id, _, record, precondition) => self.put(at, id, record, &precondition),
                Output::Publish(id, _) if self.deaf => {
                    self.later(20, at, Input::Published(id, Err(error(ErrorKind::Unavailable))));
                }
                Output::Publish(id, message) => {
                    self.messages.push(String::from_utf8(message.body.to_vec()).unwrap());
                    self.deliver(&message.body);
                    self.later(0, at, Input::Published(id, Ok(())));
                }
                Output::Subscribe(id, topic) => {
                    assert_eq!(&*topic, format!("NSD_{}", key().key));
                    self.later(0, at, Input::Subscribed(id, Ok(())));
                }
                Output::RunUpdate(ticket, values) => {
                    self.later(0, at, Input::UpdateRan(ticket, add_one(&values)));
                }
                Output::Done(ticket, outcome) => {
                    self.servers[at].stored_then.insert(ticket, self.stored.clone());
                    self.servers[at].done.insert(ticket, outcome);
                }
                Output::Changed(_, changes) => assert!(changes.iter().all(|change| change.old != change.new)),
                Output::Closed(_) => {}
            }
        }
    }

    fn deliver(&mut self, body: &Bytes) {
        for to in 0..self.servers.len() {
            if self.rng.u32(0..100) >= self.loss {
                let (delay, id) = (self.rng.u64(20..300), self.servers[to].record);
                self.later(delay, to, Input::Received(id, body.clone()));
            }
        }
    }

    fn get(&mut self, at: usize, id: RecordId) {
        self.gets += 1;
        let delay = self.rng.u64(1..50);
        let fails = self.failing_gets > 0 || self.rng.u32(0..100) < self.chance;
        self.failing_gets = self.failing_gets.saturating_sub(1);
        let result = if fails { Err(error(ErrorKind::Unavailable)) } else { Ok(self.stored.clone()) };
        self.later(delay, at, Input::Got(id, result));
    }

    fn put(&mut self, at: usize, id: RecordId, record: Record, precondition: &Precondition) {
        self.puts += 1;
        let hit = self.rng.u32(0..100) < self.chance;
        let fault = self.faults.pop().or_else(|| hit.then(|| BY_CHANCE[self.rng.usize(0..BY_CHANCE.len())]));
        let result = match fault {
            Some(Fault::Unavailable) => Err(ErrorKind::Unavailable),
            Some(Fault::Refused) => Err(ErrorKind::Invalid),
            Some(Fault::UnknownBefore) => Err(ErrorKind::Unknown),
            Some(Fault::UnknownLate) => {
                // Some while it is looked for, or while it is sent again.
                let latest = if self.rng.bool() { 100 } else { 5_000 };
                let late = self.rng.u64(1..latest);
                self.happens(late, Event::Late(record, precondition.clone()));
                Err(ErrorKind::Unknown)
            }
            _ => self.compare_and_swap(record, precondition),
        };
        if fault == Some(Fault::UnknownAndOverwritten) {
            let value = self.stored_value();
            self.commit_foreign(&value);
        }
        let unknown = matches!(fault, Some(Fault::UnknownAfter | Fault::UnknownAndOverwritten));
        let result = if unknown { Err(ErrorKind::Unknown) } else { result };
        let delay = self.rng.u64(1..50);
        self.later(delay, at, Input::PutDone(id, result.map_err(error)));
    }

    fn compare_and_swap(
        &mut self,
        record: Record,
        precondition: &Precondition,
    ) -> Result<Version, ErrorKind> {
        let version = self.stored.as_ref().map(|stored| &stored.version);
        let holds = match precondition {
            Precondition::Always => true,
            Precondition::Absent => version.is_none(),
            Precondition::Is(wanted) => version == Some(wanted),
        };
        if holds { Ok(self.commit(record)) } else { Err(ErrorKind::Conflict) }
    }

    pub(crate) fn commit(&mut self, record: Record) -> Version {
        self.versions += 1;
        let version = Version::new(self.versions.to_string());
        self.stored = Some(Stored { record, version: version.clone(), modified: START });
        version
    }
}

fn error(kind: ErrorKind) -> Arc<Error> {
    Arc::new(Error::new(kind, "store"))
}

/// A record's name that is not the one of the world.
pub(crate) fn other_key() -> RecordKey {
    RecordKey::new("other", "7")
}

/// A Set message of somebody.
pub(crate) fn set_message(field: &str, value: &Value, sync_id: Option<&str>) -> Value {
    let mut action = json!({ "Action": "Set", "Key": field, "Value": value });
    if let Some(sync_id) = sync_id {
        action["SyncId"] = json!(sync_id);
    }
    action
}
