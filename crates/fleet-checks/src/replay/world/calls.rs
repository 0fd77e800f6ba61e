//! The calls to save data.

use std::sync::Arc;

use nexus_store::{Change, LoadState};
use serde_json::Value;

use super::super::functions::Function;
use super::super::recording::Call;
use super::super::saves::{Asked, Engine, Saves};
use super::{Manner, World};

/// Where the original keeps players' data, and under which key with the user's id behind it.
const PLAYERS: (&str, &str) = ("PlayerDataStore_PlayerData", "PlayerList$");

/// What a call came to at once.
type Came = Result<Option<Value>, ()>;

impl World<'_> {
    pub(super) fn run_save_call(&mut self, index: usize, call: &Call, number: usize) {
        let now = self.instant();
        let manner = self.manner;
        if call.call == "Open" {
            self.forget_disconnected(index, call);
        }
        let server = &self.scenario.servers[index];
        let Some(saves) = self.servers[index].as_mut().map(|server| &mut server.saves) else { return };
        let came = match call.call.as_str() {
            "Open" => {
                let (store, key) = (call.text(0).unwrap_or_default(), call.text(1).unwrap_or_default());
                saves.open(now, server, store, key).map(|()| None).map_err(|_| ())
            }
            "RemoveFromCache" => {
                remove_from_cache(saves, now, call);
                Ok(None)
            }
            "FlushAll" => {
                saves.flush_all(now);
                Ok(None)
            }
            "Close" => {
                close(saves, now, manner, number);
                Ok(None)
            }
            _ => match saves.find(call.save.as_ref()) {
                Some(at) => call_save(saves, now, at, call, number),
                None => Err(()),
            },
        };
        match came {
            Ok(Some(value)) => drop(self.observed.values.insert(number, value)),
            Ok(None) => {}
            Err(()) => drop(self.observed.failed_calls.insert(number)),
        }
    }
}

impl World<'_> {
    /// Lets go of a save that is to be opened anew.
    fn forget_disconnected(&mut self, index: usize, call: &Call) {
        let now = self.instant();
        let name = (call.text(0).unwrap_or_default().to_owned(), call.text(1).unwrap_or_default().to_owned());
        let Some(saves) = self.servers[index].as_mut().map(|server| &mut server.saves) else { return };
        if let Some(at) = saves.find(Some(&name)).filter(|&at| !saves.slots[at].is_open) {
            saves.release(now, at);
            self.poll_saves(index);
        }
    }
}

fn close(saves: &mut Saves, now: transport_traits::Instant, manner: Manner, number: usize) {
    match &mut saves.engine {
        Engine::Default(machine) if manner == Manner::Default => {
            let ticket = machine.shut_down(now);
            saves.asked.insert(ticket, Asked::Close(number));
            saves.slots.iter_mut().for_each(|slot| slot.is_open = false);
        }
        // The original only flushes.
        _ => saves.flush_all(now),
    }
}

/// By store and key, or by the id of a user.
fn remove_from_cache(saves: &mut Saves, now: transport_traits::Instant, call: &Call) {
    let of = match call.args.first() {
        Some(Value::Number(id)) => (PLAYERS.0.to_owned(), format!("{}{id}", PLAYERS.1)),
        _ => (call.text(0).unwrap_or_default().to_owned(), call.text(1).unwrap_or_default().to_owned()),
    };
    if let Some(at) = saves.find(Some(&of)) {
        saves.disconnect(now, at); // What becomes of its flush is told to nobody.
    }
}

fn call_save(
    saves: &mut Saves,
    now: transport_traits::Instant,
    at: usize,
    call: &Call,
    number: usize,
) -> Came {
    let slot = &mut saves.slots[at];
    let (id, field) = (slot.id, call.text(0).unwrap_or_default());
    let argument = call.args.get(1).cloned().unwrap_or_default();
    match call.call.as_str() {
        "Get" => Ok(Some(slot.view.get(field).map_or(Value::Null, |value| Value::clone(&value)))),
        "ListKeys" => {
            let fields = slot.view.snapshot();
            Ok(Some(fields.keys().map(|field| Value::from(&**field)).collect()))
        }
        "DataLoadedSuccessfully" => {
            Ok(Some(Value::Bool(matches!(slot.view.load_state(), LoadState::Loaded))))
        }
        "OnUpdate" => {
            *slot.listeners.entry(field.to_owned()).or_default() += 1;
            Ok(None)
        }
        "Set" => write(saves, now, at, field, set(argument)),
        "SetSameTable" => {
            let held = slot.view.get(field).map_or(Value::Null, |value| Value::clone(&value));
            write(saves, now, at, field, set(held))
        }
        "Increment" => match argument {
            Value::Number(by) => write(saves, now, at, field, Change::Increment(by)),
            _ => Err(()),
        },
        "Flush" => {
            let ticket = saves.flush(now, id);
            saves.asked.insert(ticket, Asked::Flush(number));
            Ok(None)
        }
        "Disconnect" => {
            let ticket = saves.disconnect(now, at);
            saves.asked.insert(ticket, Asked::Flush(number));
            Ok(None)
        }
        "Update" => {
            let function = Function::of(call).ok_or(())?;
            let keys: Vec<&str> = function.keys.iter().map(String::as_str).collect();
            let ticket = saves.update(id, &keys);
            saves.asked.insert(ticket, Asked::Update(number, function));
            Ok(None)
        }
        name => {
            switch(saves, id, name, call.args.first() == Some(&Value::Bool(true)));
            Ok(None)
        }
    }
}

/// What the strict profile alone can be told.
fn switch(saves: &mut Saves, id: nexus_store::machine::RecordId, name: &str, on: bool) {
    let Engine::Strict(machine) = &mut saves.engine else { return };
    match name {
        "SetSendDataChangeUpdates" => machine.send_changes(id, on),
        "SetAllowOverwriteOfFailedLoad" => machine.allow_overwrite(id, on),
        _ => {}
    }
}

fn set(value: Value) -> Change {
    if value.is_null() { Change::Remove } else { Change::Set(Arc::new(value)) }
}

fn write(saves: &mut Saves, now: transport_traits::Instant, at: usize, field: &str, change: Change) -> Came {
    let id = saves.slots[at].id;
    saves.write(now, id, field, change).map(|()| None).map_err(|_| ())
}
