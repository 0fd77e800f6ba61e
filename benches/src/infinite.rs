//! Numbers in JSON that may be infinite, which JSON has no number for: what never came, as a time, is `"inf"` there.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands for one that is.
const INFINITE: &str = "inf";

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Number(f64),
    Text(std::borrow::Cow<'a, str>),
}

/// Writes a number that is or is not there; one that is not a number is written as not there.
#[expect(clippy::ref_option, reason = "so serde hands it over")]
pub(crate) fn serialize<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    let written = number.filter(|number| !number.is_nan()).map(|number| {
        if number == f64::INFINITY { Written::Text(INFINITE.into()) } else { Written::Number(number) }
    });
    written.serialize(serializer)
}

/// Reads one.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Option::deserialize(deserializer)? {
        None => Ok(None),
        Some(Written::Number(number)) => Ok(Some(number)),
        Some(Written::Text(text)) if text == INFINITE => Ok(Some(f64::INFINITY)),
        Some(Written::Text(text)) => {
            Err(serde::de::Error::custom(format!("a number or {INFINITE:?}, not {text:?}")))
        }
    }
}
