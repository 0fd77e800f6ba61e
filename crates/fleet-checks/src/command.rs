//! `fleet-checks sim`: what it takes, what it prints, how it exits.

mod costs;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use fleet_checks::sim::swarm::{self, Swarm};
use fleet_checks::sim::{
    Planted, Report, SCENARIOS, Script, ScriptError, explain, fleet_repeats, plot, repeats, watch,
};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Sim {
    /// How many seeds of each scenario.
    #[arg(long, default_value_t = 50)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The scenario: a name, or the path of a file. Default: all that have a name.
    #[arg(long)]
    scenario: Option<String>,
    /// Draw a picture of the first seed of the scenario (default: swarm) into this file, and run nothing else.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Set ours beside the original at the rates of its records, run fleets of 1,000 servers, fail if those do not do what is
    /// wanted of them, and run nothing else.
    #[arg(long)]
    report: bool,
    /// Plant each bug in turn and say which seed brings it to light, and run nothing else.
    #[arg(long)]
    planted: bool,
    /// Stop at the first run in which this checker finds something, and fail if it finds nothing.
    #[arg(long, value_name = "CHECKER")]
    find: Option<String>,
}

impl Sim {
    pub(crate) fn run(&self) -> ExitCode {
        let done = if self.report {
            Ok(costs::tell_report())
        } else if self.planted {
            self.plant().map_err(Into::into)
        } else if let Some(checker) = &self.find {
            self.find(checker).map_err(Into::into)
        } else if let Some(file) = &self.plot {
            self.draw(file).map(|()| true)
        } else {
            self.swarm()
        };
        match done {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("fleet-checks: {error}");
                ExitCode::from(2)
            }
        }
    }

    /// Whether no checker found anything.
    fn swarm(&self) -> Result<bool, Box<dyn std::error::Error>> {
        let begin = Instant::now();
        repeats()?;
        let known = fleet_repeats();
        // Seeds of a machine that is being changed are worth running all the same.
        if let Err(why) = &known {
            eprintln!("fleet-checks: {why}");
        }
        let scripts = self.scripts()?;
        let total = scripts.len() as u64 * self.seeds;
        let (over, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        let shows = io::stderr().is_terminal();
        let seeds = self.seed..self.seed.saturating_add(self.seeds);
        let swarm = swarm::swarm(&scripts, seeds, &|_, _, report| {
            let failed = failed.fetch_add(u64::from(!report.violations.is_empty()), Ordering::Relaxed);
            let over = over.fetch_add(1, Ordering::Relaxed) + 1;
            if shows {
                eprint!("\r{} {over} of {total} runs, {failed} with violations", bar(over, total));
            }
            ControlFlow::Continue(())
        });
        if shows {
            eprint!("\r\x1b[K");
        }
        println!("{swarm}, {:.1} s", begin.elapsed().as_secs_f64());
        explain_first(&swarm, &scripts);
        Ok(known.is_ok() && swarm.violations.is_empty())
    }

    /// Whether the checker found something. Whatever others found is told, too.
    fn find(&self, checker: &str) -> Result<bool, ScriptError> {
        let scripts = self.scripts()?;
        let finds = |report: &Report| report.violations.iter().any(|(of, _)| *of == checker);
        let seeds = self.seed..self.seed.saturating_add(self.seeds);
        let swarm = swarm::swarm(&scripts, seeds, &|_, _, report| {
            if finds(report) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let mut others = BTreeMap::<&str, u64>::new();
        let all = swarm.violations.values().flatten().filter(|(of, _)| *of != checker);
        all.for_each(|(of, _)| *others.entry(of).or_default() += 1);
        let by_checker =
            |(_, found): &(_, &Vec<(&'static str, String)>)| found.iter().any(|(of, _)| *of == checker);
        let first = swarm.violations.iter().find(by_checker);
        let seed = first.map(|((name, seed), _)| format!("{checker} in {name}, seed {seed}"));
        let runs = swarm.runs;
        println!("{} ({runs} runs; others: {others:?})", seed.as_deref().unwrap_or("nothing found"));
        Ok(first.is_some())
    }

    /// Whether every bug was found.
    fn plant(&self) -> Result<bool, ScriptError> {
        let mut all = true;
        for planted in Planted::ALL {
            let script = Script::find(planted.scenario())?;
            let finds = |seed: &u64| {
                let report = swarm::seed(*seed, &script.scenario(*seed), Some(planted));
                report.violations.iter().any(|(checker, _)| *checker == planted.finder())
            };
            let found = (self.seed..self.seed.saturating_add(self.seeds)).find(finds);
            all &= found.is_some();
            let seed = found.map_or("not found".to_owned(), |seed| format!("seed {seed}"));
            println!("{planted:?}: {} in {}, {seed}", planted.finder(), planted.scenario());
        }
        Ok(all)
    }

    fn draw(&self, file: &PathBuf) -> Result<(), Box<dyn std::error::Error>> {
        let name = self.scenario.as_deref().unwrap_or("swarm");
        let scenario = Script::find(name)?.scenario(self.seed);
        let (report, watch) = watch(self.seed, &scenario, None);
        let title = format!("{name}, seed {}", self.seed);
        std::fs::write(file, plot(&title, &scenario, &watch.samples))?;
        println!("{}: {} s, {} violations", file.display(), report.seconds, report.violations.len());
        Ok(())
    }

    fn scripts(&self) -> Result<Vec<(String, Script)>, ScriptError> {
        let all = || SCENARIOS.map(|(name, _)| name.to_owned()).to_vec();
        let names = self.scenario.clone().map_or_else(all, |name| vec![name]);
        names.into_iter().map(|name| Script::find(&name).map(|script| (name, script))).collect()
    }
}

/// One failed run is explained: more would be too much to read.
fn explain_first(swarm: &Swarm, scripts: &[(String, Script)]) {
    let Some(((name, seed), violations)) = swarm.violations.iter().next() else { return };
    let script = scripts.iter().find(|(of, _)| of == name);
    if let (Some((_, script)), Some((checker, _))) = (script, violations.first()) {
        println!("\n{name}, seed {seed}: {}", explain(script, *seed, checker));
    }
}

fn bar(over: u64, total: u64) -> String {
    const WIDTH: u64 = 30;
    let full = (over * WIDTH).checked_div(total).unwrap_or(0);
    (0..WIDTH).map(|place| if place < full { '█' } else { '░' }).collect()
}
