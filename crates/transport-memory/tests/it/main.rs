//! The tests of the bus and the store in memory.
#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and not their helpers")]

mod bus_delivery;
mod bus_limits;
mod bus_queue;
mod bus_receive;
mod bus_stats;
mod conformance;
mod store_history;
mod store_limits;
mod store_race;
mod store_records;
mod support;
mod windows;
