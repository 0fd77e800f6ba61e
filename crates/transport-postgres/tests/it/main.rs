//! The adapter on real servers.
#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and not their helpers")]

mod access;
mod bus_faults;
mod conformance;
mod store_faults;
mod support;
mod tables;
mod writes;
