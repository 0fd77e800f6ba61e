//! What can be wrong with a configuration, and the texts of the port's errors.

use transport_traits::limits::{Counting, SizeLimit};
use transport_traits::{Error, ErrorKind};

/// Why a configuration cannot work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The bus does not take the real topic.
    #[error("the real topic")]
    Topic(#[source] Error),
    /// A sender's name has 1 to 32 characters of `A–Z a–z 0–9 _ -`.
    #[error("the sender's name {0:?} is empty, too long or has characters other than A–Z a–z 0–9 _ -")]
    Sender(String),
    /// An incarnation is below 2⁵³.
    #[error("the incarnation {0} is not below 2^53")]
    Incarnation(u64),
    /// `max_batch_bytes` is over what the bus allows.
    #[error("frames of {wanted} are over the bus's own limit of {limit}")]
    BatchTooLarge {
        /// What was configured.
        wanted: usize,
        /// What the bus allows, counted the same way.
        limit: usize,
    },
    /// A frame has no room for a message beside its header and the longest inner topic.
    #[error(
        "frames of {max} {counting:?} leave no room for messages beside a header and a topic of {topic} bytes"
    )]
    BatchTooSmall {
        /// The largest frame.
        max: usize,
        /// How it is counted.
        counting: Counting,
        /// The longest topic.
        topic: usize,
    },
    /// A number is outside its range.
    #[error("{name} is {value}, outside {range}")]
    OutOfRange {
        /// The field of the configuration.
        name: &'static str,
        /// What was configured.
        value: usize,
        /// What is allowed.
        range: &'static str,
    },
    /// The bus counts receives per delivery, so this server's share depends on the size of the fleet.
    #[error("the bus counts receives per delivery: set a budget")]
    NoShare,
    /// The strict profile does not have this.
    #[error("the strict profile has no {0}")]
    NotStrict(&'static str),
    /// A budget lets out at least 2 publishes in a window above zero.
    #[error("a budget needs 2 publishes and a window above zero")]
    Budget,
}

/// Why a message was not taken into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no room now.
    Full,
    /// The message does not fit into a frame.
    Body {
        /// What it costs, as the bus counts.
        size: usize,
        /// What there is for it in a frame of its own.
        limit: usize,
    },
    /// The inner topic is longer than configured.
    Topic {
        /// The length of its JSON form.
        size: usize,
        /// What is configured.
        limit: usize,
    },
    /// The inner topic is the one that carries the header.
    ReservedTopic,
    /// The body is not one JSON value.
    NotJson,
    /// Draining has begun.
    Closed,
}

impl Refusal {
    /// The port's error for it.
    #[must_use]
    pub fn into_error(self) -> Error {
        match self {
            Self::Full => Error::new(ErrorKind::Unavailable, "the queue is full"),
            Self::Body { size, limit } => Error::new(ErrorKind::TooLarge { size, limit }, "body in a frame"),
            Self::Topic { size, limit } => Error::new(ErrorKind::TooLarge { size, limit }, "inner topic"),
            Self::ReservedTopic => Error::new(ErrorKind::Invalid, "the inner topic is reserved"),
            Self::NotJson => Error::new(ErrorKind::Invalid, "the body is not one JSON value"),
            Self::Closed => closed(),
        }
    }
}

/// What everything fails with once the driver is gone or draining has begun.
pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "bulk messaging is closed")
}

/// Checks one limit against another that may be counted differently, where they can be compared.
pub(crate) fn check_batch(wanted: SizeLimit, bus: Option<SizeLimit>) -> Result<(), ConfigError> {
    match bus {
        Some(bus) if bus.counting == wanted.counting && wanted.max > bus.max => {
            Err(ConfigError::BatchTooLarge { wanted: wanted.max, limit: bus.max })
        }
        _ => Ok(()),
    }
}
