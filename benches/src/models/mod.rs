//! What ours is measured against: the original's algorithm, the barest packer there is, and a plain copy.

mod bare;
mod copy;
mod original;

pub use bare::Bare;
pub use copy::Copy;
pub use original::Original;
