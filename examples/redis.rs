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

/// The save data of one server, and the tasks that drive it.
async fn start(url: &str) -> Result<NexusStore, Box<dyn Error>> {
    let timer = Arc::new(TokioTimer::new());
    let bus = Arc::new(RedisBus::connect(url).await?);
    let config = bulk_messaging::Config::new("fleet");
    let (bulk, driver) = BulkMessaging::new(bus.clone(), bus, timer.clone(), config)?;
    tokio::spawn(driver);
    let bulk = Arc::new(bulk);

    let store = Arc::new(RedisStore::connect(url).await?);
    let config = nexus_store::Config::default();
    let (saves, driver) = NexusStore::new(store, bulk.clone(), bulk, timer, config);
    tokio::spawn(driver);
    Ok(saves)
}

/// Gives Ann coins on two servers: how many she has then.
pub(crate) async fn play(url: &str) -> Result<i64, Box<dyn Error>> {
    let (north, south) = futures::try_join!(start(url), start(url))?;
    let ann = RecordKey::new("players", "ann");
    let (on_north, on_south) = futures::try_join!(north.open(ann.clone()), south.open(ann))?;

    let mut seen_on_south = on_south.on_update("coins");
    on_north.increment("coins", 100)?; // accepted: seen by every server soon
    if let Some(Update::Changed { new, .. }) = seen_on_south.next().await {
        println!("south sees that Ann has {} coins", new.unwrap_or_default());
    }
    on_south.increment("coins", 20)?;
    futures::try_join!(on_north.flush(), on_south.flush())?; // durable, as Redis is set to be

    let coins = on_south.get_as("coins")?.unwrap_or(0);
    let closed = futures::join!(north.shutdown(), south.shutdown());
    println!("{} records are unsaved at the end", closed.0.unsaved.len() + closed.1.unsaved.len());
    Ok(coins)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://localhost".to_owned());
    println!("Ann has {} coins, and more with every run", play(&url).await?);
    Ok(())
}
