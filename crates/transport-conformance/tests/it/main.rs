//! The suite itself: adapters with one fault each fail the case that is there for it, and a sound one fails none.
#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and not their helpers")]

mod broken_bus;
mod broken_store;
mod faulty_bus;
mod faulty_store;
mod run;
