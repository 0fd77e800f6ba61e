//! What every decoder must keep to, whatever it is fed.

mod pool;
mod receive;
mod round_trip;
mod save_data;

pub use pool::pool;
pub use receive::receive;
pub use round_trip::round_trip;
pub use save_data::{original, save_data};

use std::collections::HashMap;

use bulk_messaging::WireError;
use bulk_messaging::wire::Frame;
use bytes::Bytes;
use serde_json::value::RawValue;

/// A frame of our compact formats unfolds to at most so many times its size.
const MAX_RATIO: usize = 16;

/// Decodes a frame and walks through what is in it.
///
/// # Panics
/// If what was decoded is more than the frame can hold.
pub fn decode(frame: &[u8]) {
    let Ok(decoded) = Frame::decode(Bytes::copy_from_slice(frame)) else { return };
    let size: usize = decoded.messages().map(|(_, message)| message.len()).sum();
    assert!(size <= MAX_RATIO * frame.len(), "{size} bytes of messages from {}", frame.len());
    assert!(decoded.messages().count() <= frame.len(), "more messages than bytes");
}

/// Decodes what is not a compact frame, and asks `serde_json` whether it is a frame.
///
/// # Panics
/// If the two do not agree, or as [`decode`].
pub fn nexus(frame: &[u8]) {
    if matches!(frame.first(), Some(b'~' | 0x80..)) {
        return;
    }
    decode(frame);
    let peer = serde_json::from_slice::<HashMap<String, Vec<Box<RawValue>>>>(frame).is_ok();
    let ours = Frame::decode(Bytes::copy_from_slice(frame));
    assert_eq!(ours != Err(WireError::NotAFrame), peer, "{ours:?}");
}
