//! From values of users' types to JSON and back.

use std::sync::Arc;

use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde_json::Value;

use crate::error::DecodeError;
use crate::finite;

/// Why a value cannot be JSON.
pub(crate) type NotJson = Arc<str>;

/// Fields and what they hold from now on; `None` for one that is gone.
pub(crate) type NewValues = Vec<(Arc<str>, Option<Arc<Value>>)>;

/// The JSON of a value. What has none is an error: also a `NaN` or an infinity, of which `serde_json` makes
/// a `null`.
pub(crate) fn encode(value: &(impl Serialize + ?Sized)) -> Result<Value, NotJson> {
    finite::check(value).map_err(|error| NotJson::from(error.to_string()))?;
    serde_json::to_value(value).map_err(|error| error.to_string().into())
}

/// A field's value as a `T`.
pub(crate) fn decode<T: DeserializeOwned>(field: &str, value: &Value) -> Result<T, DecodeError> {
    T::deserialize(value).map_err(|error| DecodeError::new(Some(field.into()), error))
}

/// All fields as one `T`.
pub(crate) fn decode_all<'a, T: DeserializeOwned>(
    fields: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Result<T, DecodeError> {
    let fields = fields.map(|(field, value)| (field, value.into_deserializer()));
    T::deserialize(MapDeserializer::new(fields))
        .map_err(|error: serde_json::Error| DecodeError::new(None, error))
}

/// The fields in which `after` differs from `before`, which are of the same type.
pub(crate) fn differences<T: Serialize>(before: Value, after: &T) -> Result<NewValues, NotJson> {
    let (Value::Object(mut before), Value::Object(after)) = (before, encode(after)?) else {
        return Err("a record is an object: a struct or a map".into());
    };
    let mut changed = Vec::new();
    for (field, new) in after {
        if before.remove(&field).is_none_or(|old| !crate::json::same(&old, &new)) {
            changed.push((field.into(), Some(Arc::new(new))));
        }
    }
    changed.extend(before.into_iter().map(|(field, _)| (field.into(), None)));
    Ok(changed)
}
