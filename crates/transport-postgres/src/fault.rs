//! What an error of the server or of the client library means to a caller of the ports.

use deadpool_postgres::PoolError;
use tokio_postgres::Error as PostgresError;
use tokio_postgres::error::{DbError, Severity};
use transport_traits::{Error, ErrorKind};

/// What a call would have done, had it worked.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Does {
    Read,
    Change,
    Publish,
}

/// An error, and whether its connection is of no use any more.
pub(crate) struct Fault {
    pub(crate) error: Error,
    pub(crate) breaks: bool,
}

/// The error of a connection that was not to be had: surely nothing was done.
pub(crate) fn unpooled(error: PoolError) -> Error {
    match error {
        PoolError::Backend(error) => unconnected(error),
        other => Error::new(ErrorKind::Unavailable, "waiting for a connection").with_source(other),
    }
}

/// The error of a connection that was not made.
pub(crate) fn unconnected(error: PostgresError) -> Error {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    // The client library does not say in any other way that the server asks for a password and the URL has none.
    let kind = match (error.as_db_error(), error.to_string().as_str()) {
        (Some(refusal), _) => by_code(refusal.code().code(), Does::Change),
        (None, "authentication error") => ErrorKind::Denied,
        (None, "invalid configuration") if cause.as_deref() == Some("password missing") => ErrorKind::Denied,
        (None, "invalid configuration") => ErrorKind::Invalid,
        (None, _) => ErrorKind::Unavailable,
    };
    Error::new(kind, "connecting to PostgreSQL").with_source(error)
}

/// The error of a statement that was given to a connection.
pub(crate) fn failed(what: &str, does: Does, error: PostgresError) -> Fault {
    match error.as_db_error().filter(|refusal| is_of_statement(refusal)).map(DbError::code) {
        Some(code) => {
            let code = code.code();
            let hint = if code == "42P01" { ": the tables are missing; migrating makes them" } else { "" };
            Fault {
                // A server that can only be read may not be the one that leads any more; and a statement that was
                // prepared before the table was altered is prepared again.
                breaks: matches!(code, "25006" | "0A000"),
                error: Error::new(by_code(code, does), format!("{what}{hint}")).with_source(error),
            }
        }
        None => Fault { error: Error::new(unanswered(does), what).with_source(error), breaks: true },
    }
}

/// No answer came in time.
pub(crate) fn silent(what: &str, does: Does) -> Fault {
    let error = Error::new(unanswered(does), format!("{what}: no answer from PostgreSQL"));
    Fault { error, breaks: true }
}

/// Whether the error is the answer to the statement. What ends the connection may come after a commit.
fn is_of_statement(refusal: &DbError) -> bool {
    refusal.parsed_severity() == Some(Severity::Error)
}

const fn unanswered(does: Does) -> ErrorKind {
    match does {
        Does::Read => ErrorKind::Unavailable,
        Does::Change | Does::Publish => ErrorKind::Unknown,
    }
}

/// What the code of a server's answer says. A statement that was answered with an error did nothing.
/// Source of the codes: PostgreSQL documentation, appendix A.
fn by_code(code: &str, does: Does) -> ErrorKind {
    match (code, code.get(..2).unwrap_or_default(), does) {
        ("42501", ..) | (_, "28", _) => ErrorKind::Denied,
        // The one exception: the server cannot tell.
        ("40003", ..) => unanswered(does),
        // So it is when the queue of notifications is full.
        (_, "54", Does::Publish) => ErrorKind::Unavailable,
        (_, "0A" | "22" | "23" | "54", Does::Read) => ErrorKind::Malformed,
        (_, "22" | "23" | "54", _) => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    }
}
