//! Fleets of the real machines on virtual time: servers put together as in real use, random trouble, and checkers that know
//! nothing of how the machines work.

mod check;
mod checkpoint;
mod deeds;
mod excuses;
mod explain;
mod fleet;
mod forge;
mod ledger;
pub mod order;
mod owners;
pub mod parts;
pub mod planted;
mod plot;
pub mod pools;
mod repeat;
mod report;
mod run;
pub mod sample;
pub mod saves;
pub mod scenario;
pub mod script;
mod seats;
pub mod server;
mod shrink;
mod staleness;
pub mod swarm;
mod trouble;
mod updates;
mod views;

pub use explain::explain;
pub use parts::Parts;
pub use planted::Planted;
pub use plot::plot;
pub use pools::{Pools, Shown};
pub use repeat::{fleet_repeats, repeats};
pub use report::{Crowd, Scale, report, scale};
pub use run::{Report, Watch, run, watch};
pub use sample::Sample;
pub use saves::Saves;
pub use scenario::Scenario;
pub use script::{SCENARIOS, Script, ScriptError};
pub use server::Server;
