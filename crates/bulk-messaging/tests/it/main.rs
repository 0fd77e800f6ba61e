//! The tests of `bulk-messaging`, in one binary.

mod budget;
mod churn;
mod compact;
mod configuration;
mod conflation;
mod delivery;
mod drain;
mod driver;
mod fleet;
mod fragments;
mod hostile;
mod hostile_compact;
mod lanes;
mod lives;
mod logging;
mod packing;
mod panics;
mod priorities;
mod queue;
mod receiving;
mod retries;
mod strict;
mod subscriptions;
mod support;
mod wire;
