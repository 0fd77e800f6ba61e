//! Reading, writing, deleting.

use transport_traits::{Precondition, Record, RecordKey};

use super::{Stores, json, key, number, number_in};
use crate::support::ok;

pub(super) async fn a_record_is_read_as_it_was_written_by_every_server(stores: &Stores) {
    let record = Record::new(r#" {"coins": 1, "pets":["cat"]} "#).with_metadata("v1;w=3 !#[]~").with_users([
        "7".into(),
        "\"quoted\", \u{e9}".into(),
        "7".into(),
    ]);
    let version = stores.put("k", record.clone()).await;
    for store in stores.each() {
        let stored = ok(store.get(key("k")).await, "reading").expect("it was just written");
        assert_eq!(json(&stored.record.value), json(&record.value));
        assert_eq!((&stored.record.metadata, &stored.record.users), (&record.metadata, &record.users));
        assert_eq!(stored.version, version, "the write and the read name the same state");
    }
}

pub(super) async fn a_server_reads_at_once_what_it_and_others_wrote(stores: &Stores) {
    for n in 0..50 {
        let [writer, other] = if n % 2 == 0 { [0, 1] } else { [1, 0] }.map(|at: usize| stores.each()[at]);
        ok(writer.put(key("k"), number(n), Precondition::Always).await, "writing");
        for store in [writer, other] {
            let stored = ok(store.get(key("k")).await, "reading").expect("it was written");
            assert_eq!(number_in(&stored), n);
        }
    }
}

pub(super) async fn what_was_never_written_is_not_there(stores: &Stores) {
    assert_eq!(stores.get("k").await, None);
    stores.delete("k").await;
    assert_eq!(stores.get("k").await, None);
    assert!(stores.listed("store", "").await.is_empty());
}

pub(super) async fn a_write_replaces_the_whole_record(stores: &Stores) {
    let long = Record::new(r#"{"a":"a long value","b":2}"#).with_metadata("m").with_users(["7".into()]);
    stores.put("k", long).await;
    stores.put("k", number(1)).await;
    let stored = stores.get("k").await.expect("it was written");
    assert_eq!(json(&stored.record.value), json(r#"{"n":1}"#));
    assert_eq!((&*stored.record.metadata, stored.record.users.len()), ("", 0));
}

pub(super) async fn a_deleted_record_is_gone_for_everyone(stores: &Stores) {
    stores.put("k", number(1)).await;
    stores.put("kept", number(2)).await;
    stores.delete("k").await;
    for store in stores.each() {
        assert_eq!(ok(store.get(key("k")).await, "reading"), None);
    }
    assert_eq!(stores.number("kept").await, Some(2));
}

pub(super) async fn nothing_happens_before_the_first_poll(stores: &Stores) {
    drop(stores.here.put(key("k"), number(1), Precondition::Always));
    stores.put("other", number(2)).await;
    drop(stores.here.delete(key("other"), Precondition::Always));
    assert_eq!((stores.number("k").await, stores.number("other").await), (None, Some(2)));
}

pub(super) async fn stores_and_keys_do_not_mix_whatever_their_characters(stores: &Stores) {
    let odd = [
        ("a", "bc"),
        ("ab", "c"),
        ("A", "bc"),
        ("a", "BC"),
        ("a", "bc "),
        ("a", " bc"),
        ("a", "bc\0"),
        ("a", "%"),
        ("a", "%25"),
        ("a", "{x}"),
        ("{a}", "x"),
        ("a:b", "c"),
        ("a", "b:c"),
        ("a/b", "c"),
        ("a", "b/c"),
        ("a.b", "c"),
        ("a", "b.c"),
        ("a", "."),
        ("a", ".."),
        ("a", "="),
        ("a", "PlayerList$1"),
        ("a", "\u{e9}"),
        ("a", "e\u{301}"),
        ("a", "\u{1f600}"),
        ("a", "'"),
        ("a", "\""),
        ("a", "\\"),
        ("a", "*"),
        ("a", ">"),
        ("a", "\r\n"),
        ("a", "\n"),
        ("\0", "\0"),
        ("\u{e9}", "\u{e9}"),
    ];
    let odd = odd.map(|(store, key)| RecordKey::new(store, key));
    for (n, key) in (0..).zip(&odd) {
        let written = stores.here.put(key.clone(), number(n), Precondition::Absent).await;
        ok(written, format_args!("creating {key:?}"));
    }
    for (n, key) in (0..).zip(&odd) {
        let stored = ok(stores.there.get(key.clone()).await, format_args!("reading {key:?}"));
        assert_eq!(stored.as_ref().map(number_in), Some(n), "{key:?}");
    }
}

pub(super) async fn values_keep_every_character_and_number(stores: &Stores) {
    let values = [
        r#"{"text":"\u00e9\ud83d\ude00 \" \\ \/ \b\f\n\r\t \u001f"}"#,
        "{\"é\u{1f600}\u{2028}\":\"\u{7f}\u{ffff}\u{10ffff}\"}",
        r#"{"n":[0,-1,0.5,1e-7,9007199254740993,18446744073709551615,-9223372036854775808]}"#,
        r#"{"":{"":[[],{},null,true,false]}," ":" ","$ref":"%s","a.b":1}"#,
        "\n{\t} ",
    ];
    for value in values {
        stores.put("k", Record::new(value)).await;
        let stored = stores.get("k").await.expect("it was written");
        assert_eq!(json(&stored.record.value), json(value), "{value}");
    }
}
