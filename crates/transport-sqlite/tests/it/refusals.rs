//! What is refused, with which kind, and that nothing happens then.

use futures::executor::block_on;
use futures::{StreamExt, TryStreamExt};
use transport_sqlite::Options;
use transport_traits::{DataStore, Error, ErrorKind, Precondition, Record, RecordKey, limits::SizeLimit};

use crate::support::{Place, key, number, put, store, store_with};

#[test]
fn only_json_objects_are_values() {
    let (place, store) = store();
    let deep = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let bad = [
        "",
        "{",
        "1",
        "null",
        "[]",
        "\"{}\"",
        "{}x",
        "{'a':1}",
        r#"{"a":"\ud800"}"#,
        "{\"a\":\"\0\"}",
        &deep,
    ];
    for value in bad {
        let error = put(&store, "k", Record::new(value)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{value}");
    }
    put(&store, "k", Record::new(" {} ")).unwrap();
    assert_eq!(place.ask::<u32>("SELECT count(*) FROM records"), 1);
}

#[test]
fn metadata_is_plain_ascii() {
    let (_place, store) = store();
    for bad in ["\"", "\\", "\n", "\0", "\u{7f}", "\u{e9}"] {
        let error = put(&store, "k", number(1).with_metadata(bad)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad:?}");
    }
    put(&store, "k", number(1).with_metadata(" !#[]~")).unwrap();
}

fn limited() -> (Place, transport_sqlite::SqliteStore) {
    let mut limits = transport_traits::StoreLimits::default();
    limits.value = Some(SizeLimit::bytes(10));
    limits.metadata = Some(SizeLimit::bytes(3));
    limits.key = Some(SizeLimit::chars(2));
    limits.store_name = Some(SizeLimit::bytes(2));
    store_with(Options::default().limits(limits))
}

#[test]
fn sizes_are_limited() {
    let (_place, store) = limited();
    let put = |store_name: &str, key: &str, record: Record| {
        let key = RecordKey::new(store_name, key);
        block_on(store.put(key, record, Precondition::Always)).map(drop).map_err(|e| e.kind())
    };
    let too_large = |size, limit| Err(ErrorKind::TooLarge { size, limit });
    assert_eq!(put("ss", "\u{e9}k", Record::new(r#"{"a":1234}"#).with_metadata("abc")), Ok(()));
    assert_eq!(put("ss", "kk", Record::new(r#"{"a":12345}"#)), too_large(11, 10));
    assert_eq!(put("ss", "kk", Record::new("{}").with_metadata("abcd")), too_large(4, 3));
    assert_eq!(put("ss", "kkk", Record::new("{}")), too_large(3, 2));
    assert_eq!(put("sss", "kk", Record::new("{}")), too_large(3, 2));
    assert_eq!(put("", "kk", Record::new("{}")), Err(ErrorKind::Invalid));
    assert_eq!(put("ss", "", Record::new("{}")), Err(ErrorKind::Invalid));
}

#[test]
fn every_call_checks_its_names() {
    let (_place, store) = limited();
    let long = || RecordKey::new("s", "long");
    let refused = |error: Error| assert_eq!(error.kind(), ErrorKind::TooLarge { size: 4, limit: 2 });
    refused(block_on(store.get(long())).unwrap_err());
    refused(block_on(store.delete(long(), Precondition::Always)).unwrap_err());
    refused(block_on(store.versions(long())).unwrap_err());
    refused(block_on(store.get_version(long(), transport_traits::Version::new("1"))).unwrap_err());
    let listed: Vec<_> = block_on(store.list("long".into(), "".into()).collect());
    assert_eq!(listed.len(), 1, "a stream ends with its error");
    listed.into_iter().for_each(|item| refused(item.unwrap_err()));
}

#[test]
fn what_others_wrote_into_the_file_is_reported_and_no_panic() {
    let (place, store) = store();
    let damages = [
        "value = x'00'",
        "value = CAST(x'ff' AS TEXT)",
        "users = 'seven'",
        "users = '[1]'",
        "metadata = x'31'",
        "modified = -1",
        "version = 'x'",
    ];
    for damage in damages {
        put(&store, "k", number(1)).unwrap();
        place.outside().execute(&format!("UPDATE records SET {damage}"), ()).unwrap();
        let error = block_on(store.get(key("k"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{damage}");
        place.outside().execute("DELETE FROM records", ()).unwrap();
    }
    place.outside().execute("INSERT INTO records VALUES ('store', x'ff', '{}', '', '[]', 1, 1)", ()).unwrap();
    let listed = block_on(store.list("store".into(), "".into()).try_collect::<Vec<_>>());
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn a_spoilt_counter_refuses_writes() {
    let (place, store) = store();
    for damage in ["UPDATE counter SET last_version = 9223372036854775807", "DELETE FROM counter"] {
        place.outside().execute(damage, ()).unwrap();
        let error = put(&store, "k", number(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{damage}");
    }
    place.outside().execute("INSERT INTO counter VALUES (1)", ()).unwrap();
    put(&store, "k", number(1)).unwrap();
}
