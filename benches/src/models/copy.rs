//! A plain copy of the bytes: what no packer can do without.

use crate::Packer;
use crate::workloads::Message;

/// The texts one after another, cut at the limit. No receiver could tell them apart.
#[derive(Debug)]
pub struct Copy {
    limit: usize,
    frame: Vec<u8>,
}

impl Copy {
    /// With frames of at most `limit` bytes. A text that is too long by itself leaves alone.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, frame: Vec::with_capacity(limit) }
    }
}

impl Packer for Copy {
    fn push(&mut self, message: &Message, sealed: &mut dyn FnMut(&[u8])) {
        if self.frame.len() + message.text.len() > self.limit {
            self.finish(sealed);
        }
        self.frame.extend_from_slice(message.text.as_bytes());
    }

    fn finish(&mut self, sealed: &mut dyn FnMut(&[u8])) {
        if !self.frame.is_empty() {
            sealed(&self.frame);
            self.frame.clear();
        }
    }
}
