//! `fleet-checks sim`: what it takes, what it prints, how it exits.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use fleet_checks::sim::swarm::{self, Swarm};
use fleet_checks::sim::{
    Planted, SCENARIOS, Scale, Script, ScriptError, explain, plot, report, scale, watch,
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
    /// Set ours beside the original at the rates of its records, and run nothing else.
    #[arg(long)]
    report: bool,
    /// Plant each bug in turn and say which seed brings it to light, and run nothing else.
    #[arg(long)]
    planted: bool,
}

impl Sim {
    pub(crate) fn run(&self) -> ExitCode {
        let done = if self.report {
            tell_report();
            Ok(true)
        } else if self.planted {
            self.plant().map_err(Into::into)
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
        });
        if shows {
            eprint!("\r\x1b[K");
        }
        println!("{swarm}, {:.1} s", begin.elapsed().as_secs_f64());
        explain_first(&swarm, &scripts);
        Ok(swarm.violations.is_empty())
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

fn tell_report() {
    println!("{}", report());
    eprintln!(
        "1,000 servers for a minute come next: that took more than nine minutes and 6 GB where it was last tried"
    );
    let begin = Instant::now();
    let Scale { deliveries, fewest, entries } = scale();
    println!(
        "1,000 servers, {entries} entries, 60 simulated seconds: {deliveries} deliveries, every server knows at least \
         {fewest} entries, {:.1} s of one core here",
        begin.elapsed().as_secs_f64()
    );
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
