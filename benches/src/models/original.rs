//! The original's packer: on every push a copy of the whole buffer is encoded twice to see whether the message still fits.

use std::collections::BTreeMap;
use std::rc::Rc;

use transport_traits::Topic;

use crate::Packer;
use crate::workloads::Message;

/// Messages by inner topic. Copies share the texts, as those of the original's language do.
type Buffer = BTreeMap<Topic, Vec<Rc<str>>>;

/// A buffer that is copied with the new message in it; if that copy, encoded as JSON and once more, is longer than the
/// limit, the buffer leaves first. A message that is too long by itself leaves alone.
#[derive(Debug)]
pub struct Original {
    limit: usize,
    buffer: Buffer,
}

impl Original {
    /// The limit that the original has: of the frame encoded once more, bytes.
    pub const LIMIT: usize = 800;

    /// With a limit of so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, buffer: Buffer::new() }
    }

    fn flush(&mut self, sealed: &mut dyn FnMut(&[u8])) {
        if !self.buffer.is_empty() {
            sealed(encoded(&self.buffer).as_bytes());
            self.buffer.clear();
        }
    }
}

impl Packer for Original {
    fn push(&mut self, message: &Message, sealed: &mut dyn FnMut(&[u8])) {
        let text: Rc<str> = message.text.as_str().into();
        let mut larger = self.buffer.clone();
        add(&mut larger, &message.topic, text.clone());
        if encoded(&encoded(&larger)).len() > self.limit {
            self.flush(sealed);
        }
        add(&mut self.buffer, &message.topic, text);
    }

    fn finish(&mut self, sealed: &mut dyn FnMut(&[u8])) {
        self.flush(sealed);
    }
}

fn add(buffer: &mut Buffer, topic: &Topic, text: Rc<str>) {
    buffer.entry(topic.clone()).or_default().push(text);
}

fn encoded(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("maps of strings are JSON")
}
