//! The inside of a server: its three components, the tasks that drive them, and the records that players have open.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bulk_messaging::{BulkMessaging, Config as BulkConfig};
use futures::StreamExt;
use nexus_store::{Config as SaveConfig, NexusStore, SaveData, Update, Updates};
use parking_lot::Mutex;
use server_pool::{Config as PoolConfig, Entry, Pool, Pools};
use tokio::task::JoinHandle;
use transport_traits::{DataStore, Publisher, RecordKey, Subscriber, Timer};

use super::deeds;
use super::operation::OperationId;
use super::protocol::{Answer, Ask, Counts, Presence, View};
use super::saved::key_of;
use super::tally::newly_marked;
use crate::failure::{Failure, with_causes};

/// What the real topics begin with: a bus limits each by itself, so save data never waits for pools. The name of the
/// run follows, so that runs over one service at the same time keep out of each other's way.
pub(super) const TOPICS: [&str; 2] = ["demo-saves", "demo-pools"];
/// Silence after which a server counts as dead.
pub(super) const POOL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server that closes goes on sending what is queued. What it had to say is saved by then.
const DRAIN: Duration = Duration::from_secs(2);
const HEARTBEAT: Duration = Duration::from_millis(1_250);

/// What a server stands on.
pub(super) struct Ports {
    pub(super) publisher: Arc<dyn Publisher>,
    pub(super) subscriber: Arc<dyn Subscriber>,
    pub(super) store: Arc<dyn DataStore>,
    pub(super) timer: Arc<dyn Timer>,
    /// The name of the run: where in the store the records are, and the end of its topics.
    pub(super) store_name: String,
    /// Another for every server.
    pub(super) seed: u64,
}

/// Is told of each operation that the server shows for the first time.
pub(super) type Shown = Arc<dyn Fn(OperationId) + Send + Sync>;

/// A running server, from inside.
pub(super) struct Host {
    saves: NexusStore,
    online: Pool<Presence>,
    pools: Pools,
    bulk: [BulkMessaging; 2],
    tasks: Vec<JoinHandle<()>>,
    store_name: String,
    seats: Mutex<BTreeMap<u64, Seat>>,
    shown: Shown,
}

/// A record that a player has open here.
struct Seat {
    save: Arc<SaveData>,
    watch: JoinHandle<()>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Host {
    pub(super) async fn start(ports: Ports, name: &str, shown: Shown) -> Result<Self, Failure> {
        let failed =
            |why: &(dyn std::error::Error + 'static)| Failure::because(format!("cannot start {name}"), why);
        let (seed, timer) = (ports.seed, ports.timer);
        let mut tasks = Vec::new();
        let mut connect = |topic: &str, salt: u64| {
            let mut config = BulkConfig::new(format!("{topic}-{}", ports.store_name));
            (config.seed, config.drain_timeout) = (Some(seed ^ salt), DRAIN);
            let (publisher, subscriber) = (Arc::clone(&ports.publisher), Arc::clone(&ports.subscriber));
            let (bulk, driver) = BulkMessaging::new(publisher, subscriber, Arc::clone(&timer), config)
                .map_err(|error| failed(&error))?;
            tasks.push(tokio::spawn(driver));
            Ok::<_, Failure>(bulk)
        };
        let bulk = [connect(TOPICS[0], 1 << 40)?, connect(TOPICS[1], 2 << 40)?];
        let over = |bulk: &BulkMessaging| -> (Arc<dyn Publisher>, Arc<dyn Subscriber>) {
            (Arc::new(bulk.clone()), Arc::new(bulk.clone()))
        };
        let (publisher, subscriber) = over(&bulk[0]);
        let config = SaveConfig { seed: Some(seed ^ 3 << 40), ..SaveConfig::default() };
        let (saves, driver) = NexusStore::new(ports.store, publisher, subscriber, Arc::clone(&timer), config);
        tasks.push(tokio::spawn(driver));
        let (publisher, subscriber) = over(&bulk[1]);
        let mut config = PoolConfig::new(name);
        (config.heartbeat, config.timeout, config.seed) = (HEARTBEAT, POOL_TIMEOUT, Some(seed ^ 4 << 40));
        let (pools, driver) =
            Pools::new(publisher, subscriber, timer, config).map_err(|error| failed(&error))?;
        tasks.push(tokio::spawn(driver));
        let online = pools.open("online").await.map_err(|error| failed(&error))?;
        let store_name = ports.store_name;
        Ok(Self { saves, online, pools, bulk, tasks, store_name, seats: Mutex::default(), shown })
    }

    /// Stops everything at once, as the death of a process does: nothing is flushed, nobody is told.
    pub(super) fn kill(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    pub(super) async fn answer(&self, ask: Ask) -> Answer {
        let answer = match ask {
            Ask::Open { seat, player } => self.open(seat, player).await,
            Ask::Appear { player } => self.appear(player),
            Ask::Vanish { player } => {
                self.online.withdraw(&player.to_string());
                Ok(Answer::Done)
            }
            Ask::Add { seat, index, coins } => self.save(seat).map(|save| deeds::add(&save, index, coins)),
            Ask::Spend { seat, index, price } => match self.save(seat) {
                Ok(save) => Ok(deeds::spend(&save, index, price).await),
                Err(why) => Err(why),
            },
            Ask::Flush { seat } => match self.save(seat) {
                Ok(save) => Ok(save.flush().await.map_or(Answer::Refused, |()| Answer::Done)),
                Err(why) => Err(why),
            },
            Ask::View => Ok(Answer::View(self.view())),
            Ask::Close => {
                let closed = self.close().await;
                closed.map(|unsaved| Answer::Closed { unsaved }).map_err(|failed| failed.to_string())
            }
        };
        answer.unwrap_or_else(Answer::Impossible)
    }

    /// Closes a record.
    pub(super) fn let_go(&self, seat: u64) {
        self.seats.lock().remove(&seat);
    }

    async fn open(&self, seat: u64, player: u32) -> Result<Answer, String> {
        let record = RecordKey::new(self.store_name.as_str(), key_of(player));
        let opened = self.saves.open(record).await;
        let save = opened.map_err(|error| format!("cannot open a record: {}", with_causes(&error)))?;
        let watch = tokio::spawn(watch(save.on_any_update(), player, Arc::clone(&self.shown)));
        self.seats.lock().insert(seat, Seat { save: Arc::new(save), watch });
        Ok(Answer::Done)
    }

    fn save(&self, seat: u64) -> Result<Arc<SaveData>, String> {
        let seats = self.seats.lock();
        let found = seats.get(&seat).map(|seat| Arc::clone(&seat.save));
        found.ok_or_else(|| format!("nobody sits on seat {seat}"))
    }

    fn appear(&self, player: u32) -> Result<Answer, String> {
        let contributed = self.online.contribute(&player.to_string(), &Presence::of(player));
        contributed.map_err(|error| format!("cannot contribute to the pool: {}", with_causes(&error)))?;
        Ok(Answer::Done)
    }

    fn view(&self) -> View {
        let entries = self.online.snapshot();
        let told = |entry: &Entry<Presence>| (entry.owner.to_string(), Presence::clone(&entry.value));
        entries.iter().map(|entry| (entry.key.to_string(), told(entry))).collect()
    }

    /// What was sent so far. What was stored is counted where the store is.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for stats in self.bulk.iter().map(BulkMessaging::stats) {
            counts.publishes += stats.publishes;
            counts.frames += stats.frames;
            counts.messages += stats.messages;
            counts.frame_bytes += stats.frame_bytes;
            counts.frame_limit = stats.frame_limit;
        }
        counts
    }

    async fn close(&self) -> Result<usize, nexus_store::Failed> {
        let (report, ()) = futures::join!(self.saves.shutdown(), self.pools.close());
        futures::future::join_all(self.bulk.iter().map(BulkMessaging::drain)).await;
        Ok(report?.unsaved.len())
    }
}

/// Tells of the operations that a record shows from now on.
async fn watch(mut updates: Updates, player: u32, shown: Shown) {
    while let Some(update) = updates.next().await {
        let Update::Changed { field, old, new } = update else { continue };
        let number = |value: Option<Arc<serde_json::Value>>| value.and_then(|value| value.as_i64());
        for index in newly_marked(&field, number(old).unwrap_or(0), number(new).unwrap_or(0)) {
            shown(OperationId { player, index });
        }
    }
}
