//! Tests of `nexus-store` through its public parts: machines in a simulated world, and the driver.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod functions;
mod guards;
mod original_world;
mod world;

mod contest;
mod crowd;
mod deletion;
mod driver;
mod faults;
mod fleet;
mod hostile;
mod limits;
mod local;
mod once;
mod original;
mod original_found;
mod original_heard;
mod original_random;
mod outage;
mod overwriting;
mod scenarios;
mod tags;
mod typed;
mod whole;
