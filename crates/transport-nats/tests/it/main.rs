//! The adapter on real servers, each a test's own.
#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and not their helpers")]

mod access;
mod bus_faults;
mod conformance;
mod store_faults;
mod subjects;
mod support;
