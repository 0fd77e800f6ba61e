//! Two servers of a fleet in one process, with all three crates: save data and a pool over bulk messages, over a
//! bus with Roblox's limits and a data store in memory.
//!
//! Replace `MemoryBus` and `MemoryStore` by the backends of your fleet; the rest stays.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bulk_messaging::BulkMessaging;
use futures::StreamExt;
use nexus_store::{NexusStore, Update};
use server_pool::{Pool, Pools};
use transport_memory::{MemoryBus, MemoryStore};
use transport_traits::limits::Load;
use transport_traits::{DataStore, RecordKey, Timer, TokioTimer, presets};

/// One server: its save data, its pool of rooms, and the tasks that drive them.
struct Server {
    saves: NexusStore,
    rooms: Pool<String>,
    pools: Pools,
    bulk: Arc<BulkMessaging>,
}

impl Server {
    async fn start(name: &str, bus: &MemoryBus, store: &MemoryStore) -> Result<Self, Box<dyn Error>> {
        let timer: Arc<dyn Timer> = Arc::new(TokioTimer::new());
        let endpoint = Arc::new(bus.join());
        let config = bulk_messaging::Config::new("fleet");
        let (bulk, driver) = BulkMessaging::new(endpoint.clone(), endpoint, timer.clone(), config)?;
        tokio::spawn(driver);
        let bulk = Arc::new(bulk);

        let store: Arc<dyn DataStore> = Arc::new(store.clone());
        let config = nexus_store::Config::default();
        let (saves, driver) = NexusStore::new(store, bulk.clone(), bulk.clone(), timer.clone(), config);
        tokio::spawn(driver);

        let config = server_pool::Config::new(name);
        let (pools, driver) = Pools::new(bulk.clone(), bulk.clone(), timer, config)?;
        tokio::spawn(driver);
        let rooms = pools.open("rooms").await?;
        Ok(Self { saves, rooms, pools, bulk })
    }

    /// Saves everything and leaves the pools, and then sends what there was to say of it: how many records are unsaved.
    async fn stop(&self) -> Result<usize, nexus_store::Failed> {
        // A bus that is away would hold up the farewell without limit; the rest has limits of its own.
        let farewell = tokio::time::timeout(Duration::from_secs(5), self.pools.close());
        let (closed, _in_time) = futures::join!(self.saves.shutdown(), farewell);
        self.bulk.drain().await;
        Ok(closed?.unsaved.len())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let load = Load { servers: 2, players: 10 };
    let bus = MemoryBus::new(presets::ROBLOX_MESSAGING, load, Arc::new(TokioTimer::new()));
    let store = MemoryStore::unlimited();
    let (north, south) =
        futures::try_join!(Server::start("north", &bus, &store), Server::start("south", &bus, &store),)?;

    // Save data: both servers have Alice's record open, and both give her coins.
    let alice = RecordKey::new("PlayerData", "alice");
    let (on_north, on_south) = futures::try_join!(north.saves.open(alice.clone()), south.saves.open(alice))?;
    let mut seen_on_south = on_south.on_update("coins");
    on_north.increment("coins", 100)?;
    if let Some(Update::Changed { new, .. }) = seen_on_south.next().await {
        println!("south sees that Alice has {} coins", new.unwrap_or_default());
    }
    on_south.increment("coins", 20)?;
    futures::try_join!(on_north.flush(), on_south.flush())?;
    let bought = on_north.update(&["coins", "sword"], |fields| {
        let coins = fields.get("coins").and_then(serde_json::Value::as_i64).unwrap_or(0);
        if coins < 80 {
            return Err("too poor");
        }
        fields.set("coins", coins - 80);
        fields.set("sword", true);
        Ok(coins - 80)
    });
    println!("Alice bought a sword and has {:?} coins left", bought.await);

    // A pool: a room that the south opens is listed in the north.
    let (_, mut changes) = north.rooms.watch();
    south.rooms.contribute("arena", &"2 of 8 players".to_owned())?;
    println!("north sees: {:?}", changes.next().await);

    let unsaved = futures::join!(north.stop(), south.stop());
    println!("unsaved at the end: {}", unsaved.0? + unsaved.1?);
    Ok(())
}
