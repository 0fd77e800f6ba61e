//! Fleets of the real machines on virtual time: servers put together as in real use, random trouble, and checkers that know
//! nothing of how the machines work.

mod check;
mod ledger;
pub mod order;
pub mod planted;
pub mod pools;
mod run;
pub mod saves;
pub mod scenario;
pub mod server;
pub mod swarm;

pub use planted::Planted;
pub use pools::{Pools, Shown};
pub use run::{Report, run};
pub use saves::Saves;
pub use scenario::Scenario;
pub use server::{Parts, Server};
