//! The tests of server-pool: machines in fleets on virtual time, hostile bytes, and the driver.

mod bus;
mod checkpoint;
mod convergence;
mod crowding;
mod driver;
mod echo;
mod fleet;
mod hostile;
mod join;
mod liveness;
mod ownership;
mod repair;
mod restart;
mod sending;
mod typed;
