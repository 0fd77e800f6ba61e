//! A whole run, and one that is interrupted.

use serde_json::Value;

use crate::program::{run, signal, start, text, wait_for_durable};

#[test]
fn a_run_keeps_every_promise_and_says_so_in_json() {
    let output = run(&["demo", "--servers", "4", "--players", "60", "--seconds", "6", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(output.status.code(), Some(0), "{report:#}\n{}", text(&output.stderr));
    assert_eq!(report["ok"], true);
    for none in ["lost", "doubled", "phantom"] {
        assert_eq!(report[none], 0, "{none}");
    }
    assert_eq!(report["pools_equal"], true);
    assert_eq!(report["coins_by_ledger"], report["coins_by_file"]);
    for measured in [
        "durable",
        "requests_used",
        "requests_allowed",
        "messages_per_request",
        "seen_p50_ms",
        "seen_p99_ms",
        "converged_after_crash_ms",
        "converged_after_join_ms",
    ] {
        assert!(report[measured].as_f64().is_some_and(|figure| figure > 0.0), "{measured}: {report:#}");
    }
    assert!(report["requests_used"].as_u64() <= report["requests_allowed"].as_u64());
}

#[test]
fn ctrl_c_ends_a_run_cleanly_and_reports_what_ran() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo.sqlite");
    let path = data.to_str().unwrap();
    let child =
        start(&["demo", "--servers", "4", "--players", "30", "--seconds", "600", "--json", "--data", path]);
    wait_for_durable(&data, 5);
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["interrupted"], true);
    assert!(report["played_ms"].as_u64().unwrap() < 600_000);
    assert!(report["durable"].as_u64().unwrap() >= 5);
}
