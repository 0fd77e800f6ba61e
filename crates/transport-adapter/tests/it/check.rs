//! What is refused and what is let through.

use std::time::Duration;

use transport_adapter::check;
use transport_traits::limits::SizeLimit;
use transport_traits::{Error, ErrorKind, Record, RecordKey, StoreLimits};

fn limits() -> StoreLimits {
    let mut limits = StoreLimits::default();
    limits.value = Some(SizeLimit::bytes(20));
    limits.metadata = Some(SizeLimit::bytes(4));
    limits.key = Some(SizeLimit::bytes(3));
    limits.store_name = Some(SizeLimit::bytes(3));
    limits
}

fn kind(checked: Result<(), Error>) -> Option<ErrorKind> {
    checked.err().map(|error| error.kind())
}

#[test]
fn a_timeout_is_not_zero() {
    let checked = [Duration::ZERO, Duration::from_nanos(1)].map(|timeout| kind(check::timeout(timeout)));
    assert_eq!(checked, [Some(ErrorKind::Invalid), None]);
}

#[test]
fn names_are_neither_empty_nor_over_their_limit() {
    let cases = [
        ("abc", "abc", None),
        ("", "k", Some(ErrorKind::Invalid)),
        ("s", "", Some(ErrorKind::Invalid)),
        ("abcd", "k", Some(ErrorKind::TooLarge { size: 4, limit: 3 })),
        ("s", "ééé", Some(ErrorKind::TooLarge { size: 6, limit: 3 })),
    ];
    for (store, name, expected) in cases {
        assert_eq!(kind(check::key(&limits(), &RecordKey::new(store, name))), expected, "{store:?} {name:?}");
    }
}

#[test]
fn a_record_is_an_object_with_plain_metadata_within_limits() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let cases = [
        (r#"{"a":[1,"x",null]}"#, "m 1;", None),
        (" {} ", "", None),
        ("{}", "\"", Some(ErrorKind::Invalid)),
        ("{}", "\\", Some(ErrorKind::Invalid)),
        ("{}", "é", Some(ErrorKind::Invalid)),
        ("{}", "12345", Some(ErrorKind::TooLarge { size: 5, limit: 4 })),
        (r#"{"a":"0123456789012"}"#, "", Some(ErrorKind::TooLarge { size: 21, limit: 20 })),
    ];
    for (value, metadata, expected) in cases {
        let record = Record::new(value).with_metadata(metadata);
        assert_eq!(kind(check::record(&limits(), &record)), expected, "{value} {metadata:?}");
    }
    let invalid = ["", "[]", "1", "{", "{}x", "{\"a\":\"\\ud800\"}", "{\"a\":1e999}", "{\"a\":nan}", &deep];
    for value in invalid {
        let checked = check::record(&StoreLimits::default(), &Record::new(value));
        assert_eq!(kind(checked), Some(ErrorKind::Invalid), "{value}");
    }
}
