//! The tests of `fleet-checks`, in one binary.

mod handles;
mod program;
mod replay;
mod replay_pool;
mod replay_saves;
mod sim;
