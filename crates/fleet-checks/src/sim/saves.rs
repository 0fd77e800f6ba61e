//! The save data of a simulated server, and what somebody sees of it who knows nothing but its changes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleet_sim::Now;
use nexus_store::Object;
use nexus_store::machine::{
    FieldChange, Input, Machine, Outcome, Output, RecordId, Scope, Ticket, UpdateInput, UpdateRun,
};
use transport_traits::{Error, Instant, Outgoing, Precondition, Record, RecordKey, Stored, Topic, Version};

use super::updates;
use super::{Planted, forge};

/// How often save data looks into the store if that is the bug.
const POLL: Duration = Duration::from_secs(15);

/// The machine of a server's save data, and its records as their changes tell them.
#[derive(Debug)]
pub struct Saves {
    machine: Machine,
    keys: BTreeMap<RecordKey, RecordId>,
    topics: BTreeMap<Topic, RecordId>,
    seen: BTreeMap<RecordId, Object>,
    /// The answers that nobody has taken yet.
    pub answers: VecDeque<(Ticket, Outcome)>,
    wakeup: Option<Instant>,
    planted: Option<Planted>,
    /// How often the function of each update ran.
    runs: BTreeMap<Ticket, u32>,
    is_shut: bool,
    /// When the bug that polls looks next.
    look: Option<Instant>,
}

/// What save data wants done.
pub(super) enum Wish {
    Get(RecordId, RecordKey),
    Put(RecordId, RecordKey, Record, Precondition),
    Publish(RecordId, Outgoing),
    Watch(Topic),
    Unwatch(Topic),
    Nothing,
}

impl Saves {
    /// Save data with these records open.
    ///
    /// # Panics
    /// If a record's name cannot be used.
    #[must_use]
    pub fn new(mut machine: Machine, keys: &[RecordKey], now: Now, planted: Option<Planted>) -> Self {
        let mut open = |key: &RecordKey| {
            let (id, ..) = machine.open(now.instant, key.clone()).expect("the store takes the record's name");
            (key.clone(), id)
        };
        let keys: BTreeMap<_, _> = keys.iter().map(&mut open).collect();
        let seen = keys.values().map(|&id| (id, Object::new())).collect();
        let (topics, answers) = (BTreeMap::new(), VecDeque::new());
        let look = (planted == Some(Planted::PollingSaves)).then_some(now.instant + POLL);
        let (runs, is_shut) = (BTreeMap::new(), false);
        Self { machine, keys, topics, seen, answers, wakeup: Some(now.instant), planted, runs, is_shut, look }
    }

    /// The machine itself, to ask it.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine itself, to call it. It is polled afterwards.
    pub const fn call(&mut self, now: Now) -> &mut Machine {
        self.wakeup = Some(now.instant);
        &mut self.machine
    }

    /// An open record.
    ///
    /// # Panics
    /// If it is not open.
    #[must_use]
    pub fn id(&self, key: &RecordKey) -> RecordId {
        self.keys[key]
    }

    /// What a record shows.
    ///
    /// # Panics
    /// If it is not open.
    #[must_use]
    pub fn seen(&self, key: &RecordKey) -> &Object {
        &self.seen[&self.id(key)]
    }

    /// Asks for everything accepted on a record to become durable.
    ///
    /// # Panics
    /// If it is not open.
    pub fn flush(&mut self, now: Now, key: &RecordKey) -> Ticket {
        let id = self.id(key);
        let ticket = self.call(now).flush(now.instant, id);
        if self.planted == Some(Planted::DurableAtOnce) {
            self.answers.push_back((ticket, Outcome::Flushed(Ok(()))));
        }
        ticket
    }

    /// Asks for an update that moves a coin from `gold` to `silver`, and counts in a field of its writer.
    ///
    /// # Panics
    /// If the record is not open.
    pub fn transfer(&mut self, now: Now, key: &RecordKey) -> Ticket {
        let (id, mine) = (self.id(key), updates::own(self.machine.writer()));
        self.call(now).update(id, Scope::Fields(&[updates::GOLD, updates::SILVER, &mine]))
    }

    /// Saves everything and ends.
    pub(super) fn shut_down(&mut self, now: Now) {
        self.call(now).shut_down(now.instant);
    }

    /// Whether a shutdown is over.
    pub(super) const fn is_shut(&self) -> bool {
        self.is_shut
    }

    pub(super) fn handle(&mut self, now: Now, input: Input) {
        self.call(now).handle(now.instant, input);
    }

    /// Takes a message, if it is for a record.
    pub(super) fn receive(&mut self, now: Now, topic: &Topic, body: &Bytes) {
        let Some(&id) = self.topics.get(topic) else { return };
        let body = match self.planted {
            Some(Planted::DeafSaves | Planted::PollingSaves) => return,
            Some(Planted::AdoptsWithHoles) => forge::without_predecessors(body),
            _ => body.clone(),
        };
        self.handle(now, Input::Received(id, body));
    }

    pub(super) fn gap(&mut self, now: Now) {
        if !matches!(self.planted, Some(Planted::DeafSaves | Planted::PollingSaves)) {
            self.look(now);
        }
    }

    fn look(&mut self, now: Now) {
        for id in self.topics.clone().into_values() {
            self.handle(now, Input::Gap(id));
        }
    }

    pub(super) fn got(&mut self, now: Now, id: RecordId, result: Result<Option<Stored>, Error>) {
        let mut result = result.map_err(Arc::new);
        if let (Some(Planted::SkipsAppliedIds), Ok(Some(stored))) = (self.planted, &mut result) {
            let forged = forge::without_writers(&stored.record.metadata);
            stored.record = stored.record.clone().with_metadata(forged);
        }
        self.handle(now, Input::Got(id, result));
    }

    pub(super) fn put(&mut self, now: Now, id: RecordId, result: Result<Version, Error>) {
        self.handle(now, Input::PutDone(id, result.map_err(Arc::new)));
    }

    pub(super) fn poll(&mut self, now: Now) -> Option<Wish> {
        if self.look.is_some_and(|at| at <= now.instant) {
            self.look = Some(now.instant + POLL);
            self.look(now);
        }
        if self.wakeup.is_none_or(|at| at > now.instant) {
            return None;
        }
        self.machine.handle(now.instant, Input::WallClock(now.wall));
        let Some(output) = self.machine.poll(now.instant) else {
            self.wakeup = self.machine.next_wakeup(now.instant);
            return None;
        };
        Some(self.take(now, output))
    }

    pub(super) fn next_wakeup(&self) -> Option<Instant> {
        self.wakeup.into_iter().chain(self.look).min()
    }

    fn take(&mut self, now: Now, output: Output) -> Wish {
        match output {
            Output::Get(id, key) => return Wish::Get(id, key),
            Output::Put(id, key, record, precondition) => return Wish::Put(id, key, record, precondition),
            Output::Publish(id, message) => return Wish::Publish(id, message),
            Output::Subscribe(id, topic) => {
                self.topics.insert(topic.clone(), id);
                self.machine.handle(now.instant, Input::Subscribed(id, Ok(())));
                return Wish::Watch(topic);
            }
            Output::Closed(id) => {
                let topic = self.topics.iter().find(|(_, of)| **of == id).map(|(topic, _)| topic.clone());
                return topic.map_or(Wish::Nothing, |topic| {
                    self.topics.remove(&topic);
                    Wish::Unwatch(topic)
                });
            }
            Output::Changed(id, changes) => changes.into_iter().for_each(|change| self.show(id, change)),
            Output::Done(ticket, outcome) => self.done(ticket, outcome),
            Output::RunUpdate(ticket, input) => self.run(now, ticket, &input),
        }
        Wish::Nothing
    }

    fn done(&mut self, ticket: Ticket, outcome: Outcome) {
        self.is_shut |= matches!(outcome, Outcome::ShutDown(_));
        self.runs.remove(&ticket);
        self.answers.push_back((ticket, outcome));
    }

    fn run(&mut self, now: Now, ticket: Ticket, input: &UpdateInput) {
        let runs = self.runs.entry(ticket).or_default();
        *runs += 1;
        let mut changes = updates::transfer(input, self.machine.writer());
        if *runs > 1 && self.planted == Some(Planted::HalvesRepeatedUpdates) {
            changes.fields.truncate(1);
        }
        self.handle(now, Input::UpdateRan(ticket, UpdateRun::Changes(changes)));
    }

    /// Changes must make sense to somebody who knows nothing but changes.
    fn show(&mut self, id: RecordId, change: FieldChange) {
        assert_ne!(change.old, change.new, "a change changes something");
        let seen = self.seen.entry(id).or_default();
        let old = match change.new {
            Some(new) => seen.insert(change.field, new),
            None => seen.remove(&change.field),
        };
        assert_eq!(old, change.old, "changes are told in order and without holes");
    }
}
