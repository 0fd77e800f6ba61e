//! One run of a topic: how thorough it is, and where its results go.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use crate::figure::Figure;
use crate::report::context::Context;
use crate::report::{Files, sums, table};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Full,
    Quick,
    /// By `cargo test`: only to see that everything runs.
    Smoke,
}

/// One run of a topic's program.
#[derive(Clone, Debug)]
pub struct Run {
    files: Files,
    depth: Depth,
    begun: Instant,
    context: Context,
    /// The name to keep the figures under.
    save: Option<String>,
    /// The name of the figures to compare with.
    against: Option<String>,
}

impl Run {
    /// The run that the program's arguments ask for: cargo passes `--bench` to benchmarks and not to tests; ours are
    /// `--quick`, `--save NAME` and `--against NAME`. `target_tmpdir` is `env!("CARGO_TARGET_TMPDIR")`, which only a
    /// benchmark itself can read.
    #[must_use]
    pub fn from_args(topic: &'static str, target_tmpdir: &'static str) -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
        let behind =
            |wanted: &str| arguments.iter().skip_while(|argument| *argument != wanted).nth(1).cloned();
        let (depth, word) = match (has("--bench"), has("--quick")) {
            (false, _) => (Depth::Smoke, "smoke"),
            (true, true) => (Depth::Quick, "quick"),
            (true, false) => (Depth::Full, "full"),
        };
        let target = Path::new(target_tmpdir).parent().unwrap_or(Path::new("target"));
        Self {
            files: Files::new(target.join("bench"), topic),
            depth,
            begun: Instant::now(),
            context: Context::now(topic, word),
            save: behind("--save"),
            against: behind("--against"),
        }
    }

    /// Whether it is only to be seen that everything runs: nothing is written at the end.
    #[must_use]
    pub fn is_smoke(&self) -> bool {
        self.depth == Depth::Smoke
    }

    /// Notes the version of something that takes part and that the lock file does not know, as a server.
    pub fn note_version(&mut self, name: &str, version: String) {
        self.context.versions.insert(name.to_owned(), version);
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
        if self.is_smoke() { real.div_ceil(32) } else { real }
    }

    /// One of three numbers, for what would take too long in a quick run as in a full one. Figures whose value depends on
    /// it say it in their names.
    #[must_use]
    pub fn by_depth(&self, full: usize, quick: usize, smoke: usize) -> usize {
        match self.depth {
            Depth::Full => full,
            Depth::Quick => quick,
            Depth::Smoke => smoke,
        }
    }

    /// Prints the table and writes the files. A goal that was missed fails nothing.
    #[must_use]
    pub fn finish(mut self, figures: &[Figure]) -> ExitCode {
        if self.is_smoke() {
            return ExitCode::SUCCESS;
        }
        self.context.end(self.begun.elapsed().as_secs_f64());
        println!("\n## {}\n\n{}\n{}", self.context.topic, table(figures), sums(figures));
        println!("{}", self.context.paragraph());
        match self.keep(figures) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error}", self.context.topic);
                ExitCode::FAILURE
            }
        }
    }

    /// Writes the files. Compares first: the name to compare with may be the one to keep the figures under.
    fn keep(&self, figures: &[Figure]) -> io::Result<()> {
        let compared = self.against.as_ref().map(|name| self.files.against(name, figures));
        self.files.write(figures, &self.context)?;
        if let Some(name) = &self.save {
            self.files.save(name)?;
        }
        println!("written to {}", self.files.path("{json,run.json,md,svg}").display());
        compared.transpose()?.iter().for_each(|table| println!("\n{table}"));
        Ok(())
    }
}
