//! One suite of tests for every implementation of the ports of [`transport_traits`]: whoever passes it keeps
//! their contract, as far as tests can tell.
//!
//! There is one list of cases for stores and one for buses. [`store_tests!`] and [`bus_tests!`] make a
//! `#[test]` of each case, so that its name shows. They are told how to set up what is tested and how
//! to run a future:
//!
//! ```
//! use std::sync::Arc;
//! use transport_conformance::Stores;
//! # use transport_traits::DataStore;
//! # async fn connect() -> Arc<dyn DataStore> { std::future::pending().await }
//!
//! /// Called for every test: an empty store that no other test uses.
//! async fn stores(_test: &'static str) -> Option<Stores> {
//!     let here = connect().await;
//!     Some(Stores::new(here.clone(), here))
//! }
//!
//! mod store {
//!     transport_conformance::store_tests!(setup: super::stores, run: futures::executor::block_on);
//! }
//! ```
//!
//! # What a setup owes
//!
//! - A store or a bus that holds nothing and that nobody else uses, seen by two servers of a fleet.
//! - Limits that bite: sizes are tested at and just over each limit of up to 16 MiB, so give limits that low
//!   where the adapter lets you. No rates: cases call as fast as they can.
//! - `None` if what it needs is absent (a server that is not installed), having said so: the test then
//!   passes without testing anything.
//!
//! # What is tested
//!
//! Capabilities that an implementation has are tested to work, and those that it has not to refuse. Buses
//! are best-effort, but on an idle loopback nothing is lost: that is demanded. A case that has not ended
//! after a minute fails; otherwise nothing is measured. The crate runs on any async runtime.

mod bus;
mod list;
mod store;
#[doc(hidden)]
pub mod support;
mod watchdog;

pub use bus::{Bus, Buses, check_bus};
pub use store::{Stores, check_store};

#[doc(hidden)]
pub mod cases {
    //! The cases by name.
    pub use crate::bus::CASES as BUS;
    pub use crate::store::CASES as STORE;
}
