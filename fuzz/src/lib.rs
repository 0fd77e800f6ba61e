//! What every decoder must keep to, whatever it is fed.
//!
//! Each target is a program of `fuzz_targets/`. Built by `cargo fuzz`, the fuzzer feeds it; built by cargo alone, it reads the
//! files that its arguments name, so that a finding can be looked at without a fuzzer. The tests feed every target its
//! corpus.

#![forbid(unsafe_code)]

mod pool;
mod receive;
mod round_trip;
mod save_data;

pub use pool::pool;
pub use receive::receive;
pub use round_trip::round_trip;
pub use save_data::{original, save_data};

#[cfg(fuzzing)]
#[doc(hidden)]
pub use libfuzzer_sys;

use std::collections::HashMap;

use bulk_messaging::WireError;
use bulk_messaging::wire::Frame;
use bytes::Bytes;
use serde_json::value::RawValue;

/// What a target is fed with. It panics where something does not keep to what it must.
pub type Target = fn(&[u8]);

/// The targets by the names of their programs and of their folders in `corpus/`.
pub const TARGETS: [(&str, Target); 8] = [
    ("compact", decode),
    ("compact_text", decode),
    ("nexus_json", nexus),
    ("original", original),
    ("pool", pool),
    ("receive", receive),
    ("round_trip", round_trip),
    ("save_data", save_data),
];

/// Makes a program of a target.
#[macro_export]
macro_rules! target {
    ($target:path) => {
        #[cfg(fuzzing)]
        $crate::libfuzzer_sys::fuzz_target!(|input: &[u8]| $target(input));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::replay($target)
        }
    };
}

/// Feeds a target with the files that the program's arguments name.
///
/// # Errors
/// If one cannot be read.
pub fn replay(target: Target) -> std::io::Result<()> {
    std::env::args_os().skip(1).try_for_each(|file| std::fs::read(file).map(|input| target(&input)))
}

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
