//! Two servers over one Redis: save data that both change and both see, told of in bulk messages.
//!
//! `cargo run -p nexus-cli --example redis -- redis://localhost`; then `redis-cli HGET 'nexus:{players:ann}' value`.

use std::error::Error;
use std::sync::Arc;

use bulk_messaging::BulkMessaging;
use futures::StreamExt;
use nexus_store::{NexusStore, Update};
use transport_redis::{RedisBus, RedisStore};
use transport_traits::{RecordKey, TokioTimer};

/// One server: its save data over bulk messages, and the tasks that drive both.
struct Server {
    saves: NexusStore,
    bulk: Arc<BulkMessaging>,
}

async fn start(url: &str) -> Result<Server, Box<dyn Error>> {
    let timer = Arc::new(TokioTimer::new());
    let bus = Arc::new(RedisBus::connect(url).await?);
    let config = bulk_messaging::Config::new("fleet");
    let (bulk, driver) = BulkMessaging::new(bus.clone(), bus, timer.clone(), config)?;
    tokio::spawn(driver);
    let bulk = Arc::new(bulk);

    let store = Arc::new(RedisStore::connect(url).await?);
    let config = nexus_store::Config::default();
    let (saves, driver) = NexusStore::new(store, bulk.clone(), bulk.clone(), timer, config);
    tokio::spawn(driver);
    Ok(Server { saves, bulk })
}

/// Saves everything, and then sends what there was to say of it: how many records could not be saved.
async fn stop(server: &Server) -> Result<usize, nexus_store::Failed> {
    let closed = server.saves.shutdown().await?;
    server.bulk.drain().await;
    Ok(closed.unsaved.len())
}

/// Gives Ann coins on two servers: how many she has then.
pub(crate) async fn play(url: &str) -> Result<i64, Box<dyn Error>> {
    let (north, south) = futures::try_join!(start(url), start(url))?;
    let ann = RecordKey::new("players", "ann");
    let (on_north, on_south) = futures::try_join!(north.saves.open(ann.clone()), south.saves.open(ann))?;

    let mut seen_on_south = on_south.on_update("coins");
    on_north.increment("coins", 100)?; // accepted: seen by every server soon
    if let Some(Update::Changed { new, .. }) = seen_on_south.next().await {
        println!("south sees that Ann has {} coins", new.unwrap_or_default());
    }
    on_south.increment("coins", 20)?;
    futures::try_join!(on_north.flush(), on_south.flush())?; // durable, as Redis is set to be

    let coins = on_south.get_as("coins")?.unwrap_or(0);
    let unsaved = futures::join!(stop(&north), stop(&south));
    println!("{} records are unsaved at the end", unsaved.0? + unsaved.1?);
    Ok(coins)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://localhost".to_owned());
    println!("Ann has {} coins, and more with every run", play(&url).await?);
    Ok(())
}
