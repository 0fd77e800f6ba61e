//! Tests of the original's wire: what is written, what is understood, and when a Set is too long.

use std::sync::Arc;

use serde_json::{Value, json};
use transport_traits::limits::SizeLimit;

use super::wire::{Action, Damaged, Heard, as_written, fetch_text, fetch_texts, is_short, parse, set_text};

const GUID: &str = "{00000001-0000-4000-8000-000000000001}";

fn message(action: &Value) -> Vec<u8> {
    Value::String(action.to_string()).to_string().into_bytes()
}

fn heard(action: Action, sync_id: Option<&str>) -> Result<Option<Heard>, Damaged> {
    Ok(Some(Heard { action, sync_id: sync_id.map(str::to_owned) }))
}

#[test]
fn messages_are_the_originals_and_are_read_back() {
    let text = set_text("Coins", Some(&json!(7.0)), GUID);
    let inner: String = serde_json::from_str(&text).expect("a JSON string");
    assert_eq!(inner, format!(r#"{{"Action":"Set","Key":"Coins","SyncId":"{GUID}","Value":7}}"#));
    let set = Action::Set("Coins".into(), Some(Arc::new(json!(7))));
    assert_eq!(parse(text.as_bytes()), heard(set, Some(GUID)));
    let removal = set_text("Coins", None, GUID);
    assert!(!removal.contains("Value"));
    assert_eq!(parse(removal.as_bytes()), heard(Action::Set("Coins".into(), None), Some(GUID)));
    let fetch = fetch_text(&["a".into(), "a".into()], GUID);
    assert_eq!(parse(fetch.as_bytes()), heard(Action::Fetch(vec!["a".into(), "a".into()]), Some(GUID)));
}

#[test]
fn unknown_actions_are_ignored_and_what_is_no_message_is_damaged() {
    for action in [json!({ "Action": "Dance" }), json!({ "Key": "x", "Value": 1 }), json!({})] {
        assert_eq!(parse(&message(&action)), Ok(None), "{action}");
    }
    let deep = (0..130).fold(json!(1), |inner, _| json!([inner]));
    for action in [
        json!({ "Action": "Set", "Value": 1 }),
        json!({ "Action": "Set", "Key": 5 }),
        json!({ "Action": "Set", "Key": "k", "Value": deep }),
        json!({ "Action": "Fetch" }),
        json!({ "Action": "Fetch", "Keys": "k" }),
        json!([1]),
    ] {
        assert_eq!(parse(&message(&action)), Err(Damaged), "{action}");
    }
    for body in [&b"{}"[..], b"\"no\"", b"\xff", b"", b"[1,2,3]"] {
        assert_eq!(parse(body), Err(Damaged));
    }
    let odd = json!({ "Action": "Fetch", "Keys": [1, "k", null], "SyncId": 5, "More": {} });
    assert_eq!(parse(&message(&odd)), heard(Action::Fetch(vec!["k".into()]), None));
}

#[test]
fn the_longest_set_has_the_originals_length() {
    for (unit, most) in [("a", 655), ("\"", 81), ("\u{65e5}", 218)] {
        let fits = |count: usize| is_short(&set_text("Value", Some(&json!(unit.repeat(count))), GUID));
        assert!(fits(most) && !fits(most + 1), "{unit}");
    }
}

#[test]
fn a_fetch_of_many_fields_is_split_where_the_bus_has_a_limit() {
    // weakness 12 (unchecked-length)
    let fields: Vec<Arc<str>> = (0..60).map(|at| format!("a field with number {at}").into()).collect();
    assert_eq!(fetch_texts(&fields, GUID, None).len(), 1);
    let limit = SizeLimit::json_encoded(800);
    let texts = fetch_texts(&fields, GUID, Some(limit));
    assert!(texts.len() > 1 && texts.iter().all(|text| limit.check("text", text.as_bytes()).is_ok()));
    let named = texts.iter().flat_map(|text| match parse(text.as_bytes()) {
        Ok(Some(Heard { action: Action::Fetch(fields), .. })) => fields,
        other => panic!("{other:?}"),
    });
    assert_eq!(named.collect::<Vec<_>>(), fields);
}

#[test]
fn values_are_written_as_the_original_does() {
    let value = json!({ "a": 1.0, "b": [-0.5, {}], "c": 2.5, "d": "1.0" });
    assert_eq!(as_written(&value).to_string(), r#"{"a":1,"b":[-0.5,[]],"c":2.5,"d":"1.0"}"#);
}
