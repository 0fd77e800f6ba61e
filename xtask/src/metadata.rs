//! The part of `cargo metadata`'s output that the commands read.

use std::path::PathBuf;

use serde::Deserialize;

use crate::cargo;

/// The workspace: its members, without what they depend on from outside.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    /// Where what is built goes.
    #[serde(default)]
    pub(crate) target_directory: PathBuf,
}

/// A crate of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The registries it may go to: `None` all, empty none.
    publish: Option<Vec<String>>,
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(default)]
    targets: Vec<Target>,
}

/// Something that is built.
#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A line of a crate's manifest that names another crate.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The crate's own name, whatever it is renamed to.
    pub(crate) name: String,
    /// `None` is a normal dependency.
    pub(crate) kind: Option<Kind>,
    /// The version demanded; `*` if none is.
    pub(crate) req: String,
    pub(crate) optional: bool,
    pub(crate) path: Option<String>,
}

/// What a dependency that is not a normal one is for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Build,
    Dev,
}

impl Package {
    /// Whether it may be published at all.
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }

    /// The names of its benchmarks.
    pub(crate) fn benchmarks(&self) -> impl Iterator<Item = &str> {
        let is_benchmark = |target: &&Target| target.kind.iter().any(|kind| kind == "bench");
        self.targets.iter().filter(is_benchmark).map(|target| target.name.as_str())
    }
}

impl Dependency {
    /// What it is for, in the words of a manifest.
    pub(crate) fn section(&self) -> &'static str {
        match self.kind {
            None => "dependencies",
            Some(Kind::Build) => "build-dependencies",
            Some(Kind::Dev) => "dev-dependencies",
        }
    }
}

/// Asks cargo about this workspace.
///
/// # Errors
/// A text for people, if cargo fails or its answer has another shape.
pub(crate) fn load() -> Result<Metadata, String> {
    let text = cargo::output(cargo::cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))
}
