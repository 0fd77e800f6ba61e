//! Benchmarks over real servers: bulk messages and save data through each adapter, beside its plain client.
//!
//! ```text
//! cargo xtask bench bus         delivered messages a second, and how late a message is
//! cargo xtask bench backends    increments a second of one record
//! ```
//!
//! It is a package of its own so that no client library is built for the other topics. Servers are private ones on this
//! machine, started by `test-servers`; rows of a server that is not installed are left out, and named as skipped.
//!
//! # What is measured
//!
//! A **way** leads from a sender to a receiver over one server. The two have connections and a thread of their own, as on
//! two servers of a fleet; both stand in this process, so that one clock is enough. Over every way travel the
//! same [bodies](ledger::body), and on every way the receiver does the same: it enters each into a
//! [`Ledger`](ledger::Ledger). A round begins with the first send and ends when the last body was entered. A round that
//! loses, doubles or swaps a body ends the program.
//!
//! Ours is bulk messaging with its defaults over the adapter with its defaults. How the peers are used:
//!
//! | peer | how it sends |
//! |---|---|
//! | `redis`, 64 in flight | one multiplexed connection, 64 `PUBLISH` under way, each awaited |
//! | `redis`, pipelines | 100 `PUBLISH` in a pipeline that ignores the answers, one pipeline after the other |
//! | `async-nats` | `publish` after `publish`, which the client puts together into writes as it sees fit |
//! | `tokio-postgres` | `SELECT pg_notify($1, $2)`, prepared, on one connection: awaited one by one, or 64 under way, which the client pipelines |
//!
//! Servers run with what `test-servers` gives them. For speed that matters in three places, each in favour of the peer:
//! Redis persists nothing, PostgreSQL has `fsync=off`, and JetStream's file store syncs every two minutes. So a write that
//! is awaited costs little more than its round trip.

pub mod late;
pub mod ledger;
pub mod nats;
mod ours;
pub mod postgres;
pub mod redis;
pub mod versions;
mod way;

pub use way::{Heard, Sender, Sides, Way};
