//! Tests of the ports' own logic: limits, errors, time, and what every implementation gets for free.

mod bucket;
mod bus;
mod error;
mod rate;
mod size;
mod store;
mod time;
#[cfg(feature = "tokio")]
mod tokio_timer;
