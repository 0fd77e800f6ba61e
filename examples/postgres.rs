//! A server over PostgreSQL: tables made once, then purchases that happen whole or not at all.
//!
//! `cargo run -p nexus-cli --example postgres -- postgres://user:password@localhost/game`; then
//! `SELECT value->'coins' FROM nexus_records WHERE store = 'players' AND key = 'ann'`.

use std::error::Error;
use std::sync::Arc;

use bulk_messaging::BulkMessaging;
use nexus_store::{NexusStore, UpdateError};
use transport_postgres::{PostgresBus, PostgresStore};
use transport_traits::{RecordKey, TokioTimer};

/// Pays Ann 100 coins, and lets her buy swords for 40: how many she could afford.
pub(crate) async fn play(url: &str) -> Result<i64, Box<dyn Error>> {
    PostgresStore::migrate(url).await?; // before a fleet starts; again does no harm
    let timer = Arc::new(TokioTimer::new());
    let bus = Arc::new(PostgresBus::connect(url).await?);
    let config = bulk_messaging::Config::new("fleet");
    let (bulk, driver) = BulkMessaging::new(bus.clone(), bus, timer.clone(), config)?;
    tokio::spawn(driver);
    let bulk = Arc::new(bulk);

    let store = Arc::new(PostgresStore::connect(url).await?);
    let config = nexus_store::Config::default();
    let (saves, driver) = NexusStore::new(store, bulk.clone(), bulk.clone(), timer, config);
    tokio::spawn(driver);

    let ann = saves.open(RecordKey::new("players", "ann")).await?;
    ann.increment("coins", 100)?;
    let mut bought = 0;
    loop {
        // On the stored value, and written only if that is still what is stored: else it runs again.
        let sword = ann.update(&["coins", "swords"], |fields| {
            let number = |name| fields.get(name).and_then(serde_json::Value::as_i64).unwrap_or(0);
            let (coins, swords) = (number("coins"), number("swords"));
            fields.set("coins", coins - 40);
            fields.set("swords", swords + 1);
            if coins < 40 { Err("too poor") } else { Ok(()) } // an error leaves everything as it was
        });
        match sword.await {
            Ok(()) => bought += 1,
            Err(UpdateError::Aborted("too poor")) => break,
            Err(error) => return Err(format!("a sword: {error}").into()),
        }
    }
    drop(ann);
    let closed = saves.shutdown().await?;
    bulk.drain().await; // sends what was said last, as that something was stored
    println!("{} records are unsaved at the end", closed.unsaved.len());
    Ok(bought)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("name the server: postgres://user:password@localhost/game")?;
    println!("Ann bought {} swords", play(&url).await?);
    Ok(())
}
