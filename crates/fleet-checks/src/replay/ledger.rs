//! Which values a field may have in the end, from what calls did to it and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::functions::{Function, add, operate};
use super::judge::is_alive;
use super::recording::{Call, STEPS_A_SECOND, Scenario};
use super::value::same;
use super::world::{CallFate, Observed};

/// So long after a write every server has heard of it, if nothing goes wrong.
const HEARD_AFTER: u64 = 5 * STEPS_A_SECOND;

/// More operations without a known fate give more cases than are worth trying.
const MOST_DOUBTFUL: usize = 12;

/// A store, a key and a field.
pub(crate) type Place = (String, String, String);

/// What a call does to a field.
#[derive(Clone, Debug)]
enum Act {
    Set(Value),
    Add(Value),
    /// An operation of an update's function.
    Operate(Value),
}

/// One act, where and when.
#[derive(Clone, Debug)]
struct Entry {
    step: u64,
    server: String,
    act: Act,
    /// It counts in any case. Otherwise once or never.
    sure: bool,
}

/// Everything that calls did, but for what surely had no effect.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<Place, Vec<Entry>>,
}

impl Ledger {
    pub(crate) fn of(scenario: &Scenario, observed: &Observed) -> Self {
        let mut ledger = Self::default();
        let mut order: Vec<usize> = (0..scenario.calls.len()).collect();
        order.sort_by_key(|&at| scenario.calls[at].at.step());
        let mut first: BTreeMap<&str, (String, String)> = BTreeMap::new();
        for at in order {
            let call = &scenario.calls[at];
            if call.call == "Open" && is_alive(scenario, &call.server, call) {
                let of = (call.text(0).unwrap_or_default(), call.text(1).unwrap_or_default());
                first.entry(&call.server).or_insert((of.0.to_owned(), of.1.to_owned()));
            }
            let save = call.save.clone().or_else(|| first.get(call.server.as_str()).cloned());
            if let Some((store, key)) = save {
                ledger.note(scenario, observed, at, (&store, &key));
            }
        }
        ledger
    }

    fn note(&mut self, scenario: &Scenario, observed: &Observed, at: usize, (store, key): (&str, &str)) {
        let call = &scenario.calls[at];
        let acts = acts(call);
        let Some(sure) = is_sure(scenario, observed, at) else {
            // It still names fields, which must stay as they are.
            for (field, _) in acts {
                self.entries.entry((store.to_owned(), key.to_owned(), field)).or_default();
            }
            return;
        };
        for (field, act) in acts {
            let entry = Entry { step: call.at.step(), server: call.server.clone(), act, sure };
            self.entries.entry((store.to_owned(), key.to_owned(), field)).or_default().push(entry);
        }
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.entries.keys()
    }

    /// The values that a field may have in the end; `None` if that cannot be told. `calm` says that nothing was lost
    /// or late.
    pub(crate) fn possible(&self, place: &Place, before: &Value, calm: bool) -> Option<Vec<Value>> {
        let entries = self.entries.get(place)?;
        let servers: BTreeSet<&str> = entries.iter().map(|entry| entry.server.as_str()).collect();
        if servers.len() <= 1 || is_sequential(entries, calm) || entries.iter().all(Entry::adds) {
            return one_after_another(entries, before);
        }
        let all_set = entries.iter().all(|entry| matches!(entry.act, Act::Set(_)));
        all_set.then(|| last_sets(entries, before, calm))
    }

    /// Which server alone writes to a record.
    pub(crate) fn only_writer(&self, store: &str, key: &str) -> Option<&str> {
        let of = self.entries.iter().filter(|((a, b, _), _)| (a.as_str(), b.as_str()) == (store, key));
        let servers: BTreeSet<&str> =
            of.flat_map(|(_, entries)| entries).map(|entry| entry.server.as_str()).collect();
        (servers.len() == 1).then(|| servers.first().copied()).flatten()
    }
}

impl Entry {
    fn adds(&self) -> bool {
        match &self.act {
            Act::Add(_) => true,
            Act::Operate(operation) => operation["op"] == "add",
            Act::Set(_) => false,
        }
    }

    fn apply(&self, held: &Value) -> Value {
        let some = (!held.is_null()).then_some(held);
        match &self.act {
            Act::Set(value) => value.clone(),
            Act::Add(by) => add(some, by).unwrap_or_else(|()| held.clone()),
            Act::Operate(operation) => {
                operate(operation, some).map_or_else(|()| held.clone(), Option::unwrap_or_default)
            }
        }
    }
}

fn acts(call: &Call) -> Vec<(String, Act)> {
    let field = call.text(0).unwrap_or_default().to_owned();
    let argument = call.args.get(1).cloned().unwrap_or_default();
    match call.call.as_str() {
        "Set" => vec![(field, Act::Set(argument))],
        "SetSameTable" => vec![(field, Act::Operate(serde_json::json!({ "op": "keep" })))],
        "Increment" => vec![(field, Act::Add(argument))],
        "Update" => {
            let Some(function) = Function::of(call) else { return Vec::new() };
            // Of a key that is named twice the last result counts.
            let of: BTreeMap<String, Value> = function.keys.into_iter().zip(function.operations).collect();
            of.into_iter().map(|(key, operation)| (key, Act::Operate(operation))).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether what a call did counts in any case; `None`: in no case.
fn is_sure(scenario: &Scenario, observed: &Observed, at: usize) -> Option<bool> {
    let (call, number) = (&scenario.calls[at], at + 1);
    if !is_alive(scenario, &call.server, call) && !crashes_later_in_this_step(scenario, at) {
        return None;
    }
    if call.call == "Update" {
        return match observed.fates.get(&number) {
            Some(CallFate::Durable) => Some(true),
            Some(CallFate::Never) => None,
            Some(CallFate::Unknown) | None => Some(false),
        };
    }
    if observed.failed_calls.contains(&number) {
        return None;
    }
    let later = |other: &str| {
        let after = |&(place, of): &(usize, &Call)| (of.at.step(), place) > (call.at.step(), at);
        let calls = scenario.calls.iter().enumerate();
        calls
            .filter(move |(_, of)| of.call == other && of.server == call.server)
            .find(after)
            .map(|(at, _)| at)
    };
    let saved = later("Close").is_some_and(|at| observed.fates.get(&(at + 1)) == Some(&CallFate::Durable));
    Some(saved || later("Crash").is_none())
}

fn crashes_later_in_this_step(scenario: &Scenario, at: usize) -> bool {
    let call = &scenario.calls[at];
    let same_step = |of: &&Call| of.server == call.server && of.at.step() == call.at.step();
    let crashed =
        |of: &&Call| of.server == call.server && of.call == "Crash" && of.at.step() < call.at.step();
    scenario.calls[at + 1..].iter().filter(same_step).any(|of| of.call == "Crash")
        && !scenario.calls.iter().any(|of| crashed(&of))
        && scenario.servers.iter().any(|of| of.id == call.server && of.start.step() <= call.at.step())
}

/// Whether every write was heard of before the next one.
fn is_sequential(entries: &[Entry], calm: bool) -> bool {
    calm && entries
        .windows(2)
        .all(|pair| pair[0].server == pair[1].server || pair[1].step >= pair[0].step + HEARD_AFTER)
}

/// All results of one act after another, with the doubtful ones and without.
fn one_after_another(entries: &[Entry], before: &Value) -> Option<Vec<Value>> {
    if entries.iter().filter(|entry| !entry.sure).count() > MOST_DOUBTFUL {
        return None;
    }
    let mut states = vec![before.clone()];
    for entry in entries {
        let after: Vec<Value> = states.iter().map(|held| entry.apply(held)).collect();
        let kept = if entry.sure { Vec::new() } else { states };
        states = kept;
        for state in after {
            if !states.iter().any(|known| same(known, &state)) {
                states.push(state);
            }
        }
    }
    Some(states)
}

/// Of Sets that did not see each other the last one stored wins, whichever that is; none is before one that its
/// server had seen or made itself.
fn last_sets(entries: &[Entry], before: &Value, calm: bool) -> Vec<Value> {
    let is_overwritten = |(at, entry): &(usize, &Entry)| {
        entries[at + 1..].iter().any(|later| {
            let seen = calm && later.step >= entry.step + HEARD_AFTER;
            later.sure && (later.server == entry.server || seen)
        })
    };
    let last = entries.iter().enumerate().filter(|entry| !is_overwritten(entry));
    let mut values: Vec<Value> = last.map(|(_, entry)| entry.apply(before)).collect();
    if !entries.iter().any(|entry| entry.sure) {
        values.push(before.clone());
    }
    values
}
