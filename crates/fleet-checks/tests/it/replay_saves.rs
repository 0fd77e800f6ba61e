//! The replay of save data: under other names, doctored, and with faults that no recording of ours has.

use fleet_checks::replay::{DEVIATIONS, Outcome};
use serde_json::{Value, json};

use super::replay::{changed, one, own, problem, run};

#[test]
fn recordings_with_other_names_keys_and_values_come_out_the_same() {
    // Of the same length and order, so that the recorded lengths and lists stay right.
    let others = [
        ("PlayerDataStore_PlayerData", "SomeoneElses_Store/OfGoods"),
        ("PlayerList$1234567890", "Warehouse(é) 456789a"),
        ("PlayerList$987654321", "Warehouse/~1/54321xx"),
        ("Coins", "Coils"),
        ("Level", "Lemon"),
        ("Bio", "Bay"),
        ("Bob", "Eve"),
        ("hello world", "HELLO WORLD"),
    ];
    let mut text = own().to_string();
    for (from, to) in others {
        assert!(text.contains(from) && from.len() == to.len(), "{from}");
        text = text.replace(from, to);
    }
    let mut all: Value = serde_json::from_str(&text).expect("still JSON");
    for (at, scenario) in all["scenarios"].as_array_mut().expect("scenarios").iter_mut().enumerate() {
        scenario["name"] = json!(format!("unheard of {at}"));
    }
    let report = run(&all, DEVIATIONS);
    assert_eq!(report.sums(), "99 passed, 0 failed, 0 skipped", "{report}");
}

#[test]
fn doctored_recordings_of_save_data_fail_whatever_was_doctored() {
    type Doctor = fn(&mut Value);
    const CACHE: &str = "PlayerDataStore_PlayerData/PlayerList$1234567890";
    let doctored: [(&str, Doctor); 11] = [
        ("published", |of| of["published"][0]["at"] = json!(3.0)),
        ("published", |of| of["published"] = json!([])),
        ("store", |of| of["store"] = json!({})),
        ("store", |of| of["store"]["Another"] = json!({ "k": { "x": 1 } })),
        ("caches", |of| of["caches"]["B"][CACHE]["Coins"] = json!(18)),
        ("caches", |of| of["caches"]["A"] = json!([])),
        ("on_update", |of| of["on_update"] = json!([])),
        ("on_update", |of| of["on_update"][0]["value"] = json!(18)),
        ("on_update", |of| of["on_update"][0]["at"] = json!(2.265_625)),
        ("returns", |of| of["returns"][0]["value"] = json!(10)),
        ("store_requests", |of| of["store_requests"] = json!([])),
    ];
    assert_eq!(changed("update-one-key", |_| ()), Outcome::Passed);
    for (field, doctor) in doctored {
        let problem = problem(changed("update-one-key", doctor));
        assert!(problem.starts_with(&format!("{field}: ")), "{field}: {problem}");
    }
}

#[test]
fn a_recorded_call_of_a_listener_counts_for_nothing_only_if_its_value_was_visible() {
    let again = |of: &mut Value, value: Value| {
        let mut firing = of["on_update"][0].clone();
        (firing["at"], firing["value"]) = (json!(5.0), value);
        of["on_update"].as_array_mut().expect("a list").push(firing);
    };
    // weakness 17 (idle-listeners-fire)
    assert_eq!(changed("update-one-key", |of| again(of, json!(17))), Outcome::Passed);
    assert!(problem(changed("update-one-key", |of| again(of, json!(10)))).starts_with("on_update: "));
}

#[test]
fn what_the_original_does_well_the_default_profile_does_well_by_the_rules() {
    let mut all = own();
    for scenario in all["scenarios"].as_array_mut().expect("scenarios") {
        scenario["kind"] = json!("hazard");
    }
    let report = run(&all, DEVIATIONS);
    assert!(!report.has_failed(), "{report}");
}

fn call(at: f64, server: &str, call: &str, args: Value) -> Value {
    json!({ "at": at, "server": server, "call": call, "args": args })
}

fn opened(calls: &[Value]) -> Value {
    let open = |server| call(0.25, server, "Open", json!(["shop", "k"]));
    [open("A"), open("B")].into_iter().chain(calls.iter().cloned()).collect()
}

fn hazard(calls: &[Value], setup: Value) -> Outcome {
    let servers = json!([{ "id": "A", "start": 0 }, { "id": "B", "start": 0 }]);
    one(&json!({ "name": "new", "kind": "hazard", "until": 25, "servers": servers, "calls": opened(calls),
                 "setup": setup }))
}

fn add(at: f64, server: &str, by: i64) -> Value {
    call(at, server, "Update", json!(["n", [{ "op": "add", "by": by }]]))
}

#[test]
fn faults_of_every_kind_lose_and_double_nothing_in_the_default_profile() {
    // weakness 1 (lost-increments), weakness 2 (update-from-cache), weakness 3 (conflict-loses-write),
    // weakness 4 (unknown-outcome), weakness 5 (lost-message-splits-caches)
    let calls: Vec<Value> = (0..10u32)
        .flat_map(|round| {
            let at = 1.5 + f64::from(round);
            [add(at, "A", 1), add(at, "B", 10), call(at, "B", "Increment", json!(["n", 100]))]
        })
        .collect();
    for (on, fault) in [
        ("update", "before"),
        ("update", "after_transform"),
        ("update", "ambiguous"),
        ("update", "throw"),
        ("get", "throw"),
        ("publish", "throttled"),
        ("publish", "ambiguous"),
        ("deliver", "drop"),
    ] {
        for nth in [json!(null), json!(1), json!(3)] {
            let faults = json!([{ "on": on, "fault": fault, "server": "B", "nth": nth }]);
            let outcome = hazard(&calls, json!({ "faults": faults, "store_latency": 0.25 }));
            assert_eq!(outcome, Outcome::Passed, "{on} {fault} {nth}");
        }
    }
}

#[test]
fn what_another_program_commits_in_between_is_kept_beside_our_write() {
    // weakness 3 (conflict-loses-write)
    let faults = json!([{ "on": "update", "fault": "conflict", "server": "A", "nth": 1,
                          "other_commit": { "theirs": 1, "n": 5 } }]);
    let outcome = hazard(
        &[add(1.5, "A", 2), call(2.5, "A", "Set", json!(["mine", true]))],
        json!({ "faults": faults }),
    );
    assert_eq!(outcome, Outcome::Passed);
}

/// A scenario of the original's making, for one server.
fn compat(calls: &[Value], setup: Value, expect: Value) -> Outcome {
    let mut scenario = json!({ "name": "new", "kind": "compat", "until": 25, "setup": setup,
                               "servers": [{ "id": "A", "start": 0, "sync_ids": { "shop/k": "{id}" } }] });
    let open = call(0.25, "A", "Open", json!(["shop", "k"]));
    scenario["calls"] = std::iter::once(open).chain(calls.iter().cloned()).collect();
    for (field, value) in expect.as_object().expect("an object") {
        scenario[field] = value.clone();
    }
    one(&scenario)
}

fn set_frame(at: f64, field: &str, value: i64) -> Value {
    let action = json!({ "Action": "Set", "Key": field, "SyncId": "{id}", "Value": value }).to_string();
    frame(at, &[action])
}

fn frame(at: f64, messages: &[String]) -> Value {
    let message = json!({ "NSD_k": messages }).to_string();
    let encoded = Value::from(message.clone()).to_string().len();
    json!({ "at": at, "server": "A", "topic": "NexusBulkMessagingService", "bytes": message.len(),
            "encoded_bytes": encoded, "message": message })
}

#[test]
fn a_conflict_in_the_strict_profile_loses_no_write() {
    // weakness 3 (conflict-loses-write)
    let faults = json!([{ "on": "update", "fault": "conflict", "server": "A", "nth": 1,
                          "other_commit": "{\"theirs\":1}" }]);
    let outcome = compat(
        &[call(0.75, "A", "Set", json!(["n", 2]))],
        json!({ "faults": faults }),
        json!({ "published": [set_frame(1.0, "n", 2)], "store": { "shop": { "k": { "n": 2, "theirs": 1 } } },
                "caches": { "A": { "shop/k": { "n": 2, "theirs": 1 } } } }),
    );
    assert_eq!(outcome, Outcome::Passed);
}

#[test]
fn an_update_that_throws_blocks_nothing_in_the_strict_profile() {
    // weakness 13 (throwing-update)
    let outcome = compat(
        &[
            call(0.75, "A", "Set", json!(["n", 2])),
            call(1.5, "A", "Update", json!(["m", [{ "op": "throw" }]])),
            call(2.5, "A", "Flush", json!([])),
        ],
        json!({}),
        json!({ "published": [set_frame(1.0, "n", 2)], "store": { "shop": { "k": { "n": 2 } } },
                "caches": { "A": { "shop/k": { "n": 2 } } }, "returns": [{ "call": 3, "error": "thrown" }] }),
    );
    assert_eq!(outcome, Outcome::Passed);
}

#[test]
fn a_removed_save_is_flushed_forgotten_and_loaded_anew_with_another_sync_id() {
    // weakness 16 (remove-from-cache)
    let fetch = json!({ "Action": "Fetch", "Keys": ["m"], "SyncId": "{id}" }).to_string();
    let outcome = compat(
        &[
            call(0.75, "A", "Set", json!(["n", 2])),
            call(1.5, "A", "RemoveFromCache", json!(["shop", "k"])),
            call(1.5, "A", "Open", json!(["shop", "k"])),
            call(1.5, "A", "Get", json!(["n"])),
            call(2.5, "A", "Update", json!(["m", [{ "op": "set", "value": [] }]])),
        ],
        json!({}),
        json!({ "published": [set_frame(1.0, "n", 2), frame(3.0, &[fetch])],
                "returns": [{ "call": 5, "value": 2 }],
                "store": { "shop": { "k": { "n": 2, "m": {} } } },
                "caches": { "A": { "shop/k": { "n": 2, "m": [] } } } }),
    );
    assert_eq!(outcome, Outcome::Passed);
}

#[test]
fn a_disconnected_save_is_flushed_stays_usable_and_is_saved_only_on_request() {
    let outcome = compat(
        &[
            call(0.75, "A", "Set", json!(["n", 2])),
            call(1.5, "A", "OnUpdate", json!(["n"])),
            call(1.5, "A", "Disconnect", json!([])),
            call(12.5, "A", "Set", json!(["n", 3])),
            call(12.5, "A", "Get", json!(["n"])),
        ],
        json!({}),
        json!({ "published": [set_frame(1.0, "n", 2), set_frame(13.0, "n", 3)],
                "returns": [{ "call": 6, "value": 3 }],
                "store": { "shop": { "k": { "n": 2 } } }, "caches": { "A": { "shop/k": { "n": 3 } } } }),
    );
    assert_eq!(outcome, Outcome::Passed);
}
