//! Tests of the layer check: workspaces in which one thing is wrong.

use serde_json::{Value, json};

use super::{LAYERS, problems};

/// A dependency within the workspace, as cargo describes one that has a path and a version.
fn on(name: &str) -> Value {
    json!({"name": name, "kind": null, "req": "^0.1.0", "optional": false, "path": format!("/w/{name}")})
}

/// The same, with fields changed.
fn on_with(name: &str, changes: &[(&str, Value)]) -> Value {
    let mut dependency = on(name);
    changes.iter().for_each(|(field, value)| dependency[field] = value.clone());
    dependency
}

fn dev(name: &str) -> Value {
    on_with(name, &[("kind", json!("dev")), ("req", json!("*"))])
}

fn external(name: &str, optional: bool) -> Value {
    on_with(name, &[("path", Value::Null), ("optional", json!(optional))])
}

/// A published crate.
fn package(name: &str, dependencies: &[Value]) -> Value {
    json!({"name": name, "publish": null, "dependencies": dependencies})
}

fn unpublished(name: &str, dependencies: &[Value]) -> Value {
    json!({"name": name, "publish": [], "dependencies": dependencies})
}

/// Each expectation is a part of one problem, in order.
fn check(packages: &[Value], expect: &[&str]) {
    let metadata = serde_json::from_value(json!({ "packages": packages })).unwrap();
    let found = problems(&metadata);
    assert_eq!(found.len(), expect.len(), "{found:#?}");
    for (found, part) in found.iter().zip(expect) {
        assert!(found.contains(part), "{found:?} does not say {part:?}");
    }
}

#[test]
fn a_workspace_whose_arrows_run_downwards_has_no_problem() {
    check(
        &[
            package("transport-traits", &[external("tokio", true), external("bytes", false)]),
            unpublished("transport-mocks", &[on("transport-traits")]),
            package("transport-memory", &[on("transport-traits"), external("tokio", false)]),
            package(
                "nexus-store",
                &[on("transport-traits"), dev("transport-mocks"), dev("transport-memory")],
            ),
            unpublished("nexus-cli", &[on("nexus-store"), on("transport-memory"), external("tokio", false)]),
            unpublished("xtask", &[external("clap", false)]),
        ],
        &[],
    );
}

#[test]
fn an_arrow_that_runs_upwards_is_found_whatever_its_kind() {
    let nexus_store = package("nexus-store", &[]);
    let build = on_with("nexus-store", &[("kind", json!("build"))]);
    for arrow in [on("nexus-store"), dev("nexus-store"), build] {
        check(
            &[package("transport-memory", &[arrow]), nexus_store.clone()],
            &["an arrow from layer 2 to layer 3"],
        );
    }
}

#[test]
fn the_place_of_a_problem_is_named() {
    check(
        &[package("transport-memory", &[dev("nexus-store")]), package("nexus-store", &[])],
        &["transport-memory, [dev-dependencies], nexus-store: "],
    );
}

#[test]
fn crates_of_one_layer_do_not_know_each_other() {
    check(
        &[package("nexus-store", &[on("bulk-messaging")]), package("bulk-messaging", &[])],
        &["an arrow from layer 3 to layer 3"],
    );
}

#[test]
fn a_crate_without_a_layer_is_an_error_that_says_where_to_name_it() {
    check(
        &[package("server-pool", &[on("newcomer")]), package("newcomer", &[])],
        &["newcomer has no layer: say its layer in xtask/src/layers.rs"],
    );
}

#[test]
fn a_dev_dependency_within_the_workspace_carries_no_version() {
    let versioned = on_with("transport-mocks", &[("kind", json!("dev"))]);
    check(
        &[package("nexus-store", &[versioned]), unpublished("transport-mocks", &[])],
        &["carries a path and no version"],
    );
}

#[test]
fn a_crate_of_the_workspace_is_not_taken_from_a_registry() {
    check(
        &[package("nexus-store", &[external("transport-traits", false)]), package("transport-traits", &[])],
        &["taken by its path"],
    );
}

#[test]
fn xtask_depends_on_no_crate_of_the_workspace() {
    check(
        &[unpublished("xtask", &[on("transport-traits")]), package("transport-traits", &[])],
        &["xtask works while any crate is broken"],
    );
}

#[test]
fn a_published_crate_depends_on_an_unpublished_one_in_its_tests_alone() {
    let mocks = unpublished("transport-mocks", &[]);
    check(&[package("transport-memory", &[dev("transport-mocks")]), mocks.clone()], &[]);
    check(
        &[package("transport-memory", &[on("transport-mocks")]), mocks],
        &["a published crate depends on an unpublished one"],
    );
}

#[test]
fn the_layers_of_ports_and_of_machines_have_no_runtime_of_their_own() {
    let in_tests = on_with("tokio", &[("path", Value::Null), ("kind", json!("dev"))]);
    check(&[package("server-pool", &[in_tests, external("smol", true)])], &[]);
    for runtime in ["async-std", "smol", "tokio"] {
        check(&[package("server-pool", &[external(runtime, false)])], &["no runtime but an optional one"]);
        check(&[package("transport-redis", &[external(runtime, false)])], &[]);
    }
}

#[test]
fn no_crate_stands_in_two_layers() {
    let mut all = LAYERS.concat();
    all.sort_unstable();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
}
