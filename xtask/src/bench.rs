//! `cargo xtask bench`: the topics of the package `benches`, each of which prints its table and writes its file.

use std::io;

use crate::cargo;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Bench {
    /// One topic instead of all: the name of a file in `benches/benches`.
    topic: Option<String>,
    /// Fewer rounds: all topics within 3 minutes once they are built.
    #[arg(long)]
    quick: bool,
}

impl Bench {
    /// Runs the topics, and says whether they ran. A goal that was missed is in the table and fails nothing.
    ///
    /// # Errors
    /// If cargo cannot be started.
    pub(crate) fn run(&self) -> io::Result<bool> {
        cargo::cargo(&self.arguments()).status().map(|status| status.success())
    }

    fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["bench", "--package", "benches"];
        match &self.topic {
            Some(topic) => arguments.extend(["--bench", topic]),
            None => arguments.push("--benches"),
        }
        if self.quick {
            arguments.extend(["--", "--quick"]);
        }
        arguments
    }
}
