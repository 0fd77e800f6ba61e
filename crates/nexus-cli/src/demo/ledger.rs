//! The demonstration's own record of what was asked for and what was acknowledged, kept apart from the
//! code under test.

use std::time::Duration;

use parking_lot::Mutex;

use super::operation::{Operation, OperationId, Standing};
use super::side_ledger::SideLedger;
use crate::failure::Failure;

/// All operations of a run.
pub(super) struct Ledger {
    inner: Mutex<Inner>,
    side: Option<SideLedger>,
}

#[derive(Default)]
struct Inner {
    players: Vec<Vec<Operation>>,
    seen_after: Vec<Duration>,
    counts: Counts,
}

/// Sums for the live view.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) durable: u64,
}

impl Ledger {
    pub(super) fn new(players: u32, side: Option<SideLedger>) -> Self {
        let inner = Inner { players: vec![Vec::new(); players as usize], ..Inner::default() };
        Self { inner: Mutex::new(inner), side }
    }

    /// An operation is about to be asked of `server`.
    pub(super) fn issue(&self, player: u32, server: usize, coins: i64) -> Result<OperationId, Failure> {
        let mut inner = self.inner.lock();
        let operations = &mut inner.players[player as usize];
        let index = u32::try_from(operations.len()).expect("fewer than 2^32 operations in a run");
        operations.push(Operation::asked(server, coins));
        drop(inner);
        let id = OperationId { player, index };
        self.side.as_ref().map_or(Ok(()), |side| side.issued(id, coins))?;
        Ok(id)
    }

    /// An answer came. A standing only rises: what is durable stays durable.
    pub(super) fn answered(&self, id: OperationId, standing: Standing) -> Result<(), Failure> {
        let mut inner = self.inner.lock();
        let Inner { players, counts, .. } = &mut *inner;
        let operation = &mut players[id.player as usize][id.index as usize];
        if operation.standing == Standing::Durable {
            return Ok(());
        }
        let happens = !matches!(standing, Standing::Unaffordable | Standing::Refused);
        if operation.standing == Standing::Issued && happens {
            counts.accepted += 1;
        }
        counts.durable += u64::from(standing == Standing::Durable);
        operation.standing = standing;
        drop(inner);
        let side = self.side.as_ref().filter(|_| standing == Standing::Durable);
        side.map_or(Ok(()), |side| side.durable(id))
    }

    /// `server` shows the operation for the first time.
    pub(super) fn seen(&self, id: OperationId, server: usize) {
        let mut inner = self.inner.lock();
        let Inner { players, seen_after, .. } = &mut *inner;
        let Some(operation) = players[id.player as usize].get_mut(id.index as usize) else {
            return;
        };
        if operation.is_news_to(server) {
            seen_after.push(operation.issued.elapsed());
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.inner.lock().counts
    }

    /// The operations by player, and how long each took to be seen by each other server that looked.
    pub(super) fn close(&self) -> (Vec<Vec<Operation>>, Vec<Duration>) {
        let inner = self.inner.lock();
        (inner.players.clone(), inner.seen_after.clone())
    }
}
