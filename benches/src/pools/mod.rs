//! Pools of a fleet on virtual time: real machines, packed by bulk messaging, on a bus with Roblox's limits.

pub mod faults;
pub mod fleet;
pub mod joins;
pub mod memory;
pub mod original;
pub mod updates;

pub use fleet::Fleet;
