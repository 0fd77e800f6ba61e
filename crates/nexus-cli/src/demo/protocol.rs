//! What a server is asked on behalf of players, and what it answers: values inside one process, lines of JSON between two.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::operation::OperationId;

/// What is asked of a server. A seat is a player's open record there; whoever asks numbers the seats.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Opens the record, and tells of the operations that it shows from then on.
    Open {
        seat: u64,
        player: u32,
    },
    /// Shows the player online.
    Appear {
        player: u32,
    },
    /// Shows the player online no longer.
    Vanish {
        player: u32,
    },
    /// Adds coins: accepted when answered.
    Add {
        seat: u64,
        index: u32,
        coins: i64,
    },
    /// Takes coins if there are enough: durable when answered.
    Spend {
        seat: u64,
        index: u32,
        price: i64,
    },
    Flush {
        seat: u64,
    },
    /// Who is online, as the server sees it.
    View,
    /// Leaves the pools, saves everything, sends what is queued.
    Close,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Done,
    /// Turned down: it does not happen.
    Refused,
    Unaffordable,
    /// It may have happened or not.
    Doubtful,
    /// The run makes no sense any more, and why.
    Impossible(String),
    View(View),
    Closed {
        /// Records that could not be saved.
        unsaved: usize,
    },
}

/// A server's view of the pool: who is online, the server that says so, and what it tells.
pub(super) type View = BTreeMap<String, (String, Presence)>;

/// What a server tells of a player who is online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Presence {
    pub(super) level: u32,
}

impl Presence {
    /// What every server tells of this player.
    pub(super) const fn of(player: u32) -> Self {
        Self { level: player % 100 }
    }
}

/// What a server has sent and stored so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) publishes: u64,
    pub(super) frames: u64,
    pub(super) messages: u64,
    /// Sizes of the frames together, and the largest that one may have, as the bus counts.
    pub(super) frame_bytes: u64,
    pub(super) frame_limit: u64,
    pub(super) store_reads: u64,
    pub(super) store_writes: u64,
}

/// The first line to a server process: who it is and what it stands on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) number: usize,
    pub(super) bus: String,
    pub(super) store: String,
    pub(super) store_name: String,
    pub(super) seed: u64,
}

/// Every other line to it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToServer {
    Ask {
        id: u64,
        ask: Ask,
    },
    /// Closes a record. There is no answer.
    LetGo {
        seat: u64,
    },
}

/// A line from it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromServer {
    /// It can be asked.
    Ready,
    /// It cannot run, and why.
    Failed(String),
    Answer {
        id: u64,
        answer: Answer,
    },
    /// It shows an operation for the first time.
    Shows(OperationId),
    /// What it has sent and stored, now and then.
    Counts(Counts),
}
