//! Replays recordings of the original sources: what was compatible must come out the same, what was wrong, right.

mod bus;
mod compare;
mod compare_saves;
mod deviations;
mod functions;
mod judge;
mod judge_saves;
mod ledger;
mod recording;
mod report;
mod saves;
mod store;
mod value;
mod world;

pub use self::deviations::{DEVIATIONS, Deviation};
pub use self::recording::{ReadError, Recording};
pub use self::report::{Outcome, Report};

use self::recording::{Kind, Scenario};
use self::world::{Manner, World};

/// Calls to the bulk messaging service, and those that end a server.
const BULK_CALLS: [&str; 6] = ["Close", "Crash", "ExternalPublish", "FlushMessages", "Publish", "Subscribe"];

/// Calls to save data.
const SAVE_DATA_CALLS: [&str; 15] = [
    "DataLoadedSuccessfully",
    "Disconnect",
    "Flush",
    "FlushAll",
    "Get",
    "Increment",
    "ListKeys",
    "OnUpdate",
    "Open",
    "RemoveFromCache",
    "Set",
    "SetAllowOverwriteOfFailedLoad",
    "SetSameTable",
    "SetSendDataChangeUpdates",
    "Update",
];

/// Replays every scenario of a recording.
#[must_use]
pub fn replay(recording: &Recording, deviations: &[Deviation]) -> Report {
    let outcome = |scenario: &Scenario| (scenario.name.clone(), replay_one(scenario, deviations));
    Report::new(recording.scenarios.iter().map(outcome).collect())
}

fn replay_one(scenario: &Scenario, deviations: &[Deviation]) -> Outcome {
    let calls = || scenario.calls.iter().map(|call| call.call.as_str());
    if let Some(unknown) = calls().find(|call| !BULK_CALLS.contains(call) && !SAVE_DATA_CALLS.contains(call))
    {
        return Outcome::Unjudged(format!("the call {unknown} is not known"));
    }
    match scenario.kind {
        Kind::Compat => {
            let observed = World::run(scenario, Manner::Strict);
            deviations::apply(scenario, compare::compare(scenario, &observed), deviations)
        }
        Kind::Hazard => judge::judge(scenario, &World::run(scenario, Manner::Default)),
    }
}
