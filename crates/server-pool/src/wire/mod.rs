//! The frames of the pool protocol: JSON arrays as text, so that any bus carries them.
//!
//! A frame is one flat array: `[1, kind, server, incarnation, sequence, head, pruned, hash, …]`. The leading
//! 1 is the version of the format. All numbers are whole and below 2⁵³, so that every JSON reader agrees on
//! them. What follows depends on the kind:
//!
//! | kind | name | then |
//! |---|---|---|
//! | 0 | heartbeat | – |
//! | 1 | join | – |
//! | 2 | pull | groups of `server, incarnation, from, to`: versions in (from, to] are asked for |
//! | 3 | delta | `from, to, base`, then what the log holds in (from, to]: `key, version − from, stamp − base, value` for an entry, `key, −(version − from)` for a tombstone |
//! | 4 | leave | – |
//!
//! Frames of other kinds count as signs of life. So every frame tells who sent it, how far its log goes
//! (`head`), up to where tombstones were forgotten (`pruned`), and a hash of the live entries at `head`.

mod decode;
mod encode;
mod hash;

use std::borrow::Cow;
use std::sync::Arc;

pub(crate) use decode::decode;
pub(crate) use encode::{FrameLimit, Packer, delta_lead, entry, simple_frame, tombstone, want};
pub(crate) use hash::{entry_hash, text_hash};

/// The version of the format, the first element of every frame.
const FORMAT: u64 = 1;

/// The largest number in a frame: the largest whole number that a double holds exactly with all below it.
pub(crate) const MAX_INT: u64 = (1 << 53) - 1;

/// What a frame is for; the value is its number in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Heartbeat = 0,
    Join = 1,
    Pull = 2,
    Delta = 3,
    Leave = 4,
}

/// What every frame says about its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) server: Arc<str>,
    pub(crate) incarnation: u64,
    /// Rises with every frame of an incarnation.
    pub(crate) sequence: u64,
    /// The last version of the sender's log.
    pub(crate) head: u64,
    /// Tombstones up to this version may have been forgotten.
    pub(crate) pruned: u64,
    /// The sum of [`entry_hash`] over the entries live at `head`.
    pub(crate) hash: u32,
}

/// A frame as received. Borrows from its text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) header: Header,
    pub(crate) body: Body<'a>,
}

/// What a frame carries besides its header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body<'a> {
    Heartbeat,
    Join,
    Pull(Vec<Want<'a>>),
    Delta(Delta<'a>),
    Leave,
    /// Of a kind that this version does not know.
    Unknown,
}

/// A request for the versions in (from, to] of a server's log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Want<'a> {
    pub(crate) server: Cow<'a, str>,
    pub(crate) incarnation: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// Everything that the sender's log held in (from, to] when its head was that of the header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delta<'a> {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) ops: Vec<Op<'a>>,
}

/// One item of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Op<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) version: u64,
    /// The stamp and the JSON text of the value; `None` for a tombstone.
    pub(crate) put: Option<(u64, &'a str)>,
}
