//! Tests of the original's wire: what is written, what is understood, when a Set is too long, and what writes cost.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, Instant, RecordKey, StoreLimits, WallTime};

use super::super::Output;
use super::super::operation::operation_memory;
use super::Machine;
use super::changes::Changes;
use super::wire::{Action, Damaged, Heard, as_written, fetch_text, fetch_texts, is_short, parse, set_text};
use crate::{Change, Config};

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

fn machine(config: Config) -> Machine {
    Machine::new(config, StoreLimits::default(), BusLimits::default(), Instant::ZERO, WallTime::default())
}

#[test]
fn a_write_copies_none_of_the_fields_that_are_there() {
    for config in [Config::nexus(), Config::strict_nexus()] {
        let mut machine = machine(config);
        let (id, view, _) = machine.open(Instant::ZERO, RecordKey::new("s", "k")).unwrap();
        let mut write = |n: usize| {
            let change = Change::Set(Arc::new(json!(n)));
            machine.write(Instant::ZERO, id, &format!("field {}", n % 5), change).unwrap();
        };
        write(0);
        let object = Arc::as_ptr(&view.read());
        for n in 1..20 {
            write(n);
            assert_eq!(Arc::as_ptr(&view.read()), object, "it changes where it is");
        }
        let held = view.snapshot();
        write(20);
        assert_eq!(
            (&*held["field 0"], &*view.snapshot()["field 0"]),
            (&json!(15), &json!(20)),
            "a copy is kept"
        );
    }
}

#[test]
fn a_set_that_had_to_wait_goes_out_once_however_many_fields_there_are() {
    let mut machine = machine(Config::strict_nexus());
    let (id, ..) = machine.open(Instant::ZERO, RecordKey::new("s", "k")).unwrap();
    let mut round = |seconds: u64, fields: usize| {
        let now = Instant::ZERO + Duration::from_secs(seconds);
        for n in 0..fields {
            let change = Change::Set(Arc::new(json!(seconds)));
            machine.write(now, id, &format!("field {n}"), change).unwrap();
        }
        let outputs = std::iter::from_fn(|| machine.poll(now));
        outputs.filter(|output| matches!(output, Output::Publish(..))).count()
    };
    assert_eq!((round(0, 200), round(1, 200), round(9, 0)), (200, 0, 0));
    assert_eq!(round(10, 1), 200, "one is set anew, the others have waited");
    assert_eq!((round(19, 0), round(21, 0)), (0, 0), "none is left");
    assert_eq!((round(30, 200), round(31, 1), round(41, 0)), (200, 0, 1), "the same again");
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        "[a-z]{0,9}".prop_map(|text| Change::Set(Arc::new(json!(text)))),
        Just(Change::Remove),
        (-9..9_i64).prop_map(|by| Change::Increment(by.into())),
        Just(Change::Increment(serde_json::Number::from_f64(0.5).unwrap())),
        (0..9_i64).prop_map(|to| Change::Max(to.into())),
    ]
}

proptest! {
    #[test]
    fn what_changes_take_is_the_sum_over_them_all(
        added in prop::collection::vec(("[a-c]", any_change(), any::<bool>()), 0..40),
        cut in 0..40_usize,
    ) {
        let (mut changes, mut later) = (Changes::default(), Changes::default());
        for (at, (field, change, own)) in added.into_iter().enumerate() {
            let to = if at < cut { &mut changes } else { &mut later };
            to.add(field.into(), change, own);
        }
        changes.append(later);
        let sum = |own: bool| {
            let these = changes.iter().filter(|pending| pending.own == own);
            these.map(|pending| operation_memory(&pending.field, &pending.change)).sum::<usize>()
        };
        prop_assert_eq!((changes.own_bytes(), changes.has_own()), (sum(true), sum(true) > 0));
        prop_assert_eq!(changes.heard_bytes_but("d"), sum(false));
        for field in ["a", "b", "c"] {
            let last = changes.iter().rfind(|pending| *pending.field == *field);
            let last = last.filter(|last| !last.own);
            let without = last.map_or(0, |last| operation_memory(field, &last.change));
            prop_assert_eq!(changes.heard_bytes_but(field), sum(false) - without);
        }
    }
}
