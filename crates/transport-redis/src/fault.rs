//! What an error of the client library means to a caller of the ports.

use redis::{ErrorKind as RedisKind, RedisError};
use transport_traits::{Error, ErrorKind};

/// What a call would have done, had it worked.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Does {
    Read,
    Change,
}

/// The error of a connection that was not made: surely nothing was done.
pub(crate) fn unconnected(error: RedisError) -> Error {
    let kind = match error.kind() {
        RedisKind::AuthenticationFailed => ErrorKind::Denied,
        RedisKind::InvalidClientConfig => ErrorKind::Invalid,
        _ => by_code(error.code()).unwrap_or(ErrorKind::Unavailable),
    };
    Error::new(kind, "connecting to Redis").with_source(error)
}

/// The error of a command that was given to a connection.
pub(crate) fn failed(what: &str, does: Does, error: RedisError) -> Error {
    let kind = match (error.code(), does) {
        (Some("WRONGTYPE"), Does::Read) => ErrorKind::Malformed,
        (Some(code), _) => by_code(Some(code)).unwrap_or(ErrorKind::Invalid),
        (None, Does::Read) => match error.kind() {
            RedisKind::Parse | RedisKind::UnexpectedReturnType => ErrorKind::Malformed,
            _ => ErrorKind::Unavailable,
        },
        (None, Does::Change) => ErrorKind::Unknown,
    };
    Error::new(kind, what).with_source(error)
}

/// What the code at the head of a server's answer says. An answer with a code means that nothing was done.
/// Source of the codes: the Redis source, `shared` in `server.c`.
fn by_code(code: Option<&str>) -> Option<ErrorKind> {
    match code? {
        "NOAUTH" | "WRONGPASS" | "NOPERM" => Some(ErrorKind::Denied),
        "ASK" | "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "MISCONF" | "MOVED" | "NOREPLICAS"
        | "OOM" | "READONLY" | "TRYAGAIN" => Some(ErrorKind::Unavailable),
        _ => None,
    }
}
