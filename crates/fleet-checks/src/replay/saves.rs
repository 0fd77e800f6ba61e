//! The save data of one server: a machine of either kind, and the saves that calls refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use nexus_store::machine::{Input, Machine, Output, RecordId, Scope, Ticket, original};
use nexus_store::{Change, Config, OpenError, View, WriteError};
use serde_json::{Map, Value};
use transport_traits::{BusLimits, Instant, RecordKey, StoreLimits, WallTime};

use super::functions::Function;
use super::recording::{Server, Setup};
use super::world::Manner;

/// 2026-01-01.
const START: WallTime = WallTime::from_micros(1_767_225_600_000_000);

pub(crate) enum Engine {
    Strict(Box<original::Machine>),
    Default(Box<Machine>),
}

/// A save that a server opened.
pub(crate) struct Slot {
    /// `store/key`.
    pub(crate) label: String,
    pub(crate) key: RecordKey,
    pub(crate) id: RecordId,
    pub(crate) view: Arc<View>,
    pub(crate) is_open: bool,
    /// Listeners of each key.
    pub(crate) listeners: BTreeMap<String, usize>,
    /// How often it was opened before.
    reopened: usize,
}

/// What a ticket answers.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// A flush whose error the call throws.
    Flush(usize),
    Update(usize, Function),
    /// The end of a server.
    Close(usize),
}

pub(crate) struct Saves {
    pub(crate) engine: Engine,
    /// In the order in which they were opened first.
    pub(crate) slots: Vec<Slot>,
    pub(crate) asked: BTreeMap<Ticket, Asked>,
    /// Who listens to which inner topic.
    pub(crate) topics: Vec<(String, RecordId)>,
}

impl Saves {
    pub(crate) fn new(manner: Manner, setup: &Setup, index: usize, bus: &BusLimits, now: Instant) -> Self {
        let wall = START + now.since(Instant::ZERO);
        let (seed, store) = (Some(index as u64), StoreLimits::default());
        let engine = match manner {
            Manner::Strict => {
                let config = Config {
                    flush_delay: setup.autosave.duration(),
                    publish_interval: setup.buffer.duration(),
                    seed,
                    ..Config::strict_nexus()
                };
                // What is not limited is not split either: as recorded.
                let machine = original::Machine::new(config, store, BusLimits::default(), now, wall);
                Engine::Strict(Box::new(machine))
            }
            Manner::Default => {
                let config = Config { writer: Some(1 + index as u64), seed, ..Config::default() };
                Engine::Default(Box::new(Machine::new(config, store, bus.clone(), now, wall)))
            }
        };
        Self { engine, slots: Vec::new(), asked: BTreeMap::new(), topics: Vec::new() }
    }

    /// The place of the save that a call is about.
    pub(crate) fn find(&self, save: Option<&(String, String)>) -> Option<usize> {
        match save {
            Some((store, key)) => self.slots.iter().position(|slot| is_named(&slot.key, store, key)),
            None => (!self.slots.is_empty()).then_some(0),
        }
    }

    /// Opens a save, or opens it again after it was removed.
    pub(crate) fn open(
        &mut self,
        now: Instant,
        server: &Server,
        store: &str,
        key: &str,
    ) -> Result<(), OpenError> {
        let found = self.slots.iter().position(|slot| is_named(&slot.key, store, key));
        if found.is_some_and(|at| self.slots[at].is_open) {
            return Ok(());
        }
        let label = format!("{store}/{key}");
        let reopened = found.map_or(0, |at| self.slots[at].reopened + 1);
        let sync_id = sync_id(server, &label, reopened);
        let key = RecordKey::new(store, key);
        let (id, view, _) = match &mut self.engine {
            Engine::Strict(machine) => match sync_id {
                Some(sync_id) => machine.open_as(now, key.clone(), sync_id)?,
                None => machine.open(now, key.clone())?,
            },
            Engine::Default(machine) => machine.open(now, key.clone())?,
        };
        let listeners = BTreeMap::new();
        let slot = Slot { label, key, id, view, is_open: true, listeners, reopened };
        match found {
            Some(at) => self.slots[at] = slot,
            None => self.slots.push(slot),
        }
        Ok(())
    }

    /// Flushes a save and hears nothing more of it. The original leaves it usable; the default profile gives it back.
    pub(crate) fn disconnect(&mut self, now: Instant, at: usize) -> Ticket {
        let slot = &mut self.slots[at];
        slot.listeners.clear();
        let (id, was_open) = (slot.id, std::mem::take(&mut slot.is_open));
        match &mut self.engine {
            Engine::Strict(machine) => machine.disconnect(id),
            Engine::Default(machine) => {
                let ticket = machine.flush(now, id);
                if was_open {
                    machine.handle(now, Input::Release(id));
                }
                ticket
            }
        }
    }

    /// Strict: gives a save back that is disconnected.
    pub(crate) fn release(&mut self, now: Instant, at: usize) {
        let id = self.slots[at].id;
        if matches!(self.engine, Engine::Strict(_)) {
            self.handle(now, Input::Release(id));
        }
    }

    pub(crate) fn write(
        &mut self,
        now: Instant,
        id: RecordId,
        field: &str,
        change: Change,
    ) -> Result<(), WriteError> {
        match &mut self.engine {
            Engine::Strict(machine) => machine.write(now, id, field, change),
            Engine::Default(machine) => machine.write(now, id, field, change),
        }
    }

    pub(crate) fn flush(&mut self, now: Instant, id: RecordId) -> Ticket {
        match &mut self.engine {
            Engine::Strict(machine) => machine.flush(id),
            Engine::Default(machine) => machine.flush(now, id),
        }
    }

    pub(crate) fn flush_all(&mut self, now: Instant) {
        match &mut self.engine {
            Engine::Strict(machine) => drop(machine.flush_all()),
            Engine::Default(machine) => drop(machine.flush_all(now)),
        }
    }

    pub(crate) fn update(&mut self, id: RecordId, keys: &[&str]) -> Ticket {
        match &mut self.engine {
            Engine::Strict(machine) => machine.update(id, Scope::Fields(keys)),
            Engine::Default(machine) => machine.update(id, Scope::Fields(keys)),
        }
    }

    pub(crate) fn handle(&mut self, now: Instant, input: Input) {
        match &mut self.engine {
            Engine::Strict(machine) => machine.handle(now, input),
            Engine::Default(machine) => machine.handle(now, input),
        }
    }

    pub(crate) fn poll(&mut self, now: Instant) -> Option<Output> {
        match &mut self.engine {
            Engine::Strict(machine) => machine.poll(now),
            Engine::Default(machine) => machine.poll(now),
        }
    }

    /// Whether the read that was just asked for begins a write.
    pub(crate) fn is_flushing(&self, id: RecordId) -> bool {
        matches!(&self.engine, Engine::Strict(machine) if machine.is_flushing(id))
    }

    /// What is held in memory, by label.
    pub(crate) fn caches(&self) -> Value {
        let value = |slot: &Slot| {
            let fields = slot.view.snapshot();
            fields.iter().map(|(field, value)| (field.to_string(), (**value).clone())).collect()
        };
        let cache = |slot: &Slot| (slot.label.clone(), Value::Object(value(slot)));
        Value::Object(self.slots.iter().map(cache).collect::<Map<_, _>>())
    }
}

fn is_named(of: &RecordKey, store: &str, key: &str) -> bool {
    (&*of.store, &*of.key) == (store, key)
}

fn sync_id(server: &Server, label: &str, reopened: usize) -> Option<Arc<str>> {
    let given = server.sync_ids.get(label)?;
    let one = given.as_array().map_or(Some(given), |all| all.get(reopened));
    one.and_then(Value::as_str).map(Arc::from)
}
