//! The integration tests of `fleet-sim`.

mod bus;
mod lifecycle;
mod process;
mod rates;
mod repeat;
mod store;
mod support;
