//! Messages coded by prediction: what was seen in the frame before costs next to nothing.

use super::super::frame::Frame;
use super::super::{Header, WireError};
use super::header::{Reader, varint_len, write_varint};
use super::model::{Kind, Model, part};
use super::range::{Coder, Decoder, Encoder};
use super::tokens::{Context, FIRST_WORD, NEW, NUMBER_TOKEN, TEXT_END, Token};
use super::unfolded::{MESSAGE, Unfolded, bound};
use super::words::{Index, Piece, Words};

/// What a topic and a body cost at most in a frame of their own beside their bytes, when both are raw.
pub(super) const MAX_OVERHEAD: usize = 12;

/// Cells of [`part::MESSAGE`].
mod cell {
    use super::part::MESSAGE;

    /// The topic is another one than that of the message before.
    pub(super) const OTHER_TOPIC: usize = MESSAGE;
    /// It was not named before.
    pub(super) const NEW_TOPIC: usize = MESSAGE + 1;
    /// The text is raw: two, by kind.
    pub(super) const RAW: usize = MESSAGE + 2;
}

/// A frame whose messages are added one after another.
#[derive(Debug)]
pub(crate) struct Writer {
    header: Vec<u8>,
    limit: usize,
    model: Model,
    coder: Encoder,
    index: Index,
    messages: usize,
    topics: usize,
    /// The topic of the message before.
    current: Option<usize>,
    /// What the messages unfold to.
    unfolded: usize,
}

impl Writer {
    /// A frame with this header, which may have `limit` bytes in all.
    pub(super) fn new(header: Vec<u8>, limit: usize) -> Self {
        Self {
            header,
            limit,
            model: Model::new(),
            coder: Encoder::new(Vec::with_capacity(limit.min(1 << 16))),
            index: Index::default(),
            messages: 0,
            topics: 0,
            current: None,
            unfolded: 0,
        }
    }

    /// Adds a message, if there is room. `known` is the topic's number, if it was named before. A message that
    /// surely fits alone fits into an empty frame.
    pub(super) fn add(&mut self, known: Option<usize>, topic: &str, body: &[u8]) -> bool {
        let unfolded = self.unfolded + topic.len() + body.len() + 3 * MESSAGE;
        let plain = std::str::from_utf8(body).is_err();
        let added = self.try_add(known, topic, [false, plain], body, unfolded)
            || (self.messages == 0 && self.try_add(known, topic, [true, true], body, unfolded));
        if added {
            self.unfolded = unfolded;
            self.messages += 1;
            self.current = Some(known.unwrap_or(self.topics));
            self.topics += usize::from(known.is_none());
        }
        added
    }

    fn try_add(
        &mut self,
        known: Option<usize>,
        topic: &str,
        raw: [bool; 2],
        body: &[u8],
        unfolded: usize,
    ) -> bool {
        let mark = self.coder.mark();
        self.model.mark();
        let words = self.index.words.len();
        self.write_topic(known, topic, raw[0]);
        self.write_text(Kind::Body, body, raw[1]);
        let len = self.len();
        let fits = len <= self.limit && unfolded <= bound(len);
        if !fits {
            self.coder.rewind(&mark);
            self.model.rewind();
            self.index.truncate(words);
        }
        fits
    }

    /// The length of the frame with the message that is being added.
    fn len(&self) -> usize {
        self.header.len() + varint_len(self.messages as u64 + 1) + self.coder.finished_len()
    }

    fn write_topic(&mut self, known: Option<usize>, topic: &str, raw: bool) {
        let Self { model, coder, .. } = self;
        let other = known.is_none() || known != self.current;
        if !model.bit(coder, cell::OTHER_TOPIC, other) {
            return;
        }
        model.bit(coder, cell::NEW_TOPIC, known.is_none());
        match known {
            Some(number) => {
                coder.raw(bits_for(self.topics), number as u64);
            }
            None => self.write_text(Kind::Topic, topic.as_bytes(), raw),
        }
    }

    fn write_text(&mut self, kind: Kind, text: &[u8], raw: bool) {
        let Self { model, coder, .. } = self;
        if model.bit(coder, cell::RAW + kind as usize, raw) {
            model.sized(coder, part::RAW, text.len() as u64);
            for &byte in text {
                coder.few(8, byte.into());
            }
            return;
        }
        let mut context = Context::new(kind);
        let mut rest = text;
        // What will be taken back need not be written to its end.
        while self.len() <= self.limit {
            let piece = Piece::first(rest);
            self.write_piece(&mut context, piece);
            match piece {
                Piece::Number(_, len) => rest = &rest[len..],
                Piece::Word(word) => rest = &rest[word.len()..],
                Piece::End => return,
            }
        }
    }

    fn write_piece(&mut self, context: &mut Context, piece: Piece<'_>) {
        let Self { model, coder, index, .. } = self;
        let token = match piece {
            Piece::Number(..) => NUMBER_TOKEN,
            Piece::End => TEXT_END,
            Piece::Word(word) => index.find(word).map_or(NEW, |number| FIRST_WORD + number as Token),
        };
        context.token(model, coder, index.words.len(), token);
        match piece {
            Piece::Number(number, _) => {
                context.number(model, coder, number);
            }
            Piece::Word(word) if token == NEW => {
                model.tree(coder, part::LENGTH, 6, word.len() as u32 - 1);
                for &byte in word {
                    model.tree(coder, part::BYTE, 8, byte.into());
                }
                let number = index.push(word);
                context.new_word(model, number, word);
            }
            Piece::Word(word) => context.word(model, token, word),
            Piece::End => context.end(model),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = self.header;
        write_varint(self.messages as u64, &mut out);
        if self.messages > 0 {
            out.extend_from_slice(&self.coder.finish());
        }
        out
    }
}

/// How many bits tell so many things apart.
fn bits_for(things: usize) -> u32 {
    usize::BITS - things.saturating_sub(1).leading_zeros()
}

const BROKEN: WireError = WireError::NotAFrame;

/// Reads the messages of a frame of `size` bytes.
pub(super) fn read(header: Header, mut reader: Reader<'_>, size: usize) -> Result<Frame, WireError> {
    let mut unfolded = Unfolded::new(size);
    if header.head {
        return unfolded.into_frame(header);
    }
    let messages = reader.size().ok_or(BROKEN)?;
    let mut decoding =
        Decoding { model: Model::new(), coder: Decoder::new(reader.rest()), words: Words::default() };
    for _ in 0..messages {
        decoding.topic(&mut unfolded)?;
        let start = decoding.text(Kind::Body, &mut unfolded)?;
        unfolded.message_behind(start)?;
    }
    let whole = if messages == 0 { reader.rest().is_empty() } else { decoding.coder.is_at_end() };
    if whole { unfolded.into_frame(header) } else { Err(BROKEN) }
}

struct Decoding<'a> {
    model: Model,
    coder: Decoder<'a>,
    words: Words,
}

impl Decoding<'_> {
    fn topic(&mut self, unfolded: &mut Unfolded) -> Result<(), WireError> {
        let Self { model, coder, .. } = self;
        if !model.bit(coder, cell::OTHER_TOPIC, false) {
            return Ok(());
        }
        if model.bit(coder, cell::NEW_TOPIC, false) {
            let start = self.text(Kind::Topic, unfolded)?;
            return unfolded.topic_behind(start);
        }
        let number = coder.raw(bits_for(unfolded.topics()), 0);
        unfolded.known_topic(number as usize)
    }

    /// Appends a text and says where it begins.
    fn text(&mut self, kind: Kind, unfolded: &mut Unfolded) -> Result<usize, WireError> {
        let Self { model, coder, .. } = self;
        let start = unfolded.text.len();
        if model.bit(coder, cell::RAW + kind as usize, false) {
            let len = model.sized(coder, part::RAW, 0) as usize;
            unfolded.reserve(len)?;
            unfolded.text.extend((0..len).map(|_| coder.few(8, 0) as u8));
            return Ok(start);
        }
        let mut context = Context::new(kind);
        while self.piece(&mut context, unfolded)? {}
        Ok(start)
    }

    /// Appends a token; false at the end of the text.
    fn piece(&mut self, context: &mut Context, unfolded: &mut Unfolded) -> Result<bool, WireError> {
        let Self { model, coder, words } = self;
        // It would be found at the end too, but zeros behind the stream may be many tokens.
        if coder.is_beyond_end() {
            return Err(BROKEN);
        }
        match context.token(model, coder, words.len(), NEW) {
            TEXT_END => {
                context.end(model);
                return Ok(false);
            }
            NUMBER_TOKEN => {
                let number = context.number(model, coder, 0);
                write_number(number, unfolded)?;
            }
            NEW => {
                let len = model.tree(coder, part::LENGTH, 6, 0) as usize + 1;
                unfolded.reserve(len)?;
                let start = unfolded.text.len();
                unfolded.text.extend((0..len).map(|_| model.tree(coder, part::BYTE, 8, 0) as u8));
                let word = &unfolded.text[start..];
                context.new_word(model, words.push(word), word);
            }
            token => {
                let word = words.get(usize::from(token - FIRST_WORD)).ok_or(BROKEN)?;
                unfolded.reserve(word.len())?;
                unfolded.text.extend_from_slice(word);
                context.word(model, token, word);
            }
        }
        Ok(true)
    }
}

/// Appends a number in decimal.
fn write_number(mut number: u64, unfolded: &mut Unfolded) -> Result<(), WireError> {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    unfolded.reserve(digits.len() - at)?;
    unfolded.text.extend_from_slice(&digits[at..]);
    Ok(())
}
