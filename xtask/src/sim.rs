//! `cargo xtask sim`: whole fleets on virtual time, run by `fleet-checks`.

use std::io;

use crate::cargo;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Sim {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Sim {
    /// Runs the seeds, and says whether no checker found anything.
    ///
    /// # Errors
    /// If cargo cannot be started.
    pub(crate) fn run(&self) -> io::Result<bool> {
        let mut command =
            cargo::cargo(&["run", "--release", "--quiet", "--package", "fleet-checks", "--", "sim"]);
        command.args(["--seeds", &self.seeds.to_string(), "--seed", &self.seed.to_string()]);
        Ok(command.status()?.success())
    }
}
