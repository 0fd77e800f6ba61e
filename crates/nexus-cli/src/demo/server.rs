//! One server of the fleet: its connections, its three components and the tasks that drive them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bulk_messaging::{BulkMessaging, Config as BulkConfig};
use nexus_store::{Config as SaveConfig, NexusStore, ShutdownReport};
use serde::{Deserialize, Serialize};
use server_pool::{Config as PoolConfig, Pool, Pools};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use transport_memory::MemoryBus;
use transport_traits::{DataStore, Publisher, RecordKey, Subscriber, Timer};

use super::saved::key_of;
use crate::failure::Failure;

/// The real topics: a bus limits each by itself, so save data never waits for pools.
pub(super) const TOPICS: [&str; 2] = ["demo-saves", "demo-pools"];
/// Silence after which a server counts as dead.
pub(super) const POOL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server that closes goes on sending what is queued. What it had to say is saved by then.
const DRAIN: Duration = Duration::from_secs(2);
const HEARTBEAT: Duration = Duration::from_millis(1_250);

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

/// What every server of a fleet stands on.
pub(super) struct Ground {
    pub(super) bus: MemoryBus,
    pub(super) store: Arc<dyn DataStore>,
    pub(super) timer: Arc<dyn Timer>,
    /// The store's name in the data file.
    pub(super) store_name: String,
    pub(super) seed: u64,
}

/// A running server.
pub(super) struct Server {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) saves: NexusStore,
    pub(super) online: Pool<Presence>,
    pools: Pools,
    bulk: [BulkMessaging; 2],
    tasks: Vec<JoinHandle<()>>,
    dead: watch::Sender<bool>,
    store_name: String,
}

impl Server {
    pub(super) async fn start(ground: &Ground, number: usize) -> Result<Self, Failure> {
        let name = format!("server-{number}");
        let failed =
            |why: &(dyn std::error::Error + 'static)| Failure::because(format!("cannot start {name}"), why);
        let endpoint = Arc::new(ground.bus.join());
        let seed = ground.seed.wrapping_mul(1_000).wrapping_add(number as u64);
        let mut tasks = Vec::new();
        let mut connect = |topic: &str, salt: u64| {
            let publisher: Arc<dyn Publisher> = Arc::clone(&endpoint) as _;
            let subscriber: Arc<dyn Subscriber> = Arc::clone(&endpoint) as _;
            let mut config = BulkConfig::new(topic);
            (config.seed, config.drain_timeout) = (Some(seed ^ salt), DRAIN);
            let (bulk, driver) = BulkMessaging::new(publisher, subscriber, Arc::clone(&ground.timer), config)
                .map_err(|error| failed(&error))?;
            tasks.push(tokio::spawn(driver));
            Ok::<_, Failure>(bulk)
        };
        let bulk = [connect(TOPICS[0], 1 << 40)?, connect(TOPICS[1], 2 << 40)?];
        let ports = |bulk: &BulkMessaging| -> (Arc<dyn Publisher>, Arc<dyn Subscriber>) {
            (Arc::new(bulk.clone()), Arc::new(bulk.clone()))
        };
        let (publisher, subscriber) = ports(&bulk[0]);
        let (saves, driver) = NexusStore::new(
            Arc::clone(&ground.store),
            publisher,
            subscriber,
            Arc::clone(&ground.timer),
            SaveConfig { seed: Some(seed ^ 3 << 40), ..SaveConfig::default() },
        );
        tasks.push(tokio::spawn(driver));
        let (publisher, subscriber) = ports(&bulk[1]);
        let mut config = PoolConfig::new(name.as_str());
        (config.heartbeat, config.timeout, config.seed) = (HEARTBEAT, POOL_TIMEOUT, Some(seed ^ 4 << 40));
        let (pools, driver) = Pools::new(publisher, subscriber, Arc::clone(&ground.timer), config)
            .map_err(|error| failed(&error))?;
        tasks.push(tokio::spawn(driver));
        let online = pools.open("online").await.map_err(|error| failed(&error))?;
        let store_name = ground.store_name.clone();
        let dead = watch::Sender::new(false);
        Ok(Self { number, name, saves, online, pools, bulk, tasks, dead, store_name })
    }

    /// The record of a player.
    pub(super) fn record_of(&self, player: u32) -> RecordKey {
        RecordKey::new(self.store_name.as_str(), key_of(player))
    }

    pub(super) fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Stops everything at once, as the death of a process does: nothing is flushed, nobody is told.
    pub(super) fn kill(&self) {
        self.dead.send_replace(true);
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    /// Ends when the server has died.
    pub(super) async fn died(&self) {
        let mut dead = self.dead.subscribe();
        // The sender lives in `self`, so waiting ends only when the server has died.
        let _ = dead.wait_for(|dead| *dead).await;
    }

    /// The outcome of `work` on this server; `None` if the server dies first.
    pub(super) async fn alive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.died() => None,
            outcome = work => Some(outcome),
        }
    }

    /// Frames sent, logical messages in them, and their bytes of those that would have fitted.
    pub(super) fn bulk_stats(&self) -> [bulk_messaging::Stats; 2] {
        [self.bulk[0].stats(), self.bulk[1].stats()]
    }

    /// Closes in order: leaves the pools, saves everything, sends what is queued.
    pub(super) async fn close(&self) -> ShutdownReport {
        self.pools.close().await;
        let report = self.saves.shutdown().await;
        futures::future::join_all(self.bulk.iter().map(BulkMessaging::drain)).await;
        report
    }
}
