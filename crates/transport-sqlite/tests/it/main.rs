//! The store against its contract: one binary for all of it.
#![allow(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod child;
mod conformance;
mod crash;
mod file;
mod full;
mod grouping;
mod handles;
mod history;
mod opening;
#[cfg(unix)]
mod permissions;
mod records;
mod refusals;
mod sharing;
mod support;
