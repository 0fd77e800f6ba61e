//! What no store takes, whatever its limits.

use futures::StreamExt;
use transport_traits::{DataStore, ErrorKind, Precondition, Record, RecordKey, Version};

use super::{STORE, Stores, json, key, number};
use crate::support::{kind, refused};

/// An object of so many levels.
fn nested(levels: usize) -> String {
    let inner = levels - 1;
    format!(r#"{{"a":{}1{}}}"#, "[".repeat(inner), "]".repeat(inner))
}

pub(super) async fn a_value_is_a_json_object_that_everyone_can_read(stores: &Stores) {
    let deep = nested(128);
    let very_deep = nested(100_000);
    let bad = [
        "",
        " ",
        "{",
        "}",
        "1",
        "null",
        "[]",
        "[{}]",
        "\"{}\"",
        "{}{}",
        "{}x",
        "{a:1}",
        "{'a':1}",
        r#"{"a":1,}"#,
        r#"{"a"}"#,
        r#"{"a":01}"#,
        r#"{"a":NaN}"#,
        r#"{"a":1e999}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"\udc00":1}"#,
        r#"{"a":["\ude00\ud83d"]}"#,
        "{\"a\":\"\0\"}",
        "{\"a\":\"\n\"}",
        "{}\0",
        "\u{a0}{}",
        "\u{feff}{}",
        "{}//",
        &deep,
        &very_deep,
    ];
    let version = stores.put("k", number(1)).await;
    let limit = stores.here.limits().value;
    for value in
        bad.into_iter().filter(|value| limit.is_none_or(|limit| limit.check("", value.as_bytes()).is_ok()))
    {
        let put = stores.here.put(key("k"), Record::new(value), Precondition::Always).await;
        let shown: String = value.chars().take(40).collect();
        refused(put, ErrorKind::Invalid, shown);
    }
    assert_eq!(stores.get("k").await.map(|stored| stored.version), Some(version), "nothing was written");
    stores.put("k", Record::new(nested(127))).await;
}

pub(super) async fn a_null_character_in_a_value_is_kept_or_refused(stores: &Stores) {
    let value = r#"{"a":"\u0000"}"#;
    match kind(stores.here.put(key("k"), Record::new(value), Precondition::Always).await) {
        None => {
            let stored = stores.get("k").await.expect("it was written");
            assert_eq!(json(&stored.record.value), json(value));
        }
        Some(refusal) => {
            assert_eq!(refusal, ErrorKind::Invalid);
            assert_eq!(stores.get("k").await, None, "what is refused is not written");
        }
    }
}

pub(super) async fn metadata_is_plain_ascii(stores: &Stores) {
    for bad in ["\"", "\\", "\n", "\0", "\u{1f}", "\u{7f}", "\u{e9}", "\u{1f600}"] {
        let put = stores.here.put(key("k"), number(1).with_metadata(bad), Precondition::Always).await;
        refused(put, ErrorKind::Invalid, format_args!("{bad:?}"));
    }
    assert_eq!(stores.get("k").await, None);
    let plain: String = (' '..='~').filter(|letter| !"\"\\".contains(*letter)).collect();
    stores.put("k", number(1).with_metadata(plain.as_str())).await;
    let stored = stores.get("k").await.expect("it was written");
    assert_eq!(*stored.record.metadata, *plain);
}

/// What each call that takes a key comes to.
pub(super) async fn every_call(
    store: &dyn DataStore,
    key: &RecordKey,
) -> Vec<(&'static str, Option<ErrorKind>)> {
    let mut ends = vec![
        ("get", kind(store.get(key.clone()).await)),
        ("put", kind(store.put(key.clone(), number(1), Precondition::Always).await)),
        ("delete", kind(store.delete(key.clone(), Precondition::Always).await)),
    ];
    if store.capabilities().history {
        ends.push(("versions", kind(store.versions(key.clone()).await)));
        ends.push(("get_version", kind(store.get_version(key.clone(), Version::new("1")).await)));
    }
    ends
}

/// Asserts that a listing of this store is one error and then its end.
pub(super) async fn list_refused(stores: &Stores, store: &str, expect: ErrorKind) {
    let listed: Vec<_> = stores.here.list(store.into(), "".into()).collect().await;
    let kinds: Vec<_> = listed.into_iter().map(kind).collect();
    assert_eq!(kinds, [Some(expect)], "listing: a stream ends with its error");
}

pub(super) async fn names_are_not_empty(stores: &Stores) {
    for key in [RecordKey::new("", "k"), RecordKey::new(STORE, "")] {
        for (call, end) in every_call(&*stores.here, &key).await {
            assert_eq!(end, Some(ErrorKind::Invalid), "{call} {key:?}");
        }
    }
    list_refused(stores, "", ErrorKind::Invalid).await;
}
