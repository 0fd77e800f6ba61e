//! What the machines of save data want: the store, the bus, answers to calls.

use std::sync::Arc;

use bytes::Bytes;
use nexus_store::FlushError;
use nexus_store::machine::{FieldChange, Input, Outcome, Output, RecordId, UpdateOutcome, UpdateRun};
use serde_json::Value;
use transport_traits::{Error, ErrorKind, Instant, Outgoing, Precondition, Record, RecordKey};

use super::super::recording::STEPS_A_SECOND;
use super::super::saves::Asked;
use super::{CallFate, Event, Fired, Manner, Shown, World};

/// A request to the store that takes its time.
pub(super) enum Request {
    Get(RecordId, RecordKey),
    Put(RecordId, RecordKey, Record, Precondition),
}

impl World<'_> {
    /// Now, to the machines of save data.
    pub(super) fn instant(&self) -> Instant {
        Instant::from_micros(self.step * 1_000_000 / STEPS_A_SECOND)
    }

    /// Does everything that a machine of save data wants now. While calls run no timer does.
    pub(super) fn poll_saves(&mut self, index: usize) {
        let mut now = self.instant();
        if !self.timed {
            now = Instant::from_micros(now.since(Instant::ZERO).as_micros().saturating_sub(1) as u64);
        }
        loop {
            let Some(server) = self.servers[index].as_mut() else { return };
            let Some(output) = server.saves.poll(now) else { return };
            self.save_output(index, output);
        }
    }

    pub(super) fn tell_saves(&mut self, index: usize, input: Input) {
        let now = self.instant();
        if let Some(server) = &mut self.servers[index] {
            server.saves.handle(now, input);
        }
    }

    fn save_output(&mut self, index: usize, output: Output) {
        match output {
            Output::Get(id, key) => self.ask_to_read(index, id, key),
            Output::Put(id, key, record, precondition) => {
                let latency = self.scenario.setup.store_latency.step();
                self.request(index, latency, Request::Put(id, key, record, precondition));
            }
            Output::Publish(id, message) => self.publish_of_saves(index, id, message),
            Output::Subscribe(id, topic) => self.subscribe(index, id, &topic),
            Output::Closed(id) => {
                if let Some(server) = &mut self.servers[index] {
                    server.saves.topics.retain(|(_, listener)| *listener != id);
                }
            }
            Output::RunUpdate(ticket, values) => {
                let asked = self.servers[index].as_ref().and_then(|server| server.saves.asked.get(&ticket));
                let run = match asked {
                    Some(Asked::Update(_, function)) => function.run(&values),
                    _ => UpdateRun::Aborted,
                };
                self.tell_saves(index, Input::UpdateRan(ticket, run));
            }
            Output::Changed(id, changes) => self.changed(index, id, changes),
            Output::Done(ticket, outcome) => {
                let asked =
                    self.servers[index].as_mut().and_then(|server| server.saves.asked.remove(&ticket));
                asked.into_iter().for_each(|asked| self.answered(asked, &outcome));
            }
        }
    }

    /// One update of the original is a read and a write of ours, which take its time together.
    fn ask_to_read(&mut self, index: usize, id: RecordId, key: RecordKey) {
        let flushes = self.servers[index].as_ref().is_some_and(|server| server.saves.is_flushing(id));
        if !flushes {
            let latency = self.scenario.setup.store_latency.step();
            return self.request(index, latency, Request::Get(id, key));
        }
        let server = self.scenario.servers[index].id.clone();
        let read = self.store.begin_update(&server, &key).map(|()| self.store.read(&key));
        self.tell_saves(index, Input::Got(id, read.map_err(error)));
    }

    fn request(&mut self, index: usize, latency: u64, request: Request) {
        if latency == 0 {
            self.carry_out(index, request);
        } else {
            self.at(latency, Event::Stored { server: index, request });
        }
    }

    pub(super) fn carry_out(&mut self, index: usize, request: Request) {
        if self.servers[index].is_none() {
            return; // It crashed before the store had it.
        }
        let server = self.scenario.servers[index].id.clone();
        let input = match request {
            Request::Get(id, key) => Input::Got(id, self.store.get(&server, &key).map_err(error)),
            Request::Put(id, key, record, precondition) => {
                let begun = match self.manner {
                    Manner::Strict => Ok(()),
                    Manner::Default => self.store.begin_update(&server, &key),
                };
                let put = begun.and_then(|()| self.store.put(&server, key, record, &precondition));
                Input::PutDone(id, put.map_err(error))
            }
        };
        self.tell_saves(index, input);
    }

    fn publish_of_saves(&mut self, index: usize, id: RecordId, message: Outgoing) {
        let now = self.now(index);
        let Some(server) = &mut self.servers[index] else { return };
        let pushed = server.machine.push(now, message, None);
        let result = pushed.map_err(|_| error(ErrorKind::Invalid));
        self.tell_saves(index, Input::Published(id, result));
    }

    fn subscribe(&mut self, index: usize, id: RecordId, topic: &str) {
        let now = self.now(index);
        if let Some(server) = &mut self.servers[index] {
            server.saves.topics.push((topic.to_owned(), id));
            server.machine.handle(now, bulk_messaging::machine::Input::Watch(topic.into()));
        }
        self.tell_saves(index, Input::Subscribed(id, Ok(())));
    }

    /// Hands a message to the saves that listen to its topic.
    pub(super) fn deliver_to_saves(&mut self, index: usize, topic: &str, body: &Bytes) {
        let listeners = self.servers[index].iter().flat_map(|server| &server.saves.topics);
        let ids: Vec<RecordId> = listeners.filter(|(of, _)| of == topic).map(|(_, id)| *id).collect();
        for id in ids {
            self.tell_saves(index, Input::Received(id, body.clone()));
            self.poll_saves(index);
        }
    }

    pub(super) fn gap_in_saves(&mut self, index: usize) {
        let listeners = self.servers[index].iter().flat_map(|server| &server.saves.topics);
        let ids: Vec<RecordId> = listeners.map(|(_, id)| *id).collect();
        ids.into_iter().for_each(|id| self.tell_saves(index, Input::Gap(id)));
    }

    fn changed(&mut self, index: usize, id: RecordId, changes: Vec<FieldChange>) {
        let at = self.step;
        let server = &self.scenario.servers[index].id;
        let slots = self.servers[index].iter().flat_map(|server| &server.saves.slots);
        let Some(slot) = slots.into_iter().find(|slot| slot.id == id) else { return };
        let value = |of: Option<Arc<Value>>| of.map_or(Value::Null, Arc::unwrap_or_clone);
        for FieldChange { field, old, new } in changes {
            let (old, new) = (value(old), value(new));
            let fired = Fired {
                at,
                server: server.clone(),
                save: slot.label.clone(),
                key: field.to_string(),
                value: new.clone(),
            };
            for _ in 0..slot.listeners.get(&*field).copied().unwrap_or(0) {
                self.observed.firings.push(fired.clone());
            }
            self.observed.shown.push(Shown { fired, old });
        }
    }

    fn answered(&mut self, asked: Asked, outcome: &Outcome) {
        let failed = match (&asked, outcome) {
            // The original only warns that it does not save what was not loaded.
            (Asked::Flush(_), Outcome::Flushed(Ok(()) | Err(FlushError::NotLoaded))) => false,
            (Asked::Update(..), Outcome::Updated(UpdateOutcome::NotLoaded)) => false,
            (Asked::Update(..), Outcome::Updated(UpdateOutcome::Committed(_) | UpdateOutcome::Unchanged)) => {
                false
            }
            (Asked::Close(_), _) => false,
            _ => true,
        };
        let (Asked::Flush(call) | Asked::Update(call, _) | Asked::Close(call)) = asked;
        if failed {
            self.observed.failed_calls.insert(call);
        }
        let fate = match outcome {
            Outcome::Updated(UpdateOutcome::Committed(_) | UpdateOutcome::Unchanged) => CallFate::Durable,
            Outcome::Updated(UpdateOutcome::Unknown(_)) => CallFate::Unknown,
            Outcome::ShutDown(report) if report.unsaved.is_empty() => CallFate::Durable,
            Outcome::Flushed(Ok(())) => CallFate::Durable,
            _ => CallFate::Never,
        };
        self.observed.fates.insert(call, fate);
    }
}

fn error(kind: ErrorKind) -> Arc<Error> {
    Arc::new(Error::new(kind, "an injected fault"))
}
