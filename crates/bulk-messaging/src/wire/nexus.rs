//! The `Nexus` format: `{"inner topic":[message, …], …}`, with the header as one more inner topic.

use bytes::Bytes;

use super::frame::{Entry, Frame, Span};
use super::json::{RawString, Scanner, escape, is_plain, only_value};
use super::{Header, WireError};

/// The inner topic that carries the header. Nobody subscribes to it, so servers that do not know it pass over it.
pub(crate) const HEADER_TOPIC: &str = "~";

/// Writes a frame: the text of its header, then every group.
pub(crate) fn encode<'a, M>(header: &str, groups: impl Iterator<Item = (&'a str, M)>, size: usize) -> Bytes
where
    M: Iterator<Item = &'a [u8]>,
{
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(b"{\"~\":[\"");
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(b"\"]");
    write_groups(groups, &mut out);
    out.push(b'}');
    out.into()
}

/// What a frame has beside the text of its header and its groups.
pub(crate) const AROUND_HEADER: &[u8] = b"{\"~\":[\"\"]}";

/// Writes every group as its opening, its messages and a closing bracket.
pub(super) fn write_groups<'a, M>(groups: impl Iterator<Item = (&'a str, M)>, out: &mut Vec<u8>)
where
    M: Iterator<Item = &'a [u8]>,
{
    for (topic, messages) in groups {
        open(topic, out);
        for (at, message) in messages.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(message);
        }
        out.push(b']');
    }
}

/// Writes what stands in a frame before the first message of a topic: `,"topic":[`.
fn open(topic: &str, out: &mut Vec<u8>) {
    out.push(b',');
    if is_plain(topic) {
        out.push(b'"');
        out.extend_from_slice(topic.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(&escape(topic));
    }
    out.extend_from_slice(b":[");
}

/// What stands in a frame before the first message of a topic.
pub(crate) fn opening(topic: &str) -> Vec<u8> {
    let mut opening = Vec::new();
    open(topic, &mut opening);
    opening
}

/// The one JSON value that a body is, without the white space around it; `None` if it is none.
pub(crate) fn value(body: &[u8]) -> Option<&[u8]> {
    only_value(body).map(|(start, end)| &body[start..end])
}

/// Reads a frame. The caller has checked that it is shorter than 4 GiB.
pub(super) fn decode(bytes: Bytes) -> Result<Frame, WireError> {
    let text = std::str::from_utf8(&bytes).map_err(|_| WireError::NotAFrame)?;
    let mut members = Members::new(text.len());
    members.read(text).ok_or(WireError::NotAFrame)?;
    let Members { names, entries, spans, headers } = members;
    let header = match headers[..] {
        [] => None,
        [header] => Some(read_header(&bytes, header)?),
        _ => return Err(WireError::Header),
    };
    Ok(Frame { header, names, entries, spans, text: bytes })
}

/// The members of a frame in their order; a name may come twice.
struct Members {
    names: String,
    entries: Vec<Entry>,
    spans: Vec<Span>,
    /// Of every header the only message; `None` where it is not just one.
    headers: Vec<Option<Span>>,
}

impl Members {
    fn new(frame: usize) -> Self {
        let messages = frame / 64;
        let (entries, spans) = (Vec::with_capacity(messages), Vec::with_capacity(messages));
        Self { names: String::with_capacity(frame / 4), entries, spans, headers: Vec::new() }
    }

    fn read(&mut self, text: &str) -> Option<()> {
        let mut scanner = Scanner::new(text.as_bytes());
        if !scanner.take(b'{') {
            return None;
        }
        if !scanner.take(b'}') {
            loop {
                self.member(text, &mut scanner)?;
                if !scanner.take(b',') {
                    break;
                }
            }
            if !scanner.take(b'}') {
                return None;
            }
        }
        scanner.is_at_end().then_some(())
    }

    fn member(&mut self, text: &str, scanner: &mut Scanner<'_>) -> Option<()> {
        let topic = self.name(text, &scanner.string()?)?;
        if !scanner.take(b':') {
            return None;
        }
        let first = self.spans.len();
        self.messages(scanner)?;
        if self.names[topic.range()] == *HEADER_TOPIC {
            let only = if self.spans.len() == first + 1 { self.spans.last().copied() } else { None };
            self.spans.truncate(first);
            // Two are as wrong as two hundred.
            if self.headers.len() < 2 {
                self.headers.push(only);
            }
        } else {
            self.entries.push(Entry { topic, spans: first as u32..self.spans.len() as u32 });
        }
        Some(())
    }

    fn name(&mut self, text: &str, string: &RawString) -> Option<Span> {
        let &RawString { start, end, escaped } = string;
        let at = self.names.len();
        if escaped {
            let unescaped: String = serde_json::from_str(&text[start - 1..=end]).ok()?;
            self.names.push_str(&unescaped);
        } else {
            self.names.push_str(&text[start..end]);
        }
        Some(Span::new(at, self.names.len()))
    }

    fn messages(&mut self, scanner: &mut Scanner<'_>) -> Option<()> {
        if !scanner.take(b'[') {
            return None;
        }
        if scanner.take(b']') {
            return Some(());
        }
        loop {
            let (start, end) = scanner.value()?;
            self.spans.push(Span::new(start, end));
            if !scanner.take(b',') {
                return scanner.take(b']').then_some(());
            }
        }
    }
}

fn read_header(bytes: &[u8], message: Option<Span>) -> Result<Header, WireError> {
    let message = message.and_then(|span| std::str::from_utf8(&bytes[span.range()]).ok());
    let quoted = message.and_then(|message| message.strip_prefix('"')?.strip_suffix('"'));
    let text = quoted.ok_or(WireError::Header)?;
    match Header::parse(text) {
        Some(header) => Ok(header),
        None if Header::is_other_version(text) => Err(WireError::Version),
        None => Err(WireError::Header),
    }
}
