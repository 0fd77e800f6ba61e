//! A small world on virtual time: several machines, one store with faults, one lossy bus.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nexus_store::machine::{
    Input, Machine, Outcome, Output, RecordId, Scope, Ticket, UpdateInput, UpdateRun,
};
use nexus_store::{Change, Config, Object, View};
use serde_json::Value;
use transport_traits::{
    BusLimits, Error, ErrorKind, Instant, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
    WallTime,
};

use crate::functions::{add_one, special_update};

pub(crate) const START: WallTime = WallTime::from_micros(1_767_225_600_000_000);

/// Chances in percent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) bus_loss: u32,
    pub(crate) bus_duplicate: u32,
    pub(crate) publish_failure: u32,
    pub(crate) unavailable: u32,
    pub(crate) throttled: u32,
    /// The answer is lost, and the call was not carried out.
    pub(crate) unknown_before: u32,
    /// The answer is lost, and the call was carried out.
    pub(crate) unknown_after: u32,
    /// The answer is lost, and the call is carried out long after.
    pub(crate) unknown_late: u32,
}

pub(crate) struct Server {
    pub(crate) machine: Machine,
    pub(crate) alive: bool,
    pub(crate) record: RecordId,
    pub(crate) view: Arc<View>,
    /// The view as its changes tell it.
    pub(crate) mirror: Object,
    pub(crate) done: HashMap<Ticket, Outcome>,
    topic: Option<Arc<str>>,
}

enum Event {
    Give(usize, Input),
    Store(usize, Call, bool),
}

enum Call {
    Get(RecordId, RecordKey),
    Put(RecordId, RecordKey, Record, Precondition),
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) rng: fastrand::Rng,
    pub(crate) faults: Faults,
    pub(crate) servers: Vec<Server>,
    pub(crate) stored: BTreeMap<RecordKey, Stored>,
    pub(crate) store_limits: StoreLimits,
    pub(crate) bus_limits: BusLimits,
    pub(crate) config: Config,
    pub(crate) puts: u64,
    pub(crate) gets: u64,
    pub(crate) messages: Vec<Bytes>,
    /// What the function of an update does.
    pub(crate) on_update: fn(&UpdateInput) -> UpdateRun,
    versions: u64,
    events: BTreeMap<(Instant, u64), Event>,
    next_event: u64,
}

pub(crate) fn key() -> RecordKey {
    RecordKey::new("players", "7")
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            rng: fastrand::Rng::with_seed(seed),
            faults: Faults::default(),
            servers: Vec::new(),
            stored: BTreeMap::new(),
            store_limits: StoreLimits::default(),
            bus_limits: BusLimits::default(),
            config: Config { max_backoff: Duration::from_secs(3), ..Config::default() },
            puts: 0,
            gets: 0,
            messages: Vec::new(),
            on_update: add_one,
            versions: 0,
            events: BTreeMap::new(),
            next_event: 0,
        }
    }

    /// A world with so many servers that hold the record.
    pub(crate) fn with_servers(seed: u64, count: usize) -> Self {
        let mut world = Self::new(seed);
        world.join_all(count);
        world.run(Duration::from_secs(1));
        world
    }

    pub(crate) fn join_all(&mut self, count: usize) {
        for _ in 0..count {
            self.join();
        }
    }

    pub(crate) fn join(&mut self) -> usize {
        self.join_record(key())
    }

    pub(crate) fn join_record(&mut self, key: RecordKey) -> usize {
        let index = self.servers.len();
        let config =
            Config { seed: Some(self.rng.u64(..)), writer: Some(1 + index as u64), ..self.config.clone() };
        let wall = START + self.now.since(Instant::ZERO);
        let (store, bus) = (self.store_limits.clone(), self.bus_limits.clone());
        let mut machine = Machine::new(config, store, bus, self.now, wall);
        let (record, view, _) = machine.open(self.now, key).unwrap();
        let server = Server {
            machine,
            alive: true,
            record,
            view,
            mirror: Object::new(),
            done: HashMap::new(),
            topic: None,
        };
        self.servers.push(server);
        self.drain(index);
        index
    }

    pub(crate) fn act<T>(
        &mut self,
        server: usize,
        f: impl FnOnce(&mut Machine, Instant, RecordId) -> T,
    ) -> T {
        let now = self.now;
        let target = &mut self.servers[server];
        let result = f(&mut target.machine, now, target.record);
        self.drain(server);
        result
    }

    pub(crate) fn write(&mut self, server: usize, field: &str, change: Change) {
        self.act(server, |machine, now, id| machine.write(now, id, field, change)).unwrap();
    }

    pub(crate) fn set(&mut self, server: usize, field: &str, value: Value) {
        self.write(server, field, Change::Set(Arc::new(value)));
    }

    pub(crate) fn increment(&mut self, server: usize, field: &str, by: i64) {
        self.write(server, field, Change::Increment(by.into()));
    }

    pub(crate) fn flush(&mut self, server: usize) -> Ticket {
        self.act(server, |machine, now, id| machine.flush(now, id))
    }

    pub(crate) fn update(&mut self, server: usize, fields: &[&str]) -> Ticket {
        self.act(server, |machine, _, id| machine.update(id, Scope::Fields(fields)))
    }

    pub(crate) fn give(&mut self, server: usize, input: Input) {
        self.act(server, |machine, now, _| machine.handle(now, input));
    }

    pub(crate) fn gap_everywhere(&mut self) {
        for server in 0..self.servers.len() {
            let record = self.servers[server].record;
            self.give(server, Input::Gap(record));
        }
    }

    pub(crate) fn outcome(&self, server: usize, ticket: Ticket) -> Option<&Outcome> {
        self.servers[server].done.get(&ticket)
    }

    pub(crate) fn seen(&self, server: usize, field: &str) -> Value {
        self.servers[server].view.get(field).map_or(Value::Null, Arc::unwrap_or_clone)
    }

    pub(crate) fn stored_value(&self) -> Value {
        self.stored
            .get(&key())
            .map_or(Value::Null, |stored| serde_json::from_str(&stored.record.value).unwrap())
    }

    /// Writes as another program does.
    pub(crate) fn store_foreign(&mut self, value: &str, metadata: &str) {
        let record = Record::new(value).with_metadata(metadata);
        self.commit(key(), record);
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.next_time().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    fn next_time(&mut self) -> Option<Instant> {
        let now = self.now;
        let wakeups =
            self.servers.iter_mut().filter(|server| server.alive).filter_map(|s| s.machine.next_wakeup(now));
        wakeups.chain(self.events.keys().next().map(|(at, _)| *at)).min()
    }

    fn step(&mut self) {
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                Event::Give(server, input) if self.servers[server].alive => self.give(server, input),
                Event::Give(..) => {}
                Event::Store(server, call, answered) => self.carry_out(server, call, answered),
            }
        }
        for server in 0..self.servers.len() {
            if self.servers[server].alive {
                self.drain(server);
            }
        }
    }

    fn drain(&mut self, server: usize) {
        let now = self.now;
        while let Some(output) = self.servers[server].machine.poll(now) {
            self.take_output(server, output);
        }
    }

    fn take_output(&mut self, server: usize, output: Output) {
        match output {
            Output::Get(id, key) => {
                self.gets += 1;
                self.request(server, Call::Get(id, key));
            }
            Output::Put(id, key, record, precondition) => {
                self.puts += 1;
                self.request(server, Call::Put(id, key, record, precondition));
            }
            Output::Publish(id, message) => self.publish(server, id, message.topic, message.body),
            Output::Subscribe(id, topic) => {
                self.servers[server].topic = Some(topic);
                self.later(1, Event::Give(server, Input::Subscribed(id, Ok(()))));
            }
            Output::Closed(_) => self.servers[server].topic = None,
            Output::RunUpdate(ticket, input) => {
                let run = special_update(&input).unwrap_or_else(|| (self.on_update)(&input));
                self.later(0, Event::Give(server, Input::UpdateRan(ticket, run)));
            }
            Output::Changed(id, changes) if id == self.servers[server].record => {
                for change in changes {
                    self.mirror(server, change);
                }
            }
            Output::Changed(..) => {} // Of a record that no test looks at.
            Output::Done(ticket, outcome) => {
                self.servers[server].done.insert(ticket, outcome);
            }
        }
    }

    fn mirror(&mut self, server: usize, change: nexus_store::machine::FieldChange) {
        assert_ne!(change.old, change.new, "a change changes something");
        let mirror = &mut self.servers[server].mirror;
        let old = match change.new {
            Some(new) => mirror.insert(change.field, new),
            None => mirror.remove(&change.field),
        };
        assert_eq!(old, change.old, "changes are told in order and without holes");
    }

    fn later(&mut self, millis: u64, event: Event) {
        self.next_event += 1;
        self.events.insert((self.now + Duration::from_millis(millis), self.next_event), event);
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    fn publish(&mut self, server: usize, id: RecordId, topic: Arc<str>, body: Bytes) {
        if let Some(limit) = self.bus_limits.body {
            limit.check("body", &body).unwrap();
        }
        let failed = self.chance(self.faults.publish_failure);
        let result = if failed {
            let kind = if self.rng.bool() { ErrorKind::Unavailable } else { ErrorKind::Unknown };
            Err(Arc::new(Error::new(kind, "publish")))
        } else {
            Ok(())
        };
        self.later(20, Event::Give(server, Input::Published(id, result)));
        if failed {
            return;
        }
        self.messages.push(body.clone());
        for to in 0..self.servers.len() {
            let hears = self.servers[to].topic.as_ref() == Some(&topic);
            if !hears || self.chance(self.faults.bus_loss) {
                continue;
            }
            let copies = 1 + u32::from(self.chance(self.faults.bus_duplicate));
            for _ in 0..copies {
                let delay = self.rng.u64(10..400);
                let input = Input::Received(self.servers[to].record, body.clone());
                self.later(delay, Event::Give(to, input));
            }
        }
    }

    fn request(&mut self, server: usize, call: Call) {
        let (id, is_put) = match &call {
            Call::Get(id, _) => (*id, false),
            Call::Put(id, ..) => (*id, true),
        };
        let f = self.faults;
        let delay = self.rng.u64(5..200);
        if self.chance(f.unavailable) {
            return self.refuse(server, id, is_put, ErrorKind::Unavailable);
        }
        if self.chance(f.throttled) {
            let retry_after = Some(Duration::from_millis(700));
            return self.refuse(server, id, is_put, ErrorKind::Throttled { retry_after });
        }
        if self.chance(f.unknown_before) {
            return self.refuse(server, id, is_put, ErrorKind::Unknown);
        }
        if self.chance(f.unknown_after) {
            self.later(delay, Event::Store(server, call, false));
            return self.refuse(server, id, is_put, ErrorKind::Unknown);
        }
        if self.chance(f.unknown_late) {
            let delay = self.rng.u64(200..5_000);
            self.later(delay, Event::Store(server, call, false));
            return self.refuse(server, id, is_put, ErrorKind::Unknown);
        }
        self.later(delay, Event::Store(server, call, true));
    }

    fn refuse(&mut self, server: usize, id: RecordId, is_put: bool, kind: ErrorKind) {
        let error = Arc::new(Error::new(kind, "store"));
        let input = if is_put { Input::PutDone(id, Err(error)) } else { Input::Got(id, Err(error)) };
        self.later(250, Event::Give(server, input));
    }

    fn carry_out(&mut self, server: usize, call: Call, answered: bool) {
        let input = match call {
            Call::Get(id, key) => Input::Got(id, Ok(self.stored.get(&key).cloned())),
            Call::Put(id, key, record, precondition) => {
                let holds = match &precondition {
                    Precondition::Always => true,
                    Precondition::Absent => !self.stored.contains_key(&key),
                    Precondition::Is(v) => self.stored.get(&key).is_some_and(|stored| stored.version == *v),
                };
                let size = self
                    .store_limits
                    .value
                    .map_or(Ok(()), |limit| limit.check("value", record.value.as_bytes()));
                let result = match size {
                    Ok(()) if holds => Ok(self.commit(key, record)),
                    Ok(()) => Err(Error::new(ErrorKind::Conflict, "put")),
                    Err(too_large) => Err(too_large),
                };
                Input::PutDone(id, result.map_err(Arc::new))
            }
        };
        if answered {
            let delay = self.rng.u64(5..100);
            self.later(delay, Event::Give(server, input));
        }
    }

    fn commit(&mut self, key: RecordKey, record: Record) -> Version {
        if let Some(limit) = self.store_limits.metadata {
            limit.check("metadata", record.metadata.as_bytes()).unwrap();
        }
        self.versions += 1;
        let version = Version::new(self.versions.to_string());
        let stored = Stored { record, version: version.clone(), modified: START };
        self.stored.insert(key, stored);
        version
    }
}
