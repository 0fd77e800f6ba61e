//! The tests of `transport-adapter`, in one binary.
#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and not their helpers")]

mod check;
mod queue;
