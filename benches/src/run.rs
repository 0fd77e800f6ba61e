//! One run of a topic: how thorough it is, and where its results go.

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use crate::figure::{Figure, Row, table};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Full,
    Quick,
    /// By `cargo test`: only to see that everything runs.
    Smoke,
}

/// One run of a topic's program.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    topic: &'static str,
    /// What cargo lets the program know about its target folder: a folder in it.
    target_tmpdir: &'static str,
    depth: Depth,
}

impl Run {
    /// The run that the program's arguments ask for: cargo passes `--bench` to benchmarks and not to tests.
    /// `target_tmpdir` is `env!("CARGO_TARGET_TMPDIR")`, which only a benchmark itself can read.
    #[must_use]
    pub fn from_args(topic: &'static str, target_tmpdir: &'static str) -> Self {
        let has = |wanted: &str| std::env::args().any(|arg| arg == wanted);
        let depth = match (has("--bench"), has("--quick")) {
            (false, _) => Depth::Smoke,
            (true, true) => Depth::Quick,
            (true, false) => Depth::Full,
        };
        Self { topic, target_tmpdir, depth }
    }

    /// How many rounds are timed where a full run times `full`.
    #[must_use]
    pub fn rounds(&self, full: usize) -> usize {
        match self.depth {
            Depth::Full => full,
            Depth::Quick => full.div_ceil(8),
            Depth::Smoke => 1,
        }
    }

    /// How many items a workload has where a real run takes `real`. Quick runs take as many as full ones, so that
    /// figures without noise are the same in both.
    #[must_use]
    pub fn items(&self, real: usize) -> usize {
        if self.depth == Depth::Smoke { real.div_ceil(32) } else { real }
    }

    /// Prints the table and writes the file. A goal that was missed fails nothing.
    #[must_use]
    pub fn finish(&self, figures: &[Figure]) -> ExitCode {
        if self.depth == Depth::Smoke {
            return ExitCode::SUCCESS;
        }
        println!("\n## {}\n\n{}", self.topic, table(figures));
        let met = |wanted| figures.iter().filter(|figure| figure.met() == wanted).count();
        println!("{} goals met, {} missed", met(Some(true)), met(Some(false)));
        match self.write(figures) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("the file of the figures could not be written: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn write(&self, figures: &[Figure]) -> io::Result<()> {
        let target = Path::new(self.target_tmpdir).parent().unwrap_or(Path::new("target"));
        let folder = target.join("bench");
        fs::create_dir_all(&folder)?;
        let rows: Vec<Row<'_>> = figures.iter().map(Figure::row).collect();
        let file = folder.join(format!("{}.json", self.topic));
        fs::write(&file, serde_json::to_string_pretty(&rows)? + "\n")?;
        println!("written to {}", file.display());
        Ok(())
    }
}
