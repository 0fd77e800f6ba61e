//! Changes: arithmetic, and merging that nobody can tell from the two changes it merges.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Number, Value, json};

use crate::change::{Change, NoEffect};
use crate::json;

fn apply(change: &Change, to: Value) -> Result<Value, NoEffect> {
    let current = (!to.is_null()).then(|| Arc::new(to));
    change.apply(current.as_ref()).map(|value| value.map_or(Value::Null, Arc::unwrap_or_clone))
}

fn increment(by: impl Into<Number>) -> Change {
    Change::Increment(by.into())
}

#[test]
fn numbers_stay_exact_and_what_does_not_fit_changes_nothing() {
    let half = Number::from_f64(0.5).unwrap();
    let cases = [
        (increment(2), json!(null), Ok(json!(2))),
        (increment(-2), json!(1), Ok(json!(-1))),
        (increment(1), json!(9_007_199_254_740_993_i64), Ok(json!(9_007_199_254_740_994_i64))),
        (increment(1), json!(i64::MAX), Ok(json!(9_223_372_036_854_775_808_u64))),
        (increment(1), json!(u64::MAX), Err(NoEffect::Overflow)),
        (increment(-1), json!(i64::MIN), Err(NoEffect::Overflow)),
        (increment(half), json!(1), Ok(json!(1.5))),
        (increment(Number::from_f64(f64::MAX).unwrap()), json!(f64::MAX), Err(NoEffect::Overflow)),
        (increment(1), json!("one"), Err(NoEffect::NotANumber)),
        (Change::Max(5.into()), json!(3), Ok(json!(5))),
        (Change::Max(5.into()), json!(7.5), Ok(json!(7.5))),
        (Change::Min(5.into()), json!(null), Ok(json!(5))),
        (Change::Min(5.into()), json!(7), Ok(json!(5))),
        (Change::Min(5.into()), json!([]), Err(NoEffect::NotANumber)),
        (Change::Remove, json!(7), Ok(json!(null))),
    ];
    for (change, to, expected) in cases {
        assert_eq!(apply(&change, to.clone()), expected, "{change:?} of {to}");
    }
}

#[test]
fn equal_numbers_are_the_same_however_they_are_written() {
    assert!(json::same(&json!({"a": 1, "b": [2.0]}), &json!({"b": [2], "a": 1.0})));
    assert!(!json::same(&json!(1), &json!(1.5)));
    assert!(!json::same(&json!({"a": null}), &json!({})));
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (-9..9_i64).prop_map(|n| Change::Set(Arc::new(json!(n)))),
        Just(Change::Set(Arc::new(json!("text")))),
        Just(Change::Remove),
        (-9..9_i64).prop_map(increment),
        (-9..9_i64).prop_map(|n| Change::Max(n.into())),
        (-9..9_i64).prop_map(|n| Change::Min(n.into())),
    ]
}

proptest! {
    #[test]
    fn a_merged_change_does_what_both_do(first in change(), second in change(), start in -9..9_i64) {
        let between = apply(&first, json!(start)).unwrap();
        if let Some(merged) = first.then(&second)
            && let Ok(after) = apply(&second, between)
        {
            prop_assert_eq!(apply(&merged, json!(start)), Ok(after));
        }
    }
}
