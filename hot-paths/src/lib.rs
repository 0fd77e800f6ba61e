//! The hot paths: what is called for every message, operation or read, each alone and ready to go.
//!
//! They serve two purposes. `cargo xtask bench guard` counts the **instructions** of a step of each under callgrind, which do
//! not depend on what else the machine does, and compares them with `budget.json`. `cargo xtask bench hot` **times** them
//! with criterion, whose statistics serve where one thing is measured by itself; ratios to peers are measured by the
//! package `benches`, whose subjects take turns.
//!
//! Everything comes from fixed seeds, and all that a path needs is made before its first step, as much for a short run as
//! for a long one. So the counts of two runs differ by the steps alone.
//!
//! The program that is counted depends on the crates whose paths it holds and nothing else, so that counting needs no long
//! build. What writes the tables of the benchmarks stands beside it for the timing alone.

mod bulk;
mod pools;
mod saves;
mod simulator;

/// How many steps a path is ready for.
pub const STEPS: usize = 2_000;

/// Performs the step of this number: 0, 1, 2 … in turn, below [`STEPS`].
pub type Step = Box<dyn FnMut(usize)>;

/// A path.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// By which it is asked for.
    pub name: &'static str,
    /// What a step is.
    pub step: &'static str,
    /// Gets ready for all steps.
    pub ready: fn() -> Step,
}

/// All paths.
pub const PATHS: [Path; 11] = [
    Path { name: "push", step: "a player's Set is put into the queue, JSON", ready: bulk::push },
    Path {
        name: "seal",
        step: "a frame of 1,024 bytes is filled with player Sets and handed out",
        ready: bulk::seal,
    },
    Path { name: "decode", step: "such a frame is decoded and its messages are found", ready: bulk::decode },
    Path {
        name: "route",
        step: "such a frame is received and its messages are handed to their topics",
        ready: bulk::route,
    },
    Path { name: "view-read", step: "a field of an open record is read", ready: saves::read },
    Path {
        name: "operation-apply",
        step: "an increment or a Set of ours is accepted and seen",
        ready: saves::apply,
    },
    Path {
        name: "operation-receive",
        step: "an announced Set is applied to a record",
        ready: saves::receive,
    },
    Path {
        name: "record-flush",
        step: "a record with one operation is written and its commit announced",
        ready: saves::flush,
    },
    Path {
        name: "delta-apply",
        step: "a delta of ten changed entries is applied to a pool",
        ready: pools::delta,
    },
    Path {
        name: "digest",
        step: "a heartbeat is checked against a log of 100 entries",
        ready: pools::digest,
    },
    Path { name: "simulator-step", step: "eight nodes hear a message of each", ready: simulator::step },
];

/// The path of this name.
#[must_use]
pub fn path(name: &str) -> Option<Path> {
    PATHS.into_iter().find(|path| path.name == name)
}
