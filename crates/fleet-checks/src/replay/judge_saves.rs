//! Judges save data by what must hold, whatever was recorded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::compare::shown;
use super::judge::Finding;
use super::ledger::{Ledger, Place};
use super::recording::{Fault, STEPS_A_SECOND, Scenario};
use super::value::{has_content, same};
use super::world::{Fired, Observed};

/// Applies every rule of save data.
pub(crate) fn findings(scenario: &Scenario, observed: &Observed) -> Vec<Finding> {
    let ledger = Ledger::of(scenario, observed);
    let caches = observed.live.iter().map(|live| cache_is_stored(observed, live));
    let fields = ledger.places().map(|place| field_is_possible(scenario, observed, &ledger, place));
    let listeners = listeners(scenario, observed);
    let firings = listeners.iter().map(|of| fired_once_a_change(observed, of));
    caches.chain(fields).chain([nothing_is_mixed(scenario, observed, &ledger)]).chain(firings).collect()
}

/// A record's value, an object in any case.
fn record<'a>(contents: &'a Value, store: &str, key: &str) -> Option<&'a Map<String, Value>> {
    contents.get(store)?.get(key)?.as_object()
}

fn field(contents: &Value, (store, key, field): &Place) -> Value {
    record(contents, store, key).and_then(|fields| fields.get(field)).cloned().unwrap_or_default()
}

/// What a server that lives on holds of an open record is what is stored.
fn cache_is_stored(observed: &Observed, (server, store, key): &(String, String, String)) -> Finding {
    let cache =
        observed.caches.get(server).map_or(Value::Null, |cache| cache[format!("{store}/{key}")].clone());
    let stored = observed.store.get(store).and_then(|records| records.get(key)).cloned().unwrap_or_default();
    let agree = same(&cache, &stored) || (!has_content(&cache) && !has_content(&stored));
    let problem = || {
        let (cache, stored) = (shown(Some(&cache)), shown(Some(&stored)));
        format!("server {server} holds {cache} of {store}/{key}, where {stored} is stored")
    };
    Some(if agree { Ok(()) } else { Err(problem()) })
}

/// What is stored of a field is what its calls make of it: durable increments count once, refused calls never, and
/// no write is lost without a crash.
fn field_is_possible(scenario: &Scenario, observed: &Observed, ledger: &Ledger, place: &Place) -> Finding {
    let before = match foreign_write(scenario, ledger, place)? {
        Some(other) => other.get(&place.2).cloned().unwrap_or_default(),
        None => field(&scenario.setup.initial_store, place),
    };
    let setup = &scenario.setup;
    let times = [setup.delivery_delay, setup.publish_latency, setup.store_latency];
    let calm = setup.faults.is_empty() && times.iter().all(|time| time.step() <= STEPS_A_SECOND / 2);
    let possible = ledger.possible(place, &before, calm)?;
    let stored = field(&observed.store, place);
    let holds =
        possible.iter().any(|value| same(value, &stored) || !(has_content(value) || has_content(&stored)));
    let problem = || {
        let (store, key, field) = place;
        let (stored, possible) = (shown(Some(&stored)), shown(Some(&possible)));
        format!("field {field} of {store}/{key} is {stored}, possible: {possible}")
    };
    Some(if holds { Ok(()) } else { Err(problem()) })
}

/// What somebody else wrote before any write of ours was committed: outer `None` if it came later or nobody can say.
fn foreign_write<'a>(
    scenario: &'a Scenario,
    ledger: &Ledger,
    (store, key, _): &Place,
) -> Option<Option<&'a Map<String, Value>>> {
    let mut others = scenario.setup.faults.iter().filter(|fault| fault.fault == "conflict");
    let Some(fault) = others.next() else { return Some(None) };
    let is_first = fault.nth == Some(1) && fault.server.as_deref() == ledger.only_writer(store, key);
    let alone = others.next().is_none() && writes_one_record(ledger);
    (is_first && alone).then(|| fault.other_commit.as_object())
}

fn writes_one_record(ledger: &Ledger) -> bool {
    let records: BTreeSet<_> = ledger.places().map(|(store, key, _)| (store, key)).collect();
    records.len() == 1
}

/// A record holds no field that nobody wrote to it, and fields that nobody touched stay.
fn nothing_is_mixed(scenario: &Scenario, observed: &Observed, ledger: &Ledger) -> Finding {
    let touched: BTreeSet<&Place> = ledger.places().collect();
    let foreign = |fault: &Fault| fault.fault == "conflict";
    if touched.is_empty() || scenario.setup.faults.iter().any(foreign) {
        return None;
    }
    let contents = [&scenario.setup.initial_store, &observed.store];
    let mut all: BTreeSet<Place> = BTreeSet::new();
    for (store, records) in contents.into_iter().filter_map(Value::as_object).flatten() {
        for (key, fields) in records.as_object().into_iter().flatten() {
            let fields = fields.as_object().into_iter().flatten();
            all.extend(fields.map(|(field, _)| (store.clone(), key.clone(), field.clone())));
        }
    }
    let is_wrong = |place: &&Place| {
        !touched.contains(place)
            && !same(&field(&scenario.setup.initial_store, place), &field(&observed.store, place))
    };
    let wrong = all.iter().find(is_wrong);
    Some(wrong.map_or(Ok(()), |(store, key, field)| {
        Err(format!("field {field} of {store}/{key} changed, and no call touched it"))
    }))
}

/// A listener: server, label of the save, key.
type Listener = (String, String, String);

/// The keys that a server listens to once on an open save; how often it hears of others depends on when it began.
fn listeners(scenario: &Scenario, observed: &Observed) -> Vec<Listener> {
    let mut counts: BTreeMap<Listener, usize> = BTreeMap::new();
    for call in scenario.calls.iter().filter(|call| call.call == "OnUpdate") {
        let opened = scenario.calls.iter().filter(|of| of.call == "Open" && of.server == call.server);
        let first = opened.min_by_key(|of| of.at.step());
        let named = first.and_then(|of| Some((of.text(0)?.to_owned(), of.text(1)?.to_owned())));
        let Some((store, key)) = call.save.clone().or(named) else { continue };
        if observed.live.contains(&(call.server.clone(), store.clone(), key.clone())) {
            let field = call.text(0).unwrap_or_default().to_owned();
            *counts.entry((call.server.clone(), format!("{store}/{key}"), field)).or_default() += 1;
        }
    }
    counts.into_iter().filter(|(_, count)| *count == 1).map(|(listener, _)| listener).collect()
}

/// A listener never hears the same value twice in a row, and last of the one that is held.
fn fired_once_a_change(observed: &Observed, listener: &Listener) -> Finding {
    let (server, save, key) = listener;
    let is_its = |fired: &&Fired| (&fired.server, &fired.save, &fired.key) == (server, save, key);
    let heard: Vec<&Value> = observed.firings.iter().filter(is_its).map(|fired| &fired.value).collect();
    let place = format!("the listener to {key} of {save} on server {server}");
    if let Some(pair) = heard.windows(2).find(|pair| same(pair[0], pair[1])) {
        return Some(Err(format!("{place} heard {} twice in a row", shown(Some(pair[0])))));
    }
    let held = observed.caches.get(server).map_or(Value::Null, |cache| cache[save][key].clone());
    let agrees = heard.last().is_none_or(|last| same(last, &held));
    Some(if agrees { Ok(()) } else { Err(format!("{place} did not hear of {}", shown(Some(&held)))) })
}

#[cfg(test)]
mod tests;
