//! What an error of the client library means to a caller of the ports.

use redis::{ErrorKind as RedisKind, RedisError};
use transport_traits::{Error, ErrorKind};

/// What a call would have done, had it worked.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Does {
    Read,
    Change,
}

/// An error of a connection that receives, and whether the connection is of no use any more.
pub(crate) struct Fault {
    pub(crate) error: Error,
    pub(crate) breaks: bool,
}

/// The error of a connection that receives: what the server answered leaves it as it was.
pub(crate) fn unheard(error: RedisError) -> Fault {
    Fault { breaks: error.code().is_none(), error: unconnected(error) }
}

/// The error of a connection that was not made: surely nothing was done.
pub(crate) fn unconnected(error: RedisError) -> Error {
    let kind = match error.kind() {
        RedisKind::AuthenticationFailed => ErrorKind::Denied,
        RedisKind::InvalidClientConfig => ErrorKind::Invalid,
        _ => error.code().and_then(by_code).unwrap_or(ErrorKind::Unavailable),
    };
    Error::new(kind, "connecting to Redis").with_source(error)
}

/// The error of a command that was given to a connection.
pub(crate) fn failed(what: &str, does: Does, error: RedisError) -> Error {
    let kind = match (error.code(), does) {
        (Some(code), _) => refused(code, error.detail().unwrap_or_default(), does),
        (None, Does::Read) => match error.kind() {
            RedisKind::Parse | RedisKind::UnexpectedReturnType => ErrorKind::Malformed,
            _ => ErrorKind::Unavailable,
        },
        (None, Does::Change) => ErrorKind::Unknown,
    };
    Error::new(kind, what).with_source(error)
}

/// What an error that the server answered says, by its code and by the text behind it.
fn refused(code: &str, text: &str, does: Does) -> ErrorKind {
    let code = in_a_script(code, text).unwrap_or(code);
    match (code, does) {
        ("WRONGTYPE", Does::Read) => ErrorKind::Malformed,
        _ => by_code(code).unwrap_or(ErrorKind::Invalid),
    }
}

/// The code of an error inside a script, where the server puts it into the text of an `ERR`. Redis before 7, and servers made
/// after it, say `Error running script (call to f_SHA): @user_script:4: @user_script: 4: -OOM command not allowed …`.
/// Permissions, and a cluster that lacks parts, have words there instead of a code.
/// Source: `evalGenericCommand` and `luaRedisGenericCommand` in `scripting.c` of Redis 6.2, `script.c` of 7.0.
fn in_a_script<'a>(code: &str, text: &'a str) -> Option<&'a str> {
    // Elsewhere the text may quote what the caller sent.
    let heads = ["Error running script", "The user executing the script"];
    let is_of_a_script = heads.iter().any(|head| text.starts_with(head));
    if code != "ERR" || !is_of_a_script {
        return None;
    }
    let parts = text.split(": ").map(|part| part.strip_prefix('-').unwrap_or(part));
    let mut found = parts.filter_map(|part| {
        if part.starts_with("The user executing the script can't") {
            return Some("NOPERM");
        }
        if part.starts_with("Script attempted to") && part.contains("cluster") {
            return Some("CLUSTERDOWN");
        }
        part.split(' ').next().filter(|word| *word == "WRONGTYPE" || by_code(word).is_some())
    });
    found.next()
}

/// What the code at the head of a server's answer says. An answer with a code means that nothing was done.
/// Source of the codes: the Redis source, `shared` in `server.c`.
fn by_code(code: &str) -> Option<ErrorKind> {
    match code {
        "NOAUTH" | "WRONGPASS" | "NOPERM" => Some(ErrorKind::Denied),
        "ASK" | "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "MISCONF" | "MOVED" | "NOREPLICAS"
        | "OOM" | "READONLY" | "TRYAGAIN" => Some(ErrorKind::Unavailable),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
