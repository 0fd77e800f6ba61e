//! Values as the original's JSON writes and compares them.

use serde_json::{Number, Value};

/// Whole numbers up to here are exact as floating-point numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Whether two values are the same to the original: numbers by value, an empty array as an empty object, an absent
/// member as null.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let member = |of: &serde_json::Map<String, Value>, key: &str| of.get(key).cloned();
            let agrees = |key: &String| {
                let (one, other) = (member(one, key), member(other, key));
                same(&one.unwrap_or_default(), &other.unwrap_or_default())
            };
            one.keys().chain(other.keys()).all(agrees)
        }
        (one, other) => one == other || (is_empty(one) && is_empty(other)),
    }
}

/// Whether this is an empty table.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(Value::is_null),
        _ => false,
    }
}

/// Whether two texts are the same JSON, or the same texts if they are no JSON.
pub(crate) fn same_text(one: &str, other: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    match (parse(one), parse(other)) {
        (Some(one), Some(other)) => same(&one, &other),
        (None, None) => one == other,
        _ => false,
    }
}

/// The text of a value as the original writes it: whole numbers without a fraction, an empty table as an array.
pub(crate) fn text(value: &Value) -> String {
    normal(value).to_string()
}

fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(number).unwrap_or_else(|| number.clone())),
        Value::Array(items) => Value::Array(items.iter().map(normal).collect()),
        Value::Object(members) if is_empty(value) && members.is_empty() => Value::Array(Vec::new()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.clone(), normal(value))).collect())
        }
        other => other.clone(),
    }
}

fn whole(number: &Number) -> Option<Number> {
    let float =
        number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT);
    float.map(|float| Number::from(float as i64))
}

/// Whether this is more than an empty table or nothing.
pub(crate) fn has_content(value: &Value) -> bool {
    !value.is_null() && !is_empty(value)
}
