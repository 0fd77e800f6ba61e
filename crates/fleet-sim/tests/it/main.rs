//! The integration tests of `fleet-sim`.

mod bus;
mod lifecycle;
mod rates;
mod repeat;
mod store;
mod support;
