//! The rules catch what breaks them: runs that went well, with something planted.

use serde_json::{Value, json};

use super::super::judge::judge;
use super::super::recording::{Recording, Scenario};
use super::super::report::Outcome;
use super::super::world::{CallFate, Manner, Observed, World};

fn scenario(calls: &Value) -> Scenario {
    let open = |server: &str| json!({ "at": 0.25, "server": server, "call": "Open", "args": ["shop", "k"] });
    let listen = json!({ "at": 0.25, "server": "B", "call": "OnUpdate", "args": ["n"] });
    let calls: Value = [open("A"), open("B"), listen]
        .into_iter()
        .chain(calls.as_array().into_iter().flatten().cloned())
        .collect();
    let servers = json!([{ "id": "A", "start": 0 }, { "id": "B", "start": 0 }]);
    let scenario =
        json!({ "name": "new", "kind": "hazard", "until": 12, "servers": servers, "calls": calls });
    let text = json!({ "scenarios": [scenario] }).to_string();
    Recording::parse(&text).expect("a recording").scenarios.remove(0)
}

/// Two increments and an `add` of one field.
fn sums() -> Scenario {
    let call = |at: f64, server: &str, call: &str, args: Value| json!({ "at": at, "server": server, "call": call, "args": args });
    scenario(&json!([
        call(1.5, "A", "Increment", json!(["n", 1])),
        call(1.5, "B", "Increment", json!(["n", 10])),
        call(3.5, "B", "Update", json!(["n", [{ "op": "add", "by": 100 }]])),
        call(4.5, "A", "Set", json!(["only", "a"])),
    ]))
}

fn judged(scenario: &Scenario, plant: impl FnOnce(&mut Observed)) -> String {
    let mut observed = World::run(scenario, Manner::Default);
    plant(&mut observed);
    match judge(scenario, &observed) {
        Outcome::Failed(problems) => problems.join("\n"),
        other => format!("{other:?}"),
    }
}

fn store_and_hold(observed: &mut Observed, field: &str, value: &Value) {
    observed.store["shop"]["k"][field] = value.clone();
    for cache in observed.caches.values_mut() {
        cache["shop/k"][field] = value.clone();
    }
}

#[test]
fn a_run_that_went_well_passes_and_each_planted_fault_is_caught() {
    let scenario = sums();
    assert_eq!(judged(&scenario, |_| ()), "Passed");
    type Plant = fn(&mut Observed);
    let planted: [(&str, Plant); 7] = [
        ("server B holds", |of| of.caches["B"]["shop/k"]["n"] = json!(1)),
        ("field n of shop/k is Number(110)", |of| store_and_hold(of, "n", &json!(110))),
        ("field n of shop/k is Number(211)", |of| store_and_hold(of, "n", &json!(211))),
        ("field only of shop/k is", |of| store_and_hold(of, "only", &Value::Null)),
        ("field odd of shop/k changed", |of| store_and_hold(of, "odd", &json!(1))),
        ("twice in a row", |of| of.firings.push(of.firings[of.firings.len() - 1].clone())),
        ("did not hear of", |of| of.firings.truncate(1)),
    ];
    for (problem, plant) in planted {
        let found = judged(&scenario, plant);
        assert!(found.contains(problem), "{problem}: {found}");
    }
}

#[test]
fn what_has_no_known_fate_counts_once_or_never_and_what_failed_never() {
    let scenario = sums();
    let with = |fate: CallFate, sum: i64| {
        judged(&scenario, |observed| {
            observed.fates.insert(6, fate);
            store_and_hold(observed, "n", &json!(sum));
            observed.firings.clear();
        })
    };
    for sum in [11, 111] {
        assert_eq!(with(CallFate::Unknown, sum), "Passed");
    }
    assert_eq!(with(CallFate::Never, 11), "Passed");
    for (fate, sum) in [(CallFate::Unknown, 211), (CallFate::Never, 111), (CallFate::Durable, 11)] {
        assert!(with(fate, sum).contains("field n"), "{fate:?} {sum}");
    }
}
