//! The frames of the pool protocol: JSON arrays as text, so that any bus carries them.
//!
//! A frame is one flat array: `[1, kind, server, incarnation, sequence, head, pruned, hash, …]`. The leading
//! 1 is the version of the format. All numbers are whole and below 2⁵³, so that every JSON reader agrees on
//! them. What follows depends on the kind:
//!
//! | kind | name | then |
//! |---|---|---|
//! | 0 | heartbeat | a hash of the servers that its sender believes alive |
//! | 1 | join | `0` if the sender has a checkpoint and wants to be told only what it asks for |
//! | 2 | pull | groups of `server, incarnation, from, to`: versions in (from, to] are asked for |
//! | 3 | delta | `from, to, base`, then the items that the log holds in (from, to], ascending |
//! | 4 | leave | – |
//! | 5 | ask | a server: it is asked whom it believes alive |
//! | 6 | roster | groups of `server, incarnation, head, hash, age`: servers believed alive, and for how many milliseconds each has been silent; or one that is to know of a later incarnation of it, silent for longer than anybody lives |
//!
//! An item is `key, value` for an entry: its version is the one after the item before it (after `from`, for the
//! first), its stamp one greater (than `base`). Where that is not so, the step of the version stands before
//! it as a number, then that of the stamp as a list of one number. A tombstone is `−step, key`.
//!
//! Frames of other kinds count as signs of life. So every frame tells who sent it, how far its log goes
//! (`head`), up to where tombstones were forgotten (`pruned`), and a hash of the live entries at `head`.

mod decode;
mod elements;
mod encode;
mod hash;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use decode::decode;
pub(crate) use encode::{
    FrameLimit, Packer, Steps, delta_lead, member, name, simple_frame, want, with_number,
};
pub(crate) use hash::{digest, entry_hash, text_hash};

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
    Ask = 5,
    Roster = 6,
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
    /// The hash of whom its sender believes alive, if it says so.
    Heartbeat {
        members: Option<u32>,
    },
    /// Whether its sender wants to be told everything.
    Join {
        all: bool,
    },
    Pull(Vec<Want<'a>>),
    Delta(Delta<'a>),
    Leave,
    /// Whom does this server believe alive?
    Ask(Cow<'a, str>),
    Roster(Vec<Member>),
    /// Of a kind that this version does not know.
    Unknown,
}

/// A server believed alive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// What it said last, without a sequence.
    pub(crate) header: Header,
    pub(crate) age: Duration,
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
    /// By version.
    pub(crate) ops: Vec<Op<'a>>,
}

impl Delta<'_> {
    /// Whether it lists a key at this version.
    pub(crate) fn lists(&self, version: u64, key: &str) -> bool {
        let at = self.ops.binary_search_by_key(&version, |op| op.version);
        at.is_ok_and(|at| *self.ops[at].key == *key)
    }
}

/// One item of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Op<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) version: u64,
    /// The stamp and the JSON text of the value; `None` for a tombstone.
    pub(crate) put: Option<(u64, &'a str)>,
}
