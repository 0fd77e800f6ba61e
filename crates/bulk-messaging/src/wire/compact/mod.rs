//! The `Compact` format: frames of both forms, written and read.
#![doc = include_str!("format.md")]

mod base85;
mod dense;
mod entries;
mod header;
mod model;
mod range;
mod tokens;
mod unfolded;
mod words;

use bytes::Bytes;
use transport_traits::limits::{Counting, SizeLimit};

use self::header::Reader;
use super::{Costs, Frame, Header, WireError};

/// What a text form begins with.
pub(super) const TEXT_MARK: u8 = b'~';

/// Which form of `Compact`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Binary,
    Text,
}

/// What a frame may cost, and how messages count towards it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    form: Form,
    costs: Costs,
    limit: usize,
}

impl Sizes {
    pub(crate) fn new(form: Form, frame: SizeLimit) -> Self {
        // A binary frame is never UTF-8, and so it has no characters to be counted.
        let binary_chars = form == Form::Binary && frame.counting == Counting::Chars;
        let counting = if binary_chars { Counting::Bytes } else { frame.counting };
        Self { form, costs: Costs::new(counting), limit: frame.max }
    }

    /// The room of a frame for messages, whatever its header, in the unit of [`body`](Self::body): what remains beside
    /// the longest header, and what a message has around it when it is alone. `None` if there is none.
    pub(crate) fn room(self) -> Option<usize> {
        let around = match self.form {
            Form::Binary => self.costs.bytes_at_most(header::MAX_LEN + entries::MAX_OVERHEAD),
            Form::Text => header::MAX_LEN + dense::MAX_OVERHEAD,
        };
        self.whole().checked_sub(around)
    }

    /// What a topic or body adds to a frame at most.
    pub(crate) fn body(self, body: &[u8]) -> usize {
        match self.form {
            Form::Binary => self.costs.text(body),
            Form::Text => body.len(),
        }
    }

    /// The limit of a body that may cost so much.
    pub(crate) fn body_limit(self, cost: usize) -> SizeLimit {
        match self.form {
            Form::Binary => SizeLimit { max: cost + self.costs.frame(), counting: self.costs.counting() },
            Form::Text => SizeLimit::bytes(cost),
        }
    }

    /// What a frame may cost in that unit.
    fn whole(self) -> usize {
        let limit = self.limit.saturating_sub(self.costs.frame());
        match self.form {
            Form::Binary => limit,
            Form::Text => base85::decoded_len(limit.saturating_sub(1)),
        }
    }

    /// Begins a frame.
    pub(crate) fn draft(self, header: &Header) -> Draft {
        // Somewhat more than it may have, since messages are written before it is known that they do not fit.
        let mut out = Vec::with_capacity(self.limit.min(64 << 10) + 256);
        header::write(header, self.form == Form::Text, &mut out);
        match self.form {
            Form::Binary => Draft::Binary(entries::Writer::new(out, self.costs, self.limit)),
            Form::Text => Draft::Text(Box::new(dense::Writer::new(out, self.whole()))),
        }
    }

    /// A head: a header and nothing else.
    pub(crate) fn head(self, header: &Header) -> Bytes {
        let mut out = Vec::new();
        header::write(header, false, &mut out);
        match self.form {
            Form::Binary => out.into(),
            Form::Text => to_text(&out),
        }
    }
}

/// A frame that is being filled.
#[derive(Debug)]
pub(crate) enum Draft {
    Binary(entries::Writer),
    Text(Box<dense::Writer>),
}

impl Draft {
    /// Adds a message, if it fits. `known` is the topic's number among those of the frame, if it was named before; a new
    /// one gets the next number.
    pub(crate) fn add(&mut self, known: Option<usize>, topic: &str, body: &[u8]) -> bool {
        match self {
            Self::Binary(writer) => writer.add(known, topic, body),
            Self::Text(writer) => writer.add(known, topic, body),
        }
    }

    pub(crate) fn finish(self) -> Bytes {
        match self {
            Self::Binary(writer) => writer.out.into(),
            Self::Text(writer) => to_text(&writer.finish()),
        }
    }
}

fn to_text(frame: &[u8]) -> Bytes {
    let mut text = Vec::with_capacity(1 + base85::encoded_len(frame.len()));
    text.push(TEXT_MARK);
    base85::encode(frame, &mut text);
    text.into()
}

/// Reads the text form.
pub(super) fn decode_text(text: &[u8]) -> Result<Frame, WireError> {
    let frame = base85::decode(&text[1..]).ok_or(WireError::NotAFrame)?;
    decode_binary(&frame)
}

/// Reads the binary form.
pub(super) fn decode_binary(frame: &[u8]) -> Result<Frame, WireError> {
    let mut reader = Reader::new(frame);
    let (header, dense) = header::read(&mut reader)?;
    if dense { dense::read(header, reader, frame.len()) } else { entries::read(header, reader, frame.len()) }
}
