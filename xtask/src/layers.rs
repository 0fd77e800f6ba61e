//! The layers of the workspace, and the check that every arrow between its crates runs downwards.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::metadata::{Dependency, Kind, Metadata, Package};

/// The crates of each layer, from layer 0 up. A crate may depend on crates of lower layers alone.
const LAYERS: [&[&str]; 7] = [
    &["transport-traits"],
    &["fleet-sim", "test-servers", "transport-adapter", "transport-conformance", "transport-mocks"],
    &["transport-memory", "transport-nats", "transport-postgres", "transport-redis", "transport-sqlite"],
    &["bulk-messaging", "nexus-store", "server-pool"],
    &["fleet-checks", "nexus-cli"],
    &["benches", "nexus-fuzz", "xtask"],
    &["benches-backends", "hot-paths"],
];

/// The layers that run on any async runtime, or on none: their crates stand alone without features.
const RUNTIME_FREE: [usize; 2] = [0, 3];

const RUNTIMES: [&str; 3] = ["async-std", "smol", "tokio"];

/// The layer of the crate of this name, if it has one.
fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|crates| crates.contains(&name))
}

/// Whether the crate of this name must build alone, without features and without a runtime.
pub(crate) fn is_runtime_free(name: &str) -> bool {
    layer(name).is_some_and(|layer| RUNTIME_FREE.contains(&layer))
}

/// Everything that is wrong with the dependencies of this workspace, a line each; nothing if all is well.
pub(crate) fn problems(metadata: &Metadata) -> Vec<String> {
    let members = metadata.packages.iter().map(|package| (package.name.as_str(), package)).collect();
    metadata.packages.iter().flat_map(|package| problems_of(package, &members)).collect()
}

type Members<'a> = BTreeMap<&'a str, &'a Package>;

fn problems_of(package: &Package, members: &Members<'_>) -> Vec<String> {
    let name = &package.name;
    let Some(layer) = layer(name) else {
        return vec![format!("{name} has no layer: say its layer in xtask/src/layers.rs")];
    };
    let mut problems = Vec::new();
    for dependency in &package.dependencies {
        let found = match members.get(dependency.name.as_str()) {
            Some(target) => inside(package, layer, dependency, target),
            None => outside(name, dependency).into_iter().collect(),
        };
        let place = format!("{name}, [{}], {}", dependency.section(), dependency.name);
        problems.extend(found.iter().map(|problem| format!("{place}: {problem}")));
    }
    problems
}

/// What is wrong with a dependency on another crate of the workspace.
fn inside(package: &Package, from: usize, dependency: &Dependency, target: &Package) -> Vec<String> {
    let is_dev = dependency.kind == Some(Kind::Dev);
    let mut problems = Vec::new();
    // A crate without a layer is reported once, as itself.
    if let Some(to) = layer(&target.name).filter(|&to| to >= from) {
        problems.push(format!("an arrow from layer {from} to layer {to}; arrows run strictly downwards"));
    }
    if package.name == "xtask" {
        problems.push("xtask works while any crate is broken, so it depends on none".into());
    }
    if dependency.path.is_none() {
        problems.push("a crate of the workspace is taken by its path".into());
    }
    if is_dev && dependency.req != "*" {
        problems.push("a dev-dependency within the workspace carries a path and no version".into());
    }
    if !is_dev && package.is_published() && !target.is_published() {
        problems.push("a published crate depends on an unpublished one".into());
    }
    problems
}

/// What is wrong with a dependency on a crate from elsewhere.
fn outside(name: &str, dependency: &Dependency) -> Option<String> {
    let brings_runtime =
        RUNTIMES.contains(&dependency.name.as_str()) && dependency.kind.is_none() && !dependency.optional;
    (brings_runtime && is_runtime_free(name)).then(|| "this layer has no runtime but an optional one".into())
}
