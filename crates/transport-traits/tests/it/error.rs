//! What an error says about repeating the call and about what it may have changed.

use std::error::Error as _;
use std::time::Duration;

use transport_traits::{Effect, Error, ErrorKind, Retry};

const WAIT: Duration = Duration::from_millis(250);

#[test]
fn every_kind_says_what_to_do_and_whether_anything_changed() {
    let table = [
        (ErrorKind::Conflict, Retry::AfterRead, Effect::None),
        (ErrorKind::TooLarge { size: 2, limit: 1 }, Retry::Never, Effect::None),
        (ErrorKind::Invalid, Retry::Never, Effect::None),
        (ErrorKind::Denied, Retry::Never, Effect::None),
        (ErrorKind::Throttled { retry_after: Some(WAIT) }, Retry::Later(Some(WAIT)), Effect::None),
        (ErrorKind::Throttled { retry_after: None }, Retry::Later(None), Effect::None),
        (ErrorKind::Unavailable, Retry::Later(None), Effect::None),
        (ErrorKind::Unsupported, Retry::Never, Effect::None),
        (ErrorKind::Malformed, Retry::Later(None), Effect::None),
        (ErrorKind::Closed, Retry::Never, Effect::None),
        (ErrorKind::Unknown, Retry::Settle, Effect::Possible),
    ];
    for (kind, retry, effect) in table {
        let error = Error::new(kind, "put");
        assert_eq!((error.kind(), error.retry(), error.effect()), (kind, retry, effect));
    }
}

#[test]
fn a_text_names_the_kind_before_what_was_being_done() {
    let texts = [
        (ErrorKind::Unknown, "outcome unknown: put coins/7"),
        (ErrorKind::Throttled { retry_after: Some(WAIT) }, "throttled for 250ms: put coins/7"),
        (ErrorKind::TooLarge { size: 9, limit: 8 }, "too large (9 of 8 allowed): put coins/7"),
    ];
    for (kind, text) in texts {
        assert_eq!(Error::new(kind, "put coins/7").to_string(), text);
    }
}

#[test]
fn the_client_librarys_own_error_stays_readable() {
    let plain = Error::new(ErrorKind::Unavailable, "connect");
    assert!(plain.source().is_none());
    let error = plain.with_source(std::io::Error::other("connection refused"));
    assert_eq!(error.source().unwrap().to_string(), "connection refused");
}

#[test]
fn errors_cross_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Error>();
}
