//! Whole runs over services: every server a process, and one of them killed with SIGKILL.

use serde_json::Value;
use test_servers::{Nats, Postgres, Redis};

use crate::program::{run, signal, start, text, wait_for_durable};

/// A run over these services keeps every promise.
fn check(bus: &str, store: &str) {
    let services = ["--bus", bus, "--store", store];
    let size = ["--servers", "4", "--players", "40", "--seconds", "6", "--json"];
    let output = run(&[&["demo"], &services[..], &size[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}\n{}", text(&output.stdout), text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["coins_by_ledger"], report["coins_by_file"]);
    for measured in ["durable", "requests_used", "store_writes", "seen", "converged_after_crash_ms"] {
        assert!(report[measured].as_f64().is_some_and(|figure| figure > 0.0), "{measured}: {report:#}");
    }
    assert!(report["requests_allowed"].is_null(), "these services count no requests");
}

#[test]
fn redis_carries_a_fleet_of_processes() {
    let Some(redis) = Redis::start("services::redis_carries_a_fleet_of_processes", &[]) else { return };
    check(&redis.url(), &redis.url());
}

#[test]
fn nats_carries_a_fleet_of_processes() {
    let Some(nats) = Nats::start("services::nats_carries_a_fleet_of_processes", "") else { return };
    check(&nats.url(), &nats.url());
}

#[test]
fn postgres_carries_a_fleet_of_processes() {
    let Some(postgres) = Postgres::start("services::postgres_carries_a_fleet_of_processes", &[]) else {
        return;
    };
    let url = postgres.url("postgres");
    check(&url, &url);
}

#[test]
fn redis_and_a_file_carry_a_fleet_that_is_killed_as_a_whole() {
    let test = "services::redis_and_a_file_carry_a_fleet_that_is_killed_as_a_whole";
    let Some(redis) = Redis::start(test, &[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo.sqlite");
    let (url, path) = (redis.url(), data.to_str().unwrap());
    let store = format!("sqlite:{path}");
    let services = ["--bus", &url, "--store", &store];
    let size = ["--servers", "4", "--players", "40", "--seconds", "600"];
    let mut child = start(&[&["demo"], &services[..], &size[..]].concat());
    wait_for_durable(&data, 20);
    signal(&child, "KILL");
    child.wait().expect("a child of ours");
    let checked = run(&["demo", "--verify", path]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
    assert!(text(&checked.stdout).contains(" 0 lost, 0 doubled"), "{}", text(&checked.stdout));
}
