//! Objects beside a map of the standard library, and changes in place.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Object;
use crate::change::{Change, NoEffect};

#[test]
fn a_number_changes_where_it_stands_unless_somebody_else_holds_it() {
    let mut object = Object::new();
    object.apply("n", &Change::Increment(1.into())).unwrap();
    let address = |object: &Object| Arc::as_ptr(&object["n"]);
    let before = address(&object);
    object.apply("n", &Change::Increment(2.into())).unwrap();
    assert_eq!((address(&object), &*object["n"]), (before, &json!(3)));
    let held = Arc::clone(&object["n"]);
    object.apply("n", &Change::Max(10.into())).unwrap();
    assert_eq!((&*held, &*object["n"]), (&json!(3), &json!(10)), "what somebody holds does not change");
    assert_eq!(object.apply("n", &Change::Increment(u64::MAX.into())), Err(NoEffect::Overflow));
    assert_eq!(*object["n"], json!(10));
    object.apply("text", &Change::Set(Arc::new(json!("x")))).unwrap();
    assert_eq!(object.apply("text", &Change::Min(1.into())), Err(NoEffect::NotANumber));
    object.apply("text", &Change::Remove).unwrap();
    object.apply("nothing", &Change::Remove).unwrap();
    assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"n":10}"#);
}

#[test]
fn a_field_is_found_however_many_there_are() {
    for fields in 0..40 {
        let names: Vec<Arc<str>> = (0..fields).map(|n| format!("f{n}").into()).collect();
        let object: Object = names.iter().map(|name| (Arc::clone(name), Arc::new(json!(**name)))).collect();
        assert!(
            names.iter().all(|name| object.get(name).is_some_and(|value| **value == **name)),
            "{object:?}"
        );
        assert!(["", "f", "f40", "g"].iter().all(|name| object.get(name).is_none()), "{object:?}");
    }
}

fn change() -> impl Strategy<Value = Change> {
    let number = || (-3..3_i64).prop_map(serde_json::Number::from);
    prop_oneof![
        prop_oneof![Just(json!("x")), (-3..3_i64).prop_map(Value::from)]
            .prop_map(|v| Change::Set(Arc::new(v))),
        Just(Change::Remove),
        number().prop_map(Change::Increment),
        number().prop_map(Change::Max),
        number().prop_map(Change::Min),
    ]
}

proptest! {
    #[test]
    fn in_place_or_not_a_change_comes_to_the_same(
        changes in prop::collection::vec((0..5_usize, change(), any::<bool>()), 0..40),
    ) {
        let (mut object, mut model) = (Object::new(), BTreeMap::<&str, Arc<Value>>::new());
        let mut held = Vec::new();
        for (field, change, hold) in &changes {
            let field = ["a", "b", "c", "d", "e"][*field];
            let expected = change.apply(model.get(field));
            prop_assert_eq!(object.apply(field, change), expected.clone().map(drop));
            match expected {
                Ok(Some(new)) => drop(model.insert(field, Arc::new(Value::clone(&new)))),
                Ok(None) => drop(model.remove(field)),
                Err(_) => {}
            }
            held.extend(hold.then(|| object.clone()));
            let ours: Vec<(&str, &Value)> = object.iter().map(|(name, value)| (&**name, &**value)).collect();
            let theirs: Vec<(&str, &Value)> = model.iter().map(|(name, value)| (*name, &**value)).collect();
            prop_assert_eq!(ours, theirs);
        }
        let again: Object = object.iter().map(|(name, value)| (Arc::clone(name), Arc::clone(value))).collect();
        prop_assert_eq!(again, object);
    }
}
