//! The servers that run, and what is true of the fleet whatever they think.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::ledger::Ledger;
use super::server::Server;
use crate::failure::Failure;

/// The fleet as the players and the stage see it.
pub(super) struct Fleet {
    servers: RwLock<Vec<Arc<Server>>>,
    /// Who is online, and on which server: what every server's view of the pool should say.
    online: Mutex<BTreeMap<u32, usize>>,
    pub(super) ledger: Ledger,
    stop: watch::Sender<bool>,
}

impl Fleet {
    pub(super) fn new(ledger: Ledger) -> Self {
        let stop = watch::Sender::new(false);
        Self { servers: RwLock::default(), online: Mutex::default(), ledger, stop }
    }

    pub(super) fn add(&self, server: Arc<Server>) {
        self.servers.write().push(server);
    }

    /// Every server that ever ran.
    pub(super) fn all(&self) -> Vec<Arc<Server>> {
        self.servers.read().clone()
    }

    /// The servers that run.
    pub(super) fn running(&self) -> Vec<Arc<Server>> {
        self.servers.read().iter().filter(|server| !server.is_dead()).cloned().collect()
    }

    pub(super) fn killed(&self) -> BTreeSet<usize> {
        let servers = self.servers.read();
        servers.iter().filter(|server| server.is_dead()).map(|server| server.number).collect()
    }

    /// A running server, not the one numbered `but`.
    pub(super) fn any_server(
        &self,
        rng: &mut fastrand::Rng,
        but: Option<usize>,
    ) -> Result<Arc<Server>, Failure> {
        let mut running = self.running();
        running.retain(|server| Some(server.number) != but);
        rng.choice(running).ok_or_else(|| Failure::new("no server is left running"))
    }

    /// Kills a server. Its players are offline until they come back somewhere else.
    pub(super) fn kill(&self, server: &Server) {
        server.kill();
        self.online.lock().retain(|_, home| *home != server.number);
    }

    /// A player is shown online by this server from now on, unless it has died.
    pub(super) fn appeared(&self, player: u32, server: &Server) {
        let mut online = self.online.lock();
        if !server.is_dead() {
            online.insert(player, server.number);
        }
    }

    pub(super) fn left(&self, player: u32) {
        self.online.lock().remove(&player);
    }

    /// Who is online, and where.
    pub(super) fn truth(&self) -> BTreeMap<u32, usize> {
        self.online.lock().clone()
    }

    /// Tells the players to stop where they are.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Ends when the players are to stop.
    pub(super) async fn stopped(&self) {
        // The sender lives in `self`, so waiting ends only when it said so.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}
