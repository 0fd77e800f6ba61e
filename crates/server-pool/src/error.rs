//! What can go wrong when pools are made, opened and contributed to.

use std::time::Duration;

/// A [`Config`](crate::Config) that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The server's name is empty or too long.
    #[error("a server's name has 1 to {max} bytes, this one {length}", max = crate::MAX_SERVER_NAME)]
    Server {
        /// Its length in bytes.
        length: usize,
    },
    /// The incarnation is 2⁵³ or more.
    #[error("an incarnation is below 2^53")]
    Incarnation,
    /// A time is outside its range.
    #[error("{field} is {time:?}, outside {least:?} to {most:?}")]
    Time {
        /// Its name.
        field: &'static str,
        /// What was asked for.
        time: Duration,
        /// The least that works.
        least: Duration,
        /// The most that works.
        most: Duration,
    },
    /// The timeout is not four heartbeats.
    #[error("a timeout of {timeout:?} is less than four heartbeats of {heartbeat:?}")]
    Timeout {
        /// The heartbeat asked for.
        heartbeat: Duration,
        /// The timeout asked for.
        timeout: Duration,
    },
    /// A bound is zero that has to be at least one.
    #[error("{field} is zero")]
    Zero {
        /// Its name.
        field: &'static str,
    },
    /// The bus counts receives per delivery: what one server may send depends on how many there are. A publisher
    /// in between that keeps to rates of its own, as bulk messaging with a set budget, has no such limit.
    #[error("the bus counts receives per delivery, so no server knows its share")]
    NoShare,
    /// A rate of the bus leaves a server nothing, or its window is shorter than a microsecond.
    #[error("a rate of the bus lets no frame out")]
    NoRate,
    /// The bus allows no frame that could hold this server's name and a small entry.
    #[error("the bus carries no message large enough for a frame")]
    FrameTooSmall,
}

/// A pool that could not be opened. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The pool is open already with entries of another type.
    #[error("the pool is open already with entries of another type")]
    Type,
    /// The topic of the pool cannot be subscribed to.
    #[error("cannot subscribe to the pool's topic")]
    Subscribe(#[from] transport_traits::Error),
    /// The pools were closed, or their driver is gone.
    #[error("the pools are closed")]
    Closed,
}

/// An entry that was not contributed. The pool is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContributeError {
    /// The value has no JSON form.
    #[error("the value has no JSON form")]
    Encode(#[from] serde_json::Error),
    /// Key and value do not fit into a frame. Both sizes are counted as the bus counts.
    #[error("the entry takes {size} in a frame, where {limit} are allowed")]
    TooLarge {
        /// What key and value take.
        size: usize,
        /// What they may take.
        limit: usize,
    },
    /// This server has as many entries in the pool as it may have.
    #[error("the server has its {limit} entries in the pool already")]
    Full {
        /// How many that are.
        limit: usize,
    },
    /// The pools were closed, or their driver is gone.
    #[error("the pools are closed")]
    Closed,
}
