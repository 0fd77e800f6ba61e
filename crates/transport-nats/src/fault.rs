//! What an error of the server or of the client library means to a caller of the ports.

use async_nats::jetstream;
use async_nats::jetstream::ErrorCode;
use async_nats::{ConnectError, ConnectErrorKind};
use transport_traits::{Error, ErrorKind};

/// What a call would have done, had it worked.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Does {
    Read,
    Change,
}

/// An error, and whether its connection is of no use any more.
pub(crate) struct Fault {
    pub(crate) error: Error,
    pub(crate) breaks: bool,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, breaks: false }
    }
}

/// Why a call has no answer.
pub(crate) enum Silence {
    /// The connection ended, or nothing came in time.
    Lost,
    /// The server does not let this client do it.
    Denied,
    /// Nobody listens where the call was sent, so it was not taken.
    Nobody,
    /// The message is larger than the server takes now, which may be less than when the limits were read.
    TooLarge { size: usize, limit: usize },
}

impl Silence {
    pub(crate) fn fault(self, what: &str, does: Does) -> Fault {
        let (kind, breaks) = match (self, does) {
            (Self::Lost, Does::Read) => (ErrorKind::Unavailable, true),
            (Self::Lost, Does::Change) => (ErrorKind::Unknown, true),
            (Self::Denied, _) => (ErrorKind::Denied, false),
            // The bucket may be gone: connecting again makes it again.
            (Self::Nobody, _) => (ErrorKind::Unavailable, true),
            (Self::TooLarge { size, limit }, _) => (ErrorKind::TooLarge { size, limit }, false),
        };
        Fault { error: Error::new(kind, what), breaks }
    }
}

/// The error of a connection that was not made: surely nothing was done.
pub(crate) fn unconnected(error: ConnectError) -> Error {
    let kind = match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => ErrorKind::Denied,
        ConnectErrorKind::ServerParse | ConnectErrorKind::Tls => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, "connecting to NATS").with_source(error)
}

/// An error that JetStream answered: nothing was done, but for the case that it could not write what it began to.
pub(crate) fn refused(what: &str, error: jetstream::Error) -> Fault {
    let (kind, breaks) = match error.error_code() {
        ErrorCode::STREAM_WRONG_LAST_SEQUENCE | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT => {
            (ErrorKind::Conflict, false)
        }
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM
        | ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED
        | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM
        | ErrorCode::BAD_REQUEST => (ErrorKind::Invalid, false),
        // Connecting again makes it again.
        ErrorCode::STREAM_NOT_FOUND => (ErrorKind::Unavailable, true),
        ErrorCode::STREAM_STORE_FAILED if !is_a_limit(&error) => (ErrorKind::Unknown, false),
        _ => (ErrorKind::Unavailable, false),
    };
    Fault { error: Error::new(kind, what).with_source(error), breaks }
}

/// Whether a limit was checked before anything was written. Source: `ErrMaxBytes` and its kin in `store.go` of the server.
fn is_a_limit(error: &jetstream::Error) -> bool {
    let text = error.to_string();
    text.starts_with("maximum ") && text.contains(" exceeded")
}

pub(crate) fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::Malformed, what)
}
