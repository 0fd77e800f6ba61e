//! Whole runs over services: every server a process, and one of them killed with SIGKILL.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::thread;

use serde_json::Value;
use test_servers::{Nats, Postgres, Redis};

use crate::program::{assert_refused, nexus, run, signal, start, text, wait_for_durable};

/// A run over these services keeps every promise.
fn check(bus: &str, store: &str) {
    let services = ["--bus", bus, "--store", store];
    let size = ["--servers", "4", "--players", "40", "--seconds", "6", "--json"];
    let output = run(&[&["demo"], &services[..], &size[..]].concat());
    let said = format!("{services:?}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["coins_by_ledger"], report["coins_by_file"], "{said}");
    for measured in ["durable", "requests_used", "store_writes", "seen", "converged_after_crash_ms"] {
        assert!(report[measured].as_f64().is_some_and(|figure| figure > 0.0), "{measured}: {said}");
    }
    assert!(report["requests_allowed"].is_null(), "these services count no requests");
}

/// Runs over this bus on a store of every kind, all at the same time.
fn check_on_every_store(test: &str, bus: impl FnOnce(&[String; 3]) -> String) {
    let (redis, nats) = (Redis::start(test, &[]), Nats::start(test, ""));
    let (Some(redis), Some(nats), Some(postgres)) = (redis, nats, Postgres::shared(test)) else { return };
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let services = [redis.url(), nats.url(), postgres.url("postgres")];
    let (bus, file) = (&bus(&services), sqlite(&folder.path().join("demo.sqlite")));
    thread::scope(|runs| {
        for store in services.iter().chain([&file]) {
            runs.spawn(move || check(bus, store));
        }
    });
}

fn sqlite(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

#[test]
fn redis_carries_a_fleet_of_processes_on_every_store() {
    check_on_every_store("services::redis_carries_a_fleet_of_processes_on_every_store", |[redis, ..]| {
        redis.clone()
    });
}

#[test]
fn nats_carries_a_fleet_of_processes_on_every_store() {
    check_on_every_store("services::nats_carries_a_fleet_of_processes_on_every_store", |[_, nats, _]| {
        nats.clone()
    });
}

#[test]
fn postgres_carries_a_fleet_of_processes_on_every_store() {
    check_on_every_store(
        "services::postgres_carries_a_fleet_of_processes_on_every_store",
        |[.., postgres]| postgres.clone(),
    );
}

#[test]
fn redis_and_a_file_carry_a_fleet_that_is_killed_as_a_whole() {
    let test = "services::redis_and_a_file_carry_a_fleet_that_is_killed_as_a_whole";
    let Some(redis) = Redis::start(test, &[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo.sqlite");
    let (url, path) = (redis.url(), data.to_str().unwrap());
    let store = sqlite(&data);
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

/// A run during which `trouble` happens, as soon as records were written several times each: its exit code and report.
fn run_through(bus: &str, store: &str, trouble: impl FnOnce()) -> (Option<i32>, Value) {
    let services = ["demo", "--bus", bus, "--store", store, "--json"];
    // Long enough that the server which joins does so when the trouble is over.
    let size = ["--servers", "4", "--players", "8", "--seconds", "16"];
    let mut run = nexus(&[&services[..], &size[..]].concat()).spawn().expect("the program starts");
    let mut view = BufReader::new(run.stderr.take().expect("it is piped")).lines();
    let durable = |line: &str| line.split_once(" durable)")?.0.rsplit_once(' ')?.1.parse::<u32>().ok();
    assert!(view.any(|line| durable(&line.expect("text")) > Some(20)), "no line says so");
    trouble();
    assert!(view.all(|line| line.is_ok()));
    let output = run.wait_with_output().expect("a child of ours");
    let report = serde_json::from_slice(&output.stdout).expect("one JSON object");
    (output.status.code(), report)
}

#[test]
fn a_store_that_forgets_what_it_acknowledged_is_found_out() {
    let test = "services::a_store_that_forgets_what_it_acknowledged_is_found_out";
    // It writes nothing to its disk.
    let (Some(bus), Some(mut store)) = (Redis::start(test, &[]), Redis::start(test, &[])) else { return };
    let url = store.url();
    let (code, report) = run_through(&bus.url(), &url, || store.restart());
    assert_eq!(code, Some(1), "{report:#}");
    assert!(report["lost"].as_u64().is_some_and(|lost| lost > 0), "{report:#}");
}

#[test]
fn a_redis_that_is_killed_and_restarted_costs_no_promise() {
    let test = "services::a_redis_that_is_killed_and_restarted_costs_no_promise";
    let Some(mut redis) = Redis::start(test, &["--appendonly", "yes", "--appendfsync", "always"]) else {
        return;
    };
    let url = redis.url();
    let (code, report) = run_through(&url, &url, || redis.restart());
    assert_eq!(code, Some(0), "{report:#}");
}

#[test]
fn a_nats_server_that_is_killed_and_restarted_costs_no_promise() {
    let test = "services::a_nats_server_that_is_killed_and_restarted_costs_no_promise";
    let Some(mut nats) = Nats::start_durable(test) else { return };
    let url = nats.url();
    let (code, report) = run_through(&url, &url, || nats.restart());
    assert_eq!(code, Some(0), "{report:#}");
}

#[test]
fn a_postgres_that_is_killed_and_restarted_costs_no_promise() {
    let test = "services::a_postgres_that_is_killed_and_restarted_costs_no_promise";
    let Some(mut postgres) = Postgres::start(test, &["fsync=on"]) else { return };
    let url = postgres.url("postgres");
    let (code, report) = run_through(&url, &url, || postgres.restart());
    assert_eq!(code, Some(0), "{report:#}");
}

#[test]
fn a_store_that_cannot_be_used_is_refused_and_its_url_not_shown() {
    let test = "services::a_store_that_cannot_be_used_is_refused_and_its_url_not_shown";
    let Some(redis) = Redis::start(test, &[]) else { return };
    let wrong = [
        ("memory", "URL of the store"),
        ("mysql://secret", "URL of the store"),
        ("redis://:secret@127.0.0.1:1", "cannot use the store"),
        ("nats://:secret@127.0.0.1:1", "cannot use the store"),
        ("postgres://u:secret@127.0.0.1:1", "cannot use the store"),
        ("sqlite:/no such folder/x", "no such folder"),
    ];
    for (store, says) in wrong {
        let output = run(&["demo", "--bus", &redis.url(), "--store", store]);
        assert_refused(&output, says);
        assert!(!text(&output.stderr).contains("secret"), "{}", text(&output.stderr));
    }
}
