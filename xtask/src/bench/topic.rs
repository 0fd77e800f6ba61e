//! Which topics there are: the benchmarks of the packages that measure.

use std::process::Command;

use crate::cargo;
use crate::metadata::Metadata;

/// The packages, in the order in which they run. The core's does without client libraries.
const PACKAGES: [&str; 3] = ["benches", "hot-paths", "benches-backends"];

/// A benchmark.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) name: String,
    package: &'static str,
}

/// All topics of this workspace.
pub(super) fn all(metadata: &Metadata) -> Vec<Topic> {
    let benchmarks = |package: &'static str| {
        let found = metadata.packages.iter().filter(move |found| found.name == package);
        let mut names: Vec<&str> = found.flat_map(|found| found.benchmarks()).collect();
        names.sort_unstable();
        names.into_iter().map(move |name| Topic { name: name.to_owned(), package })
    };
    PACKAGES.into_iter().flat_map(benchmarks).collect()
}

impl Topic {
    /// Runs it; what is added goes to its program.
    pub(super) fn command(&self) -> Command {
        cargo::cargo(&["bench", "--package", self.package, "--bench", &self.name, "--"])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Topic, all};

    #[test]
    fn topics_are_the_benchmarks_of_the_packages_that_measure() {
        let target = |name: &str, kind: &str| json!({ "name": name, "kind": [kind] });
        let package = |name: &str, targets: &[serde_json::Value]| json!({ "name": name, "publish": null, "dependencies": [], "targets": targets });
        let packages = [
            package("benches-backends", &[target("bus", "bench"), target("benches_backends", "lib")]),
            package("benches", &[target("store", "bench"), target("packer", "bench"), target("it", "test")]),
            package("nexus-store", &[target("other", "bench")]),
        ];
        let metadata = serde_json::from_value(json!({ "packages": packages })).unwrap();
        let topic = |name: &str, package| Topic { name: name.to_owned(), package };
        let expected = [("packer", "benches"), ("store", "benches"), ("bus", "benches-backends")];
        assert_eq!(all(&metadata), expected.map(|(name, package)| topic(name, package)));
    }
}
