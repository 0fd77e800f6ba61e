//! What must come out of a scenario: what was recorded, or what must hold.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::recording::{Recording, Scenario};
use super::server::Seen;
use super::world::{World, instant};

/// Recorded as `compat`, and yet weaknesses: (scenario, what must hold instead).
const WEAK: [(&str, &str); 5] = [
    ("clear", "everybody is told of each entry removed: weakness 25 (silent-pool)"),
    ("orderly-close", "everybody is told of each entry removed: weakness 25 (silent-pool)"),
    ("equal-sent-time", "of two contributions at one time all servers keep the same"),
    ("set-takes-effect-on-receipt", "a server knows its own contribution at once"),
    ("unknown-type", "what is not understood is counted, and stops nothing"),
];

/// After the end of a scenario everything heals: the timeout of a crashed server (30 s) and 2 s.
const HEAL: Duration = Duration::from_secs(32);

/// How a scenario came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The scenario.
    pub name: String,
    /// Whether it was judged by what must hold, without its recorded outcome.
    pub hazard: bool,
    /// What was wrong; nothing if it passed.
    pub faults: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.hazard { "hazard" } else { "compat" };
        if self.faults.is_empty() {
            return write!(f, "ok      {how} {}", self.name);
        }
        write!(f, "FAILED  {how} {}: {}", self.name, self.faults.join("; "))
    }
}

/// Plays every scenario to our machines and judges it, in the order of the recording.
#[must_use]
pub fn replay(recording: &Recording) -> Vec<Verdict> {
    recording.scenarios.iter().map(judge).collect()
}

fn judge(scenario: &Scenario) -> Verdict {
    let hazard = scenario.kind != "compat" || WEAK.iter().any(|(name, _)| *name == scenario.name);
    let world = World::play(scenario, !hazard);
    let faults = if hazard { judge_rules(scenario, world) } else { compare(scenario, &world) };
    Verdict { name: scenario.name.clone(), hazard, faults }
}

/// Compares with what was recorded.
fn compare(scenario: &Scenario, world: &World<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for (server, expected) in &scenario.contributions {
        let found = world.server(server).map(|server| server.contents()).unwrap_or_default();
        expect(&mut faults, &format!("contributions of {server}"), &sorted(&found), &sorted(expected));
        let (found, expected) = (by_key(fired(world, server)), by_key(recorded(scenario, server)));
        expect(&mut faults, &format!("events of {server}"), &found, &expected);
    }
    for returned in &scenario.returns {
        // An error is of a pool that is opened twice: here that gives the same pool again, which no machine sees.
        let Some(Value::Array(expected)) = &returned.value else { continue };
        let found = world.returns.get(&returned.call).and_then(Value::as_array).cloned().unwrap_or_default();
        expect(&mut faults, &format!("return of call {}", returned.call), &sorted(&found), &sorted(expected));
    }
    faults
}

/// Judges by what must hold: all living servers end with what the calls say, and events tell it.
fn judge_rules(scenario: &Scenario, mut world: World<'_>) -> Vec<String> {
    world.run(instant(scenario.until) + HEAL);
    let mut faults = Vec::new();
    let ledger = ledger(scenario);
    let mut agreed: Option<Vec<String>> = None;
    for server in world.servers.iter().filter(|server| server.alive) {
        let keys: Vec<&String> = server.view.keys().collect();
        expect(&mut faults, &format!("keys of {}", server.name), &keys, &ledger.keys().collect());
        for (key, (value, _)) in &server.view {
            let one_of = ledger.get(key).is_some_and(|values| values.contains(&value));
            if !one_of {
                faults.push(format!("{} has {value} under {key}", server.name));
            }
        }
        let view = sorted(&server.contents());
        expect(&mut faults, "the views agree", &view, agreed.get_or_insert_with(|| view.clone()));
        let mut told = BTreeMap::new();
        for (key, value) in &server.events {
            match value {
                Some(value) => told.insert(key, value),
                None => told.remove(key),
            };
        }
        let told: Vec<Value> = told.into_values().cloned().collect();
        expect(&mut faults, &format!("events of {} tell its view", server.name), &sorted(&told), &view);
        let malformed =
            scenario.calls.iter().filter(|call| call.args.first().is_some_and(is_unknown)).count();
        expect(&mut faults, "malformed frames", &server.machine.stats().malformed, &(malformed as u64));
    }
    judge_own(scenario, &world, &mut faults);
    faults
}

/// What a server contributed shows to itself at once, and many changes of a moment are few frames.
fn judge_own(scenario: &Scenario, world: &World<'_>, faults: &mut Vec<String>) {
    for (number, returned) in &world.returns {
        let call = &scenario.calls[number - 1];
        let before = scenario.calls[..number - 1].iter().filter(|earlier| earlier.server == call.server);
        for earlier in before.filter(|earlier| earlier.call == "Replace") {
            let shows = returned.as_array().is_some_and(|values| values.contains(&earlier.args[0]));
            if !shows {
                faults.push(format!("{} does not know its own {}", call.server, earlier.args[0]));
            }
        }
    }
    let contributions = scenario.calls.iter().filter(|call| call.call == "Replace").count();
    let most = contributions.div_ceil(2) + 2 * world.servers.len() + 4;
    for server in world.servers.iter().filter(|server| server.parts > most) {
        faults.push(format!("{} sent {} frames with entries", server.name, server.parts));
    }
}

fn is_unknown(message: &Value) -> bool {
    message.get("type").is_some_and(|kind| kind != "set" && kind != "remove" && kind != "refresh")
}

/// When a key was last contributed, and by whom with which value.
type Latest<'a> = (f64, Vec<(&'a str, &'a Value)>);

/// What must be there in the end, by key, from the calls alone: the last contribution of those who live, or one of
/// them if several came at that time.
fn ledger(scenario: &Scenario) -> BTreeMap<String, Vec<&Value>> {
    let mut entries: BTreeMap<String, Latest<'_>> = BTreeMap::new();
    for call in &scenario.calls {
        let owner = call.server.as_str();
        match call.call.as_str() {
            "Replace" => {
                let entry = entries.entry(scenario.pool.key(&call.args[0])).or_default();
                if entry.0 < call.at || entry.1.iter().any(|(by, _)| *by == owner) {
                    entry.1.clear();
                }
                entry.0 = call.at;
                entry.1.push((owner, &call.args[0]));
            }
            "Remove" => {
                let key = call.args[0].as_str().map_or_else(|| call.args[0].to_string(), str::to_owned);
                entries.entry(key).or_default().1.retain(|(by, _)| *by != owner);
            }
            "Empty" | "Close" | "Crash" => {
                entries.values_mut().for_each(|entry| entry.1.retain(|(by, _)| *by != owner));
            }
            _ => {}
        }
    }
    let values =
        entries.into_iter().map(|(key, (_, by))| (key, by.into_iter().map(|(_, value)| value).collect()));
    values.filter(|(_, values): &(String, Vec<&Value>)| !values.is_empty()).collect()
}

fn fired(world: &World<'_>, server: &str) -> Vec<Seen> {
    world.server(server).map(|server| server.events.clone()).unwrap_or_default()
}

/// The recorded events of a server, without firings for a value that was visible already.
fn recorded(scenario: &Scenario, server: &str) -> Vec<Seen> {
    let mut visible = BTreeMap::new();
    let mut events = Vec::new();
    for event in scenario.events.iter().filter(|event| event.server == server) {
        let of_value = event.value.as_ref().map(|value| scenario.pool.key(value));
        let of_key =
            event.key.as_ref().map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned));
        let Some(key) = of_value.or(of_key) else { continue };
        if visible.insert(key.clone(), event.value.clone()) != Some(event.value.clone()) {
            events.push((key, event.value.clone()));
        }
    }
    events
}

/// Events in their order under each key. Between keys order means nothing.
fn by_key(events: Vec<Seen>) -> BTreeMap<String, Vec<Option<Value>>> {
    let mut keys = BTreeMap::<_, Vec<_>>::new();
    events.into_iter().for_each(|(key, value)| keys.entry(key).or_default().push(value));
    keys
}

fn sorted(values: &[Value]) -> Vec<String> {
    let mut texts: Vec<_> = values.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

fn expect<T: PartialEq + fmt::Debug>(faults: &mut Vec<String>, what: &str, found: &T, expected: &T) {
    if found != expected {
        faults.push(format!("{what}: {found:?}, not {expected:?}"));
    }
}
