//! Replays recordings of the original pool library to our machines.
//!
//! Scenarios of the kind `compat` must end with the recorded contributions, events and returns, over our own wire:
//! what a user of the original saw, not its messages. Where the original goes wrong (the hazards, and a few
//! scenarios recorded as `compat` that are weaknesses) the same calls are judged by what must hold.

mod judge;
mod recording;
mod server;
mod world;

pub use judge::{Verdict, replay};
pub use recording::Recording;
