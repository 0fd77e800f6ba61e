//! `cargo xtask sim`: whole fleets on virtual time, run by `fleet-checks`.

mod mutants;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use crate::cargo;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Sim {
    /// How many seeds of each scenario. Default 50.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed. Default 1.
    #[arg(long)]
    seed: Option<u64>,
    /// The scenario: a name, or the path of a file. Default: all that have a name.
    #[arg(long)]
    scenario: Option<String>,
    /// Stop at the first run in which this checker finds something, and fail if it finds nothing.
    #[arg(long, value_name = "CHECKER")]
    find: Option<String>,
    /// Draw a picture of the first seed of the scenario (default: swarm) into this file, and run nothing else.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Set ours beside the original at the rates of its records, and run nothing else.
    #[arg(long)]
    report: bool,
    /// Plant each bug in turn and say which seed brings it to light, and run nothing else.
    #[arg(long)]
    planted: bool,
    /// Put each bug of `crates/fleet-checks/mutants.toml`, or those whose name contains this, into a copy of the machines, and
    /// say which seed brings it to light; run nothing else. It takes long.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    mutants: Option<String>,
}

impl Sim {
    /// Runs the seeds, and says whether no checker found anything.
    ///
    /// # Errors
    /// If cargo cannot be started, or the current folder is gone.
    pub(crate) fn run(&self) -> io::Result<bool> {
        if let Some(name) = &self.mutants {
            return mutants::run(name).map_err(io::Error::other);
        }
        let mut command =
            cargo::cargo(&["run", "--release", "--quiet", "--package", "fleet-checks", "--", "sim"]);
        // The program runs at the top of the workspace, paths are meant from here.
        let scenario = self.scenario.as_ref().map(|name| match PathBuf::from(name) {
            path if path.is_file() => std::path::absolute(path).map(OsString::from),
            _ => Ok(OsString::from(name)),
        });
        let options = [
            ("--seeds", self.seeds.map(|seeds| seeds.to_string().into())),
            ("--seed", self.seed.map(|seed| seed.to_string().into())),
            ("--scenario", scenario.transpose()?),
            ("--find", self.find.as_ref().map(OsString::from)),
            ("--plot", self.plot.as_ref().map(std::path::absolute).transpose()?.map(OsString::from)),
        ];
        for (name, value) in options.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            command.arg(name).arg(value);
        }
        command.args(self.report.then_some("--report")).args(self.planted.then_some("--planted"));
        Ok(command.status()?.success())
    }
}
