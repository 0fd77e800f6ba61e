//! `nexus demo`: a small fleet that is broken on purpose, and a ledger of what it promised. Its servers are in this
//! process, or each in one of its own.

mod backends;
mod convergence;
mod deeds;
mod fleet;
mod ground;
mod host;
mod judge;
mod ledger;
mod live_view;
mod observed;
mod operation;
mod player;
mod process;
mod protocol;
mod report;
mod saved;
mod seat;
mod serve;
mod server;
mod side_ledger;
mod stage;
mod tally;
mod traffic;
mod verify;

use crate::args::DemoArgs;
use crate::failure::Failure;

/// Runs the demonstration, or checks the file of an earlier one; true if every promise was kept.
pub(crate) fn run(args: &DemoArgs) -> Result<bool, Failure> {
    if let Some(data) = &args.verify {
        return verify::run(data);
    }
    let temporary = tempfile::tempdir().map_err(|error| Failure::because("no temporary folder", &error))?;
    let report = runtime()?.block_on(stage::play(args, temporary.path()))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report is plain data"));
    } else {
        println!("{report}");
    }
    Ok(report.is_ok())
}

/// Runs one server of a demonstration's fleet.
pub(crate) fn serve() -> Result<bool, Failure> {
    let runtime = runtime()?;
    let served = runtime.block_on(serve::serve());
    // A thread may wait for the next line of the standard input for ever.
    runtime.shutdown_background();
    served.map(|()| true)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::because("no runtime", &error))
}
