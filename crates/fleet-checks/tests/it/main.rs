//! The tests of `fleet-checks`, in one binary.

mod conformance;
mod handles;
mod idle;
mod program;
mod replay;
mod replay_pool;
mod replay_saves;
mod sim;
