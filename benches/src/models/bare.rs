//! The least that a packer of JSON frames can do: escape each message once, and cut where the limit is.

use transport_traits::Topic;

use crate::Packer;
use crate::workloads::Message;

/// Messages in the order of pushing, without header, queue, sequence or budget. Messages of one topic in a row share a
/// member of the frame. Sizes are bytes.
#[derive(Debug)]
pub struct Bare {
    limit: usize,
    frame: Vec<u8>,
    /// The topic of the last message in the frame.
    topic: Option<Topic>,
    /// What is cut off a full frame, and begins the next one.
    next: Vec<u8>,
}

const END: &[u8] = b"]}";

impl Bare {
    /// With frames of at most `limit` bytes. A message that is too long by itself leaves alone.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, frame: Vec::with_capacity(2 * limit), topic: None, next: Vec::with_capacity(2 * limit) }
    }

    /// Writes what goes before the text, and then the text. Says where the text begins.
    fn append(&mut self, message: &Message) -> usize {
        if self.topic.as_ref() == Some(&message.topic) {
            self.frame.push(b',');
        } else {
            self.frame.extend_from_slice(if self.topic.is_some() { b"]," } else { b"{" });
            open(&message.topic, &mut self.frame);
            self.topic = Some(message.topic.clone());
        }
        let start = self.frame.len();
        escape(&message.text, &mut self.frame);
        start
    }

    /// Seals what was there `before` the message whose text begins at `start`. That message begins the next frame.
    fn cut(&mut self, before: usize, start: usize, topic: &str, sealed: &mut dyn FnMut(&[u8])) {
        self.next.clear();
        self.next.push(b'{');
        open(topic, &mut self.next);
        self.next.extend_from_slice(&self.frame[start..]);
        self.frame.truncate(before);
        self.frame.extend_from_slice(END);
        sealed(&self.frame);
        std::mem::swap(&mut self.frame, &mut self.next);
    }
}

impl Packer for Bare {
    fn push(&mut self, message: &Message, sealed: &mut dyn FnMut(&[u8])) {
        let before = self.frame.len();
        let start = self.append(message);
        if self.frame.len() + END.len() > self.limit && before > 0 {
            self.cut(before, start, &message.topic, sealed);
        }
    }

    fn finish(&mut self, sealed: &mut dyn FnMut(&[u8])) {
        if self.topic.take().is_some() {
            self.frame.extend_from_slice(END);
            sealed(&self.frame);
            self.frame.clear();
        }
    }
}

/// What stands before the first message of a topic.
fn open(topic: &str, out: &mut Vec<u8>) {
    escape(topic, out);
    out.extend_from_slice(b":[");
}

fn escape(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a vector takes all that is written");
}
