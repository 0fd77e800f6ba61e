//! The tests of `bulk-messaging`, in one binary.

mod budget;
mod configuration;
mod conflation;
mod delivery;
mod drain;
mod driver;
mod fleet;
mod hostile;
mod packing;
mod priorities;
mod queue;
mod receiving;
mod retries;
mod subscriptions;
mod support;
mod wire;
