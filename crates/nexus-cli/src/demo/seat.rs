//! A player's place on a server: the open record, the entry in the pool, and what is not yet flushed.

use std::sync::Arc;

use super::fleet::Fleet;
use super::operation::{OperationId, Standing};
use super::protocol::{Answer, Ask};
use super::server::{OpenRecord, Server};
use crate::failure::Failure;

/// A player on a server.
pub(super) struct Seat {
    pub(super) record: OpenRecord,
    /// Accepted here and not yet reported durable.
    pub(super) accepted: Vec<OperationId>,
}

impl Seat {
    /// Opens the player's record on `server` and shows the player online there. `None` if it dies first.
    pub(super) async fn take(
        fleet: &Fleet,
        server: &Arc<Server>,
        player: u32,
    ) -> Result<Option<Self>, Failure> {
        let Some(record) = server.open(player).await? else { return Ok(None) };
        if server.ask(Ask::Appear { player }).await?.is_none() {
            return Ok(None);
        }
        fleet.appeared(player, server);
        Ok(Some(Self { record, accepted: Vec::new() }))
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.record.server
    }

    /// Flushes, and enters in the ledger what is durable now.
    pub(super) async fn flush(&mut self, fleet: &Fleet) -> Result<(), Failure> {
        let flushed = std::mem::take(&mut self.accepted);
        if let Some(Answer::Done) = self.record.flush().await? {
            for id in flushed {
                fleet.ledger.answered(id, Standing::Durable)?;
            }
        }
        Ok(())
    }

    /// Takes the player out of the pool and saves. Somewhere else the player may be online already.
    pub(super) async fn leave(mut self, fleet: &Fleet, player: u32) -> Result<(), Failure> {
        self.server().ask(Ask::Vanish { player }).await?;
        self.flush(fleet).await
    }
}
