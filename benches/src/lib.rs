//! What the benchmarks share: figures and their report, interleaved timing, workloads from a seed, and models of peers.
//!
//! A benchmark is a file of `benches/`, one a topic. Its program measures ours and its peers in one run and ends with
//! [`Run::finish`], which prints the table, compares it with an earlier one where asked to, and writes the files of
//! [`report`]:
//!
//! ```text
//! cargo xtask bench                       every topic, those of benches-backends and hot-paths too
//! cargo xtask bench packer                one
//! cargo xtask bench --quick               fewer rounds, and smaller workloads where names say so
//! cargo xtask bench --save before         keeps the figures under a name
//! cargo xtask bench --against before      sets them beside the new ones, and marks what is more than noise
//! ```
//!
//! What takes turns with its peers is timed by [`measure`]: whatever slows the machine for a while slows all of them, and
//! the ratio stays. Criterion times one subject after the other, so a ratio of its times would hold whatever changed on
//! the machine in between; its statistics serve where one thing is measured by itself, which is the package `hot-paths`.
//!
//! Fills and counts are exact and the same on every machine, but for those of a peer without a seed. Times are not: what
//! counts is their ratio to the time of a peer that ran in the same rounds. A [`Figure`] is made as the one or the other.

pub mod compare;
pub mod figure;
mod infinite;
pub mod lookups;
pub mod measure;
pub mod models;
pub mod ours;
pub mod packing;
pub mod pools;
pub mod report;
pub mod run;
pub mod saves;
pub mod scaling;
pub mod session;
pub mod spread;
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
