//! The replay of recordings: the own copy passes, doctored ones fail.

use fleet_checks::replay::{DEVIATIONS, Deviation, Outcome, Recording, Report, replay};
use serde_json::{Value, json};

const OWN: &str = include_str!("../../recordings/nexus-wire.json");

pub(crate) fn own() -> Value {
    serde_json::from_str(OWN).expect("the own copy is JSON")
}

pub(crate) fn run(recording: &Value, deviations: &[Deviation]) -> Report {
    replay(&Recording::parse(&recording.to_string()).expect("a recording"), deviations)
}

/// The own copy's scenario of this name, changed, and what becomes of it.
pub(crate) fn changed(name: &str, change: impl FnOnce(&mut Value)) -> Outcome {
    let mut all = own();
    let scenarios = all["scenarios"].as_array_mut().expect("scenarios");
    scenarios.retain(|scenario| scenario["name"] == name);
    change(&mut scenarios[0]);
    outcome(&run(&all, DEVIATIONS))
}

fn outcome(report: &Report) -> Outcome {
    report.scenarios().next().expect("a scenario").1.clone()
}

pub(crate) fn one(scenario: &Value) -> Outcome {
    outcome(&run(&json!({ "scenarios": [scenario] }), DEVIATIONS))
}

/// Why a scenario failed.
pub(crate) fn problem(outcome: Outcome) -> String {
    let Outcome::Failed(problems) = outcome else { panic!("it should fail: {outcome:?}") };
    problems.join("\n")
}

#[test]
fn the_own_recordings_come_out_as_recorded_and_the_hazards_as_they_should() {
    let report = run(&own(), DEVIATIONS);
    assert!(!report.has_failed(), "{report}");
    let passed = |name: &str| {
        let (_, outcome) = report.scenarios().find(|(known, _)| *known == name).expect("a scenario");
        assert_eq!(*outcome, Outcome::Passed, "{name}");
    };
    let bulk = own()["scenarios"].as_array().expect("scenarios").clone();
    let bulk: Vec<_> = bulk.into_iter().filter(|scenario| scenario["group"] == "bulk").collect();
    assert_eq!(bulk.len(), 25);
    bulk.iter().for_each(|scenario| passed(scenario["name"].as_str().expect("a name")));
    // weakness 10 (failed-publish-loses-batch), weakness 11 (slow-publish-overfills)
    ["bulk-forced-flush-fails", "bulk-publish-yields", "bulk-publish-yields-oversize"]
        .into_iter()
        .for_each(passed);
    assert_eq!(report.sums(), "99 passed, 0 failed, 0 skipped");
}

#[test]
fn every_deviation_names_a_scenario_of_the_own_copy() {
    let all = own();
    let names: Vec<_> =
        all["scenarios"].as_array().expect("scenarios").iter().map(|of| &of["name"]).collect();
    DEVIATIONS.iter().for_each(|deviation| assert!(names.iter().any(|name| *name == deviation.scenario)));
}

#[test]
fn a_doctored_recording_fails_whatever_was_doctored() {
    type Doctor = fn(&mut Value);
    let doctored: [(&str, Doctor); 9] = [
        ("published", |scenario| scenario["published"][0]["at"] = json!(0.515_625)),
        ("published", |scenario| scenario["published"][0]["bytes"] = json!(1)),
        ("published", |scenario| scenario["published"][0]["failed"] = json!(true)),
        ("published", |scenario| scenario["published"][1]["message"] = json!("{\"T\":[\"c\"]}")),
        ("published", |scenario| scenario["published"] = json!([])),
        ("received", |scenario| scenario["received"][1]["message"] = json!("x")),
        ("received", |scenario| scenario["received"][1]["at"] = json!(2)),
        ("returns", |scenario| scenario["returns"] = json!([{ "call": 3, "error": "some text" }])),
        ("store", |scenario| scenario["store"] = json!({ "S": { "k": 1 } })),
    ];
    assert_eq!(changed("bulk-manual-flush", |_| ()), Outcome::Passed);
    for (field, doctor) in doctored {
        let problem = problem(changed("bulk-manual-flush", doctor));
        assert!(problem.starts_with(&format!("{field}: ")), "{problem}");
    }
}

#[test]
fn a_deviation_covers_its_field_alone_and_must_show() {
    let deviation = |field| Deviation { scenario: "bulk-one", field, weakness: "0 (none)" };
    let mut all = own();
    let scenarios = all["scenarios"].as_array_mut().expect("scenarios");
    scenarios.retain(|scenario| scenario["name"] == "bulk-one");
    let unused = problem(outcome(&run(&all, &[deviation("received")])));
    assert_eq!(unused, "received: the deviation for 0 (none) does not show");
    all["scenarios"][0]["received"] = json!([]);
    assert_eq!(outcome(&run(&all, &[deviation("received")])), Outcome::Passed);
    assert!(problem(outcome(&run(&all, &[deviation("published")]))).contains("received: "));
}

#[test]
fn failed_publishes_and_their_calls_come_out_as_recorded() {
    let frame = r#"{"T":[1]}"#;
    let published = |at: f64, message: &str, failed: bool| {
        json!({ "at": at, "server": "A", "topic": "NexusBulkMessagingService", "message": message,
                "bytes": message.len(), "encoded_bytes": message.len() + 4, "failed": failed })
    };
    let call =
        |at: f64, call: &str, args: Value| json!({ "at": at, "server": "A", "call": call, "args": args });
    let scenario = json!({
        "name": "new", "kind": "compat", "until": 3, "servers": [{ "id": "A", "start": 0.25 }],
        "setup": { "faults": [{ "on": "publish", "server": "A", "nth": 1, "fault": "throttled" }] },
        "calls": [
            call(0.25, "Publish", json!(["T", 1])),
            call(0.5, "Publish", json!(["T", 1.0])),
            call(0.5, "FlushMessages", json!([])),
            call(1.25, "Publish", json!(["T", 1])),
        ],
        "published": [published(0.25, frame, true), published(0.5, frame, false), published(1.25, frame, false)],
    });
    assert_eq!(one(&scenario), Outcome::Passed, "a message at a tick of the loop goes with it");
    let mut flushed = scenario.clone();
    flushed["setup"]["faults"][0]["nth"] = json!(2);
    flushed["published"][0]["failed"] = json!(false);
    flushed["published"][1]["failed"] = json!(true);
    assert!(problem(one(&flushed)).starts_with("returns: "));
    flushed["returns"] = json!([{ "call": 3, "error": "whatever" }]);
    assert_eq!(one(&flushed), Outcome::Passed);
}

fn hazard(calls: &Value, faults: &Value) -> Value {
    let servers = json!([{ "id": "A", "start": 0 }, { "id": "B", "start": 0 }]);
    json!({ "name": "new", "kind": "hazard", "until": 3, "servers": servers, "calls": calls,
            "setup": { "faults": faults } })
}

#[test]
fn hazards_with_unknown_names_are_judged_by_the_same_rules() {
    let calls = json!([
        { "at": 0.25, "server": "B", "call": "Subscribe", "args": ["T"] },
        { "at": 0.5, "server": "A", "call": "Publish", "args": ["T", "one"] },
        { "at": 0.5, "server": "A", "call": "Publish", "args": ["T", { "a": [] }] },
        { "at": 1.5, "server": "A", "call": "Publish", "args": ["T", 3] },
    ]);
    for faults in [
        json!([]),
        json!([{ "on": "publish", "server": "A", "nth": 1, "fault": "throttled" }]),
        json!([{ "on": "publish", "nth": 1, "fault": "ambiguous" }]),
        json!([{ "on": "deliver", "to": "B", "publish": 1, "fault": "drop" }]),
        json!([{ "on": "deliver", "to": "B", "publish": 1, "fault": "delay", "seconds": 0.375 }]),
    ] {
        assert_eq!(one(&hazard(&calls, &faults)), Outcome::Passed, "{faults}");
    }
}

#[test]
fn what_no_rule_speaks_of_is_unjudged() {
    let publish = json!([{ "at": 0.5, "server": "A", "call": "Publish", "args": ["T", "one"] }]);
    assert!(matches!(one(&hazard(&publish, &json!([]))), Outcome::Unjudged(_)), "nobody subscribes");
    let unknown = json!([{ "at": 0.5, "server": "A", "call": "Dance" }]);
    assert!(matches!(one(&hazard(&unknown, &json!([]))), Outcome::Unjudged(_)));
    let report = run(&json!({ "scenarios": [hazard(&unknown, &json!([]))] }), DEVIATIONS);
    assert_eq!(report.sums(), "0 passed, 0 failed, 0 skipped, 1 unjudged");
}

#[test]
fn what_is_no_recording_is_an_error() {
    let scenario = |calls: Value| json!({ "scenarios": [hazard(&calls, &json!([]))] }).to_string();
    let bad = [
        "{".to_owned(),
        "{}".to_owned(),
        scenario(json!([{ "at": -1, "server": "A", "call": "Subscribe", "args": ["T"] }])),
        scenario(json!([{ "at": 1e300, "server": "A", "call": "Subscribe", "args": ["T"] }])),
        scenario(json!([{ "at": 1, "server": "Z", "call": "Subscribe", "args": ["T"] }])),
        scenario(json!([{ "at": 1, "server": "A", "call": "Publish", "args": ["T"] }])),
    ];
    for text in bad {
        let error = Recording::parse(&text).expect_err("no recording").to_string();
        assert!(!error.contains('\n'), "{error}");
    }
}
