//! Compares what was observed of save data with what was recorded.

use serde_json::{Map, Value};

use super::compare::shown;
use super::recording::{Firing, Scenario};
use super::value::{has_content, same};
use super::world::{Fired, Observed, Shown};

/// What is stored in the end.
pub(crate) fn store(scenario: &Scenario, observed: &Observed) -> Option<String> {
    differ("the store", &scenario.store, &observed.store)
}

/// What each server held in the end, but for servers that held nothing at all.
pub(crate) fn caches(scenario: &Scenario, observed: &Observed) -> Option<String> {
    let full =
        |(server, cache): (&String, &Value)| has_content(cache).then(|| (server.clone(), cache.clone()));
    let recorded = scenario.caches.as_object().into_iter().flatten().filter_map(full).collect();
    let ours: Map<String, Value> = observed.caches.iter().filter_map(full).collect();
    differ("the caches", &Value::Object(recorded), &Value::Object(ours))
}

fn differ(what: &str, recorded: &Value, ours: &Value) -> Option<String> {
    let table = |value: &Value| if value.is_null() { Value::Object(Map::new()) } else { value.clone() };
    let problem = || format!("{what} should be {}, ours: {}", shown(Some(recorded)), shown(Some(ours)));
    (!same(&table(recorded), &table(ours))).then(problem)
}

/// What listeners were told, simultaneous calls in any order. A call for a value that was visible already is
/// no loss: the original makes one wherever it holds another table of the same content.
pub(crate) fn on_update(scenario: &Scenario, observed: &Observed) -> Option<String> {
    let mut ours: Vec<&Fired> = observed.firings.iter().collect();
    let mut missing = None;
    for firing in &scenario.on_update {
        match ours.iter().position(|fired| same_firing(firing, fired)) {
            Some(at) => drop(ours.remove(at)),
            None if was_visible(observed, firing) => {}
            None => missing = missing.or(Some(firing)),
        }
    }
    let surplus = ours.first();
    match (missing, surplus) {
        (None, None) => None,
        (missing, surplus) => Some(format!(
            "recorded, and not ours: {}; ours alone: {}",
            shown(missing.as_ref()),
            shown(surplus)
        )),
    }
}

fn same_firing(recorded: &Firing, ours: &Fired) -> bool {
    (recorded.at.step(), &recorded.server, &recorded.save, &recorded.key)
        == (ours.at, &ours.server, &ours.save, &ours.key)
        && same(&recorded.value, &ours.value)
}

/// Whether the value that a listener was told was visible before, or is one that ours told too at that time.
fn was_visible(observed: &Observed, firing: &Firing) -> bool {
    let (at, held) = (firing.at.step(), &observed.caches);
    let is_it = |shown: &&Shown| {
        let fired = &shown.fired;
        (&fired.server, &fired.save, &fired.key) == (&firing.server, &firing.save, &firing.key)
    };
    let changes: Vec<_> = observed.shown.iter().filter(is_it).collect();
    let before = match changes.iter().rposition(|shown| shown.fired.at < at) {
        Some(last) => changes[last].fired.value.clone(),
        None => match changes.first() {
            Some(first) => first.old.clone(),
            None => {
                held.get(&firing.server).map_or(Value::Null, |cache| cache[&firing.save][&firing.key].clone())
            }
        },
    };
    let told = observed.firings.iter().any(|fired| same_firing(firing, fired));
    told || same(&before, &firing.value)
}

/// We may write less than the original, and never more.
pub(crate) fn store_requests(scenario: &Scenario, observed: &Observed) -> Option<String> {
    let requests = scenario.store_requests.as_ref()?;
    let commits =
        requests.iter().filter(|request| request.kind == "update" && !request.value.is_null()).count();
    let ours = observed.commits;
    (ours > commits).then(|| format!("{commits} writes were committed, and {ours} of ours"))
}
