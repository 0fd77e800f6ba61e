//! Messages to measure with, made from a seed: equal seeds give equal messages on every machine.

mod document_sets;
mod documents;
mod escapes;
mod extract;
mod player_sets;
mod store_updates;
mod strings;

pub use document_sets::{LONGEST_VALUE, document_sets, whole_documents};
pub use documents::{Document, DocumentChange, document_changes, documents};
pub use escapes::escapes;
pub use player_sets::player_sets;
pub use store_updates::{Update, store_updates};
pub use strings::strings;

use transport_traits::Topic;

/// A text to publish. On the wire it is a JSON string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The inner topic.
    pub topic: Topic,
    /// The text, not yet escaped.
    pub text: String,
}

/// How many bytes of text the messages have together.
#[must_use]
pub fn text_bytes(messages: &[Message]) -> usize {
    messages.iter().map(|message| message.text.len()).sum()
}
