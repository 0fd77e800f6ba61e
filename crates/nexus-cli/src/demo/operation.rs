//! What a player does to a record, and how far it was acknowledged.

use std::collections::BTreeSet;
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// How far an operation was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Asked for; no answer yet.
    Issued,
    /// The handle returned: it survives all but its process's death.
    Accepted,
    /// Flushed: it is never lost.
    Durable,
    /// The player could not afford it: it never happens.
    Unaffordable,
    /// Turned down for another reason, which a server that runs has no business to have. It never happens.
    Refused,
    /// The answer was "unknown": it happens once or never.
    Doubtful,
}

/// One operation on a player's coins.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) coins: i64,
    pub(super) server: usize,
    pub(super) standing: Standing,
    pub(super) issued: Instant,
    seen_by: BTreeSet<usize>,
}

impl Operation {
    /// An operation of which only that it was asked for is known.
    pub(super) fn asked(server: usize, coins: i64) -> Self {
        let (standing, issued) = (Standing::Issued, Instant::now());
        Self { coins, server, standing, issued, seen_by: BTreeSet::new() }
    }

    /// Whether this other server shows it for the first time.
    pub(super) fn is_news_to(&mut self, server: usize) -> bool {
        self.server != server && self.seen_by.insert(server)
    }
}

/// The name of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OperationId {
    pub(super) player: u32,
    pub(super) index: u32,
}
