//! A server on one machine: save data in a file, and no service at all.
//!
//! `cargo run -p nexus-cli --example sqlite -- saves.sqlite`; then `sqlite3 saves.sqlite 'SELECT * FROM saves'`.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use bulk_messaging::BulkMessaging;
use nexus_store::NexusStore;
use transport_memory::MemoryBus;
use transport_sqlite::SqliteStore;
use transport_traits::{DataStore, RecordKey, TokioTimer};

/// Counts a visit of Ann's: how many there were, and how many the file remembers the states of.
pub(crate) async fn play(file: &Path) -> Result<(i64, usize), Box<dyn Error>> {
    let timer = Arc::new(TokioTimer::new());
    // Servers that are tasks of this process find each other here. Those of several processes need a bus, as in the
    // other examples, and open the same file.
    let bus = Arc::new(MemoryBus::unlimited().join());
    let config = bulk_messaging::Config::new("fleet");
    let (bulk, driver) = BulkMessaging::new(bus.clone(), bus, timer.clone(), config)?;
    tokio::spawn(driver);
    let bulk = Arc::new(bulk);

    let store = SqliteStore::open(file)?;
    let config = nexus_store::Config::default();
    let (saves, driver) = NexusStore::new(Arc::new(store.clone()), bulk.clone(), bulk.clone(), timer, config);
    tokio::spawn(driver);

    let key = RecordKey::new("players", "ann");
    let ann = saves.open(key.clone()).await?;
    ann.increment("visits", 1)?;
    ann.flush().await?; // durable: on the disk
    let visits = ann.get_as("visits")?.unwrap_or(0);
    drop(ann);
    let closed = saves.shutdown().await?;
    bulk.drain().await; // sends what was said last, as that something was stored
    println!("{} records are unsaved at the end", closed.unsaved.len());

    let states = store.versions(key).await?.len();
    store.close().await;
    Ok((visits, states))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "saves.sqlite".to_owned());
    let (visits, states) = play(file.as_ref()).await?;
    println!("Ann's visit no. {visits}; the file has {states} states of her record");
    Ok(())
}
