//! What goes into a machine and what comes out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use transport_traits::{Outgoing, WallTime};

use super::checkpoint;

/// A pool of a machine, by the order in which they were opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub usize);

/// A frame handed out to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub u64);

/// What happened outside of a machine.
#[derive(Clone, Debug)]
pub enum Input {
    /// The wall clock says so. It may jump; it is worth telling whenever time has passed.
    WallClock(WallTime),
    /// A message came on the topic of a pool.
    Received {
        /// The pool.
        pool: PoolId,
        /// The message.
        body: Bytes,
    },
    /// Messages may have been lost on the topic of a pool.
    Gap {
        /// The pool.
        pool: PoolId,
    },
    /// The subscription to the topic of a pool has ended: nothing is heard there any more.
    Ended {
        /// The pool.
        pool: PoolId,
    },
    /// The publish of a frame ended well.
    Published(FrameId),
    /// The publish of a frame failed, or may have.
    Failed {
        /// The frame.
        frame: FrameId,
        /// How long the bus asks to wait, where it says so; less than 200 ms and more than 60 s are not believed.
        retry_after: Option<Duration>,
    },
    /// The checkpoint of a pool was read; no shards if there is none or the store failed.
    Loaded {
        /// The pool.
        pool: PoolId,
        /// Its shards.
        shards: Vec<Arc<str>>,
    },
    /// The checkpoint of a pool was written, or could not be.
    Saved {
        /// The pool.
        pool: PoolId,
    },
    /// Leave gracefully. Nothing else is sent any more.
    Close,
}

/// What a machine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Publish this, and say how it went.
    Publish {
        /// The name by which to say so.
        frame: FrameId,
        /// What to publish.
        message: Outgoing,
    },
    /// Every pool was left: nothing will come any more. Comes once.
    Closed,
}

/// A call to the store of checkpoints. It is answered by [`Input::Loaded`] or [`Input::Saved`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreJob {
    /// Whose checkpoint it is.
    pub pool: PoolId,
    /// What to do.
    pub call: StoreCall,
}

/// What to do with a checkpoint. Its shards are records of their own: shard 0 says how many there are
/// ([`shard_count`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreCall {
    /// Read all shards that there are.
    Load,
    /// Write these shards, whatever is there. Each is a JSON object.
    Save(Vec<Arc<str>>),
}

/// How many shards a checkpoint has, by the text of its first: 1 to 16, whatever that says.
#[must_use]
pub fn shard_count(first: &str) -> usize {
    checkpoint::Shard::count(first)
}
