//! Frames as bytes: the formats, what they cost, and what can be wrong with them.
//!
//! [`Frame::decode`] reads every format and tells them apart by the first byte. `Nexus` is described in the
//! [crate's documentation](crate#the-format-nexus-version-1), `Compact` and its text form in [`compact`].

pub mod compact;
mod cost;
mod frame;
mod header;
mod json;
mod nexus;
mod plain;
mod tariff;

pub use frame::Frame;

pub(crate) use compact::{Draft, Form, Sizes};
pub(crate) use cost::Costs;
pub(crate) use header::{Header, MAX_INCARNATION, MAX_SEQUENCE, check_sender};
pub(crate) use json::{escape, escape_into, escaped_at_most, json_len};
pub(crate) use nexus::{AROUND_HEADER, HEADER_TOPIC, encode, opening, value};
pub(crate) use plain::{PLAIN_FIXED, encode_plain};
pub(crate) use tariff::Tariff;

/// Why a received frame was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// It is not a JSON object of arrays, and no frame of a format of ours.
    #[error("not a frame")]
    NotAFrame,
    /// It has a header that breaks the rules of its version.
    #[error("malformed header")]
    Header,
    /// It has a header of a version that this release does not know.
    #[error("unknown version")]
    Version,
    /// It is larger than a frame can be (4 GiB).
    #[error("frame too large")]
    TooLarge,
    /// A message in it looks like a fragment of a longer one and breaks the rules of those.
    #[error("malformed fragment")]
    Fragment,
    /// It unfolds to more than a sender of ours puts into one frame of its size.
    #[error("the frame unfolds to too much")]
    Inflated,
}
