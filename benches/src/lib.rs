//! What the benchmarks share: figures and their report, interleaved timing, workloads from a seed, and models of peers.
//!
//! A benchmark is a file of `benches/`, one a topic. Its program measures ours and its peers in one run and ends with
//! [`Run::finish`], which prints the table and writes `target/bench/<topic>.json`:
//!
//! ```text
//! cargo xtask bench            every topic
//! cargo xtask bench packer     one
//! cargo xtask bench --quick    fewer rounds, same workloads
//! ```
//!
//! Fills and counts are exact and the same on every machine. Times are not: what counts is their ratio to the time of a
//! peer that ran in the same rounds.

pub mod figure;
pub mod measure;
pub mod models;
pub mod ours;
pub mod pools;
pub mod run;
pub mod saves;
pub mod tally;
pub mod wakeups;
pub mod workloads;

pub use figure::{Figure, Goal};
pub use run::Run;

/// Puts messages into frames. Each model is one, and so is ours.
pub trait Packer<M = workloads::Message> {
    /// Takes a message. Frames that leave because of it are shown to `sealed`.
    fn push(&mut self, message: &M, sealed: &mut dyn FnMut(&[u8]));

    /// Seals what is left.
    fn finish(&mut self, sealed: &mut dyn FnMut(&[u8]));
}
