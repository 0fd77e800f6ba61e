//! The original's messages about a record: what they say, and how long they are to the original.
//!
//! Each is a JSON *string* that holds `{"Action":"Set","Key":…,"Value":…,"SyncId":…}` (no `Value` for a removal) or
//! `{"Action":"Fetch","Keys":[…],"SyncId":…}`. See `docs/original-wire.md`.

use std::sync::Arc;

use serde_json::{Map, Number, Value, json};
use transport_traits::limits::{SizeLimit, json_encoded_len};

use crate::json;

/// A Set whose action takes more, JSON-encoded twice more, is not sent by the original.
const LONGEST: usize = 800;

/// Whole numbers up to here are exact as doubles: ±2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// The field has this value now; `None`: there is no such field any more.
    Set(Arc<str>, Option<Arc<Value>>),
    /// These fields changed: read them from the store.
    Fetch(Vec<Arc<str>>),
}

/// A message that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) action: Action,
    /// Whose open save sent it; `None`: a tool outside of the fleet.
    pub(crate) sync_id: Option<String>,
}

/// It is not by the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

/// Reads a message from whoever sent it; `None` is an action that nobody knows, which is no fault.
pub(crate) fn parse(body: &[u8]) -> Result<Option<Heard>, Damaged> {
    let text: String = serde_json::from_slice(body).map_err(|_| Damaged)?;
    let mut message: Map<String, Value> = serde_json::from_str(&text).map_err(|_| Damaged)?;
    let action = match message.get("Action").and_then(Value::as_str) {
        Some("Set") => set_action(&mut message)?,
        Some("Fetch") => fetch_action(&mut message)?,
        _ => return Ok(None),
    };
    let sync_id = message.get("SyncId").and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Heard { action, sync_id }))
}

fn set_action(message: &mut Map<String, Value>) -> Result<Action, Damaged> {
    let field = message.get("Key").and_then(Value::as_str).ok_or(Damaged)?.into();
    let value = message.remove("Value").filter(|value| !value.is_null());
    if value.as_ref().is_some_and(json::is_too_deep) {
        return Err(Damaged);
    }
    Ok(Action::Set(field, value.map(Arc::new)))
}

fn fetch_action(message: &mut Map<String, Value>) -> Result<Action, Damaged> {
    let fields = message.get("Keys").and_then(Value::as_array).ok_or(Damaged)?;
    Ok(Action::Fetch(fields.iter().filter_map(Value::as_str).map(Arc::from).collect()))
}

/// A message that a field has this value now.
pub(crate) fn set_text(field: &str, value: Option<&Value>, sync_id: &str) -> String {
    let mut message = json!({ "Action": "Set", "Key": field, "SyncId": sync_id });
    if let Some(value) = value {
        message["Value"] = as_written(value);
    }
    Value::String(message.to_string()).to_string()
}

/// A message that these fields are to be read.
pub(crate) fn fetch_text(fields: &[Arc<str>], sync_id: &str) -> String {
    let fields: Vec<&str> = fields.iter().map(|field| &**field).collect();
    let message = json!({ "Action": "Fetch", "Keys": fields, "SyncId": sync_id });
    Value::String(message.to_string()).to_string()
}

/// The same as messages that each fit, where the bus has a limit: the original sends one, and loses it.
pub(crate) fn fetch_texts(fields: &[Arc<str>], sync_id: &str, limit: Option<SizeLimit>) -> Vec<String> {
    let whole = fetch_text(fields, sync_id);
    let fits = limit.is_none_or(|limit| limit.check("a message", whole.as_bytes()).is_ok());
    if fits || fields.len() < 2 {
        return vec![whole];
    }
    let (left, right) = fields.split_at(fields.len() / 2);
    [left, right].into_iter().flat_map(|half| fetch_texts(half, sync_id, limit)).collect()
}

/// Whether the original sends a Set message of this text.
pub(crate) fn is_short(set_text: &str) -> bool {
    json_encoded_len(set_text.as_bytes()) <= LONGEST
}

/// A value as the original writes it: whole numbers without a fraction, and empty tables as arrays.
pub(crate) fn as_written(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(number).unwrap_or_else(|| number.clone())),
        Value::Array(items) => Value::Array(items.iter().map(as_written).collect()),
        Value::Object(members) if members.is_empty() => Value::Array(Vec::new()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), as_written(value))).collect())
        }
        other => other.clone(),
    }
}

fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() < EXACT).then(|| Number::from(float as i64))
}
