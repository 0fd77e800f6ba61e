//! The original's packer: on every push the whole buffer is encoded twice to see whether it still fits.

use std::collections::BTreeMap;

use crate::Packer;
use crate::workloads::Message;

/// A buffer of messages by inner topic. A message goes in unless the frame, encoded as JSON once more, would then be longer
/// than the limit; in that case the buffer leaves first. A message that is too long by itself leaves alone.
#[derive(Debug)]
pub struct Original {
    limit: usize,
    buffer: BTreeMap<String, Vec<String>>,
}

impl Original {
    /// The limit that the original has: of the frame encoded once more, bytes.
    pub const LIMIT: usize = 800;

    /// With a limit of so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, buffer: BTreeMap::new() }
    }

    fn is_too_long(&self) -> bool {
        encoded(&encoded(&self.buffer)).len() > self.limit
    }

    fn add(&mut self, topic: &str, text: String) {
        match self.buffer.get_mut(topic) {
            Some(messages) => messages.push(text),
            None => {
                self.buffer.insert(topic.into(), vec![text]);
            }
        }
    }

    /// Takes the message that was added last out again.
    fn take_back(&mut self, topic: &str) -> Option<String> {
        let messages = self.buffer.get_mut(topic)?;
        let text = messages.pop();
        if messages.is_empty() {
            self.buffer.remove(topic);
        }
        text
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
        self.add(&message.topic, message.text.clone());
        if self.is_too_long()
            && let Some(text) = self.take_back(&message.topic)
        {
            self.flush(sealed);
            self.add(&message.topic, text);
        }
    }

    fn finish(&mut self, sealed: &mut dyn FnMut(&[u8])) {
        self.flush(sealed);
    }
}

fn encoded(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("maps of strings are JSON")
}
