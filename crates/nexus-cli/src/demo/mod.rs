//! `nexus demo`: a small fleet that is broken on purpose, and a ledger of what it promised.

mod convergence;
mod fleet;
mod judge;
mod ledger;
mod live_view;
mod observed;
mod operation;
mod player;
mod report;
mod saved;
mod seat;
mod server;
mod side_ledger;
mod stage;
mod tally;
mod traffic;
mod verify;

use std::path::Path;

use crate::args::DemoArgs;
use crate::failure::Failure;

/// Runs the demonstration, or checks the file of an earlier one; true if every promise was kept.
pub(crate) fn run(args: &DemoArgs) -> Result<bool, Failure> {
    if let Some(data) = &args.verify {
        return verify::run(data);
    }
    let temporary = tempfile::tempdir().map_err(|error| Failure::because("no temporary folder", &error))?;
    let data = args.data.clone().unwrap_or_else(|| temporary.path().join("demo.sqlite"));
    let report = play(args, &data)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report is plain data"));
    } else {
        println!("{report}");
    }
    Ok(report.is_ok())
}

fn play(args: &DemoArgs, data: &Path) -> Result<report::Report, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::because("no runtime", &error))?;
    runtime.block_on(stage::play(args, data))
}
