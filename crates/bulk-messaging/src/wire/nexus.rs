//! The `Nexus` format: `{"inner topic":[message, …], …}`, with the header as one more inner topic.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Entry, Header, Span, WireError};

/// The inner topic that carries the header. Nobody subscribes to it, so servers that do not know it pass over it.
pub(crate) const HEADER_TOPIC: &str = "~";

/// Writes a frame: the header, then every group as its opening, its messages and a closing bracket.
pub(crate) fn encode<'a, M>(
    header: &Header,
    groups: impl Iterator<Item = (&'a Bytes, M)>,
    size: usize,
) -> Bytes
where
    M: Iterator<Item = &'a Bytes>,
{
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(b"{\"~\":[\"");
    out.extend_from_slice(header.to_text().as_bytes());
    out.extend_from_slice(b"\"]");
    for (opening, messages) in groups {
        out.extend_from_slice(opening);
        for (at, message) in messages.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(message);
        }
        out.push(b']');
    }
    out.push(b'}');
    out.into()
}

/// What stands in a frame before the first message of a topic: `,"topic":[`.
pub(crate) fn opening(topic: &str) -> Bytes {
    let name = serde_json::Value::from(topic);
    format!(",{name}:[").into()
}

/// The one JSON value that a body is, without the white space around it.
pub(crate) fn value(body: &Bytes) -> Result<Bytes, serde_json::Error> {
    let value: &RawValue = serde_json::from_slice(body)?;
    Ok(body.slice_ref(value.get().trim_ascii().as_bytes()))
}

/// Reads a frame.
pub(super) fn decode(bytes: &Bytes) -> Result<(Option<Header>, Vec<Entry>), WireError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let object = reader.deserialize_map(FrameVisitor).map_err(|_| WireError::NotAFrame)?;
    reader.end().map_err(|_| WireError::NotAFrame)?;
    let (mut header, mut entries) = (None, Vec::with_capacity(object.len()));
    for (topic, messages) in object {
        if topic == HEADER_TOPIC {
            let read = read_header(&messages)?;
            if header.replace(read).is_some() {
                return Err(WireError::Header);
            }
        } else {
            let messages = messages.into_iter().map(|message| span(bytes, message)).collect();
            entries.push(Entry { topic: topic.into_owned(), messages });
        }
    }
    Ok((header, entries))
}

fn read_header(messages: &[&RawValue]) -> Result<Header, WireError> {
    let &[message] = messages else { return Err(WireError::Header) };
    let text: &str = serde_json::from_str(message.get()).map_err(|_| WireError::Header)?;
    match Header::parse(text) {
        Some(header) => Ok(header),
        None if Header::is_other_version(text) => Err(WireError::Version),
        None => Err(WireError::Header),
    }
}

/// The caller has checked that the frame is shorter than 4 GiB.
fn span(frame: &Bytes, message: &RawValue) -> Span {
    let start = message.get().as_ptr() as usize - frame.as_ptr() as usize;
    Span { start: start as u32, end: (start + message.get().len()) as u32 }
}

/// Collects the members of a frame in their order; a name may come twice.
struct FrameVisitor;

type Members<'de> = Vec<(Cow<'de, str>, Vec<&'de RawValue>)>;

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for FrameVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of arrays")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(topic)) = map.next_key()? {
            members.push((topic, map.next_value()?));
        }
        Ok(members)
    }
}
