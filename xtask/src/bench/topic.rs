//! Which topics there are: the benchmarks of the packages that measure.

use std::process::Command;

use crate::cargo;
use crate::metadata::Metadata;

/// The packages, in the order in which they run. The core's does without client libraries.
const PACKAGES: [&str; 3] = ["benches", CRITERION, "benches-backends"];

/// Its benchmark is criterion's, whose options have other names.
const CRITERION: &str = "hot-paths";

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

    /// Whether it leaves a table and a note on its run in the target folder.
    pub(super) fn has_table(&self) -> bool {
        self.package != CRITERION
    }

    /// The option by which figures are kept.
    pub(super) fn save(&self) -> &'static str {
        if self.package == CRITERION { "--save-baseline" } else { "--save" }
    }

    /// The option by which figures are compared.
    pub(super) fn against(&self) -> &'static str {
        if self.package == CRITERION { "--baseline" } else { "--against" }
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

    #[test]
    fn criterion_is_asked_in_its_own_words() {
        let options = |package| {
            let topic = Topic { name: "hot".into(), package };
            assert_eq!(topic.has_table(), package == "benches");
            [topic.save(), topic.against()]
        };
        assert_eq!(options("benches"), ["--save", "--against"]);
        assert_eq!(options("hot-paths"), ["--save-baseline", "--baseline"]);
    }
}
