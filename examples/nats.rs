//! A server over NATS: save data in a JetStream bucket, and many small messages in few requests.
//!
//! `cargo run -p nexus-cli --example nats -- nats://localhost`, with a `nats-server -js`; then
//! `nats kv get nexus players.ann`.

use std::error::Error;
use std::sync::Arc;

use bulk_messaging::BulkMessaging;
use futures::StreamExt;
use nexus_store::NexusStore;
use transport_nats::{NatsBus, Options};
use transport_traits::{Delivery, PublisherExt, RecordKey, Subscriber, TokioTimer};

/// How often Ann has moved now, and her last place as the fleet was told.
pub(crate) async fn play(url: &str) -> Result<(i64, Delivery), Box<dyn Error>> {
    let timer = Arc::new(TokioTimer::new());
    let bus = Arc::new(NatsBus::connect(url).await?);
    let config = bulk_messaging::Config::new("fleet");
    let (bulk, driver) = BulkMessaging::new(bus.clone(), bus, timer.clone(), config)?;
    tokio::spawn(driver);
    let bulk = Arc::new(bulk);

    // A cluster of three keeps a record when one of its machines is lost: `.replicas(3)`.
    let store = Arc::new(Options::default().history_versions(8).store(url).await?);
    let config = nexus_store::Config::default();
    let (saves, driver) = NexusStore::new(store, bulk.clone(), bulk.clone(), timer, config);
    tokio::spawn(driver);

    let ann = saves.open(RecordKey::new("players", "ann")).await?;
    let mut moves = bulk.subscribe("moves".into()).await?;
    for x in 1..=50 {
        bulk.send("moves", format!(r#"{{"ann":[{x},7]}}"#)).await?; // a message is a JSON value
        ann.increment("moves", 1)?;
    }
    let last = moves.by_ref().skip(49).next().await.ok_or("the bus ended")?;
    println!("50 moves and what save data had to tell went in {} requests", bulk.stats().frames);
    ann.set("place", serde_json::json!([50, 7]))?;
    ann.flush().await?; // durable, as the README of transport-nats has it

    let moved = ann.get_as("moves")?.unwrap_or(0);
    drop(ann);
    let closed = saves.shutdown().await?;
    bulk.drain().await; // sends what was said last, as that something was stored
    println!("{} records are unsaved at the end", closed.unsaved.len());
    Ok((moved, last))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "nats://localhost".to_owned());
    let (moved, last) = play(&url).await?;
    println!("Ann has moved {moved} times; the fleet heard last: {last:?}");
    Ok(())
}
