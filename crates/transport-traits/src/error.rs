//! What can go wrong at a port, what to do about it, and whether anything changed.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// What went wrong at a bus or a data store, in terms that every service shares.
///
/// For a call that changes something the kinds fall into two classes, which [`ErrorKind::effect`]
/// tells apart: surely nothing changed (every kind but one), and *unknown* (the change may have been
/// made; [`ErrorKind::Unknown`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The precondition of a write did not hold: somebody else wrote first.
    Conflict,
    /// A body, value, key, topic or metadata is over a limit. Sizes are in the unit of that limit.
    TooLarge {
        /// The size that was offered.
        size: usize,
        /// The size that is allowed.
        limit: usize,
    },
    /// The service cannot take this at all: binary on a text bus, a value that is no JSON object, an
    /// empty key.
    Invalid,
    /// Missing or insufficient credentials.
    Denied,
    /// Over a rate limit; nothing was done.
    Throttled {
        /// How long the service asks to wait, where it says so.
        retry_after: Option<Duration>,
    },
    /// The service cannot be reached, is full or is shutting down, and surely did nothing.
    Unavailable,
    /// This backend does not have this capability.
    Unsupported,
    /// The answer to a read could not be understood.
    Malformed,
    /// This side of the connection was closed on purpose.
    Closed,
    /// The call may or may not have taken effect: a time-out, a connection that broke after sending, an
    /// answer to a write that could not be understood.
    Unknown,
}

/// What a caller may do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same call will fail again.
    Never,
    /// The same call may succeed later: after the given time, or after a backoff of the caller's.
    Later(Option<Duration>),
    /// Read first: the precondition is out of date.
    AfterRead,
    /// Find out first whether the call took effect. Repeating it blindly may do it twice.
    Settle,
}

/// Whether a failed call changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Surely nothing.
    None,
    /// Perhaps everything that was asked for.
    Possible,
}

impl ErrorKind {
    /// What a caller may do about it.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::Conflict => Retry::AfterRead,
            Self::Throttled { retry_after } => Retry::Later(retry_after),
            Self::Unavailable | Self::Malformed => Retry::Later(None),
            Self::Unknown => Retry::Settle,
            Self::TooLarge { .. } | Self::Invalid | Self::Denied | Self::Unsupported | Self::Closed => {
                Retry::Never
            }
        }
    }

    /// Whether the failed call may have changed something.
    #[must_use]
    pub const fn effect(self) -> Effect {
        match self {
            Self::Unknown => Effect::Possible,
            _ => Effect::None,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("conflict"),
            Self::TooLarge { size, limit } => write!(f, "too large ({size} of {limit} allowed)"),
            Self::Invalid => f.write_str("invalid"),
            Self::Denied => f.write_str("denied"),
            Self::Throttled { retry_after: Some(wait) } => write!(f, "throttled for {wait:?}"),
            Self::Throttled { retry_after: None } => f.write_str("throttled"),
            Self::Unavailable => f.write_str("unavailable"),
            Self::Unsupported => f.write_str("unsupported"),
            Self::Malformed => f.write_str("malformed answer"),
            Self::Closed => f.write_str("closed"),
            Self::Unknown => f.write_str("outcome unknown"),
        }
    }
}

/// The error of every port: a kind to decide by, a text and a source to read.
///
/// Adapters keep secrets (API keys, passwords in URLs) out of the text.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind; `message` says in a few words what was being done.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same error with the client library's own error behind it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What a caller may do about it.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        self.kind.retry()
    }

    /// Whether the failed call may have changed something.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.kind.effect()
    }
}
