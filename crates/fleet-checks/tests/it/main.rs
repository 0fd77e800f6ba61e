//! The tests of `fleet-checks`, in one binary.

mod program;
mod replay;
mod replay_saves;
