//! A player's place on a server: the open record, the entry in the pool, and what is not yet flushed.

use std::sync::Arc;

use futures::StreamExt;
use nexus_store::{SaveData, Update};
use tokio::task::JoinHandle;

use super::fleet::Fleet;
use super::operation::{OperationId, Standing};
use super::server::{Presence, Server};
use super::tally::newly_marked;
use crate::failure::Failure;

/// A player on a server.
pub(super) struct Seat {
    pub(super) server: Arc<Server>,
    pub(super) save: SaveData,
    /// Accepted here and not yet reported durable.
    pub(super) accepted: Vec<OperationId>,
    _watch: Watch,
}

impl Seat {
    /// Opens the player's record on `server` and shows the player online there. `None` if it dies first.
    pub(super) async fn take(
        fleet: &Arc<Fleet>,
        server: Arc<Server>,
        player: u32,
    ) -> Result<Option<Self>, Failure> {
        let Some(opened) = server.alive(server.saves.open(server.record_of(player))).await else {
            return Ok(None);
        };
        let save = opened.map_err(|error| Failure::because("cannot open a record", &error))?;
        let contributed = server.online.contribute(&player.to_string(), &Presence::of(player));
        contributed.map_err(|error| Failure::because("cannot contribute to the pool", &error))?;
        fleet.appeared(player, &server);
        let watch = Watch::over(fleet, &save, server.number, player);
        Ok(Some(Self { server, save, accepted: Vec::new(), _watch: watch }))
    }

    /// Flushes, and enters in the ledger what is durable now. False if the server died meanwhile.
    pub(super) async fn flush(&mut self, fleet: &Fleet) -> Result<bool, Failure> {
        let flushed = std::mem::take(&mut self.accepted);
        match self.server.alive(self.save.flush()).await {
            Some(Ok(())) => {
                for id in flushed {
                    fleet.ledger.answered(id, Standing::Durable)?;
                }
                Ok(true)
            }
            Some(Err(_)) => Ok(true),
            None => Ok(false),
        }
    }

    /// Takes the player out of the pool and saves. Somewhere else the player may be online already.
    pub(super) async fn leave(mut self, fleet: &Fleet, player: u32) -> Result<(), Failure> {
        self.server.online.withdraw(&player.to_string());
        self.flush(fleet).await.map(drop)
    }
}

/// A task that enters in the ledger when a server first shows an operation of another one.
pub(super) struct Watch(JoinHandle<()>);

impl Watch {
    pub(super) fn over(fleet: &Arc<Fleet>, save: &SaveData, server: usize, player: u32) -> Self {
        let mut updates = save.on_any_update();
        let fleet = Arc::clone(fleet);
        Self(tokio::spawn(async move {
            while let Some(update) = updates.next().await {
                let Update::Changed { field, old, new } = update else { continue };
                let number = |value: Option<Arc<serde_json::Value>>| value.and_then(|value| value.as_i64());
                for index in newly_marked(&field, number(old).unwrap_or(0), number(new).unwrap_or(0)) {
                    fleet.ledger.seen(OperationId { player, index }, server);
                }
            }
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
