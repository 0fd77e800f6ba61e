//! What an entry takes in the memory of a server that did not contribute it, and what a flood of them takes.
//!
//! Whatever was measured is leaked: memory given back would be used again by the next, and not be seen.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use server_pool::machine::{Input, Machine, Output, PoolId};
use server_pool::{Config, Pool, Pools};
use transport_memory::MemoryBus;
use transport_traits::{BusLimits, Instant, Outgoing, Publisher, TokioTimer, WallTime};

use super::fleet::POOL;

/// Bytes of an entry: its key, and the JSON text of its value.
const OWN: f64 = 40.0;

/// Bytes that an entry takes beyond its key and value, in so many servers that know so many entries of one other. From
/// the memory that the process holds, so the allocator's own is in it.
#[derive(Clone, Copy, Debug)]
pub struct PerEntry {
    /// In the machine: the log of the entry's server, and who owns the key.
    pub machine: f64,
    /// In the machine and the handle: the latter's map of the view, with its own key and the value as a `String` in an
    /// `Arc`.
    pub pools: f64,
}

/// `None` where the memory of a process cannot be known.
#[must_use]
pub fn per_entry(servers: usize, entries: usize) -> Option<PerEntry> {
    Some(PerEntry { machine: machines(servers, entries)?, pools: pools(servers, entries)? })
}

fn key(entry: usize) -> String {
    format!("{entry:010}")
}

fn value(entry: usize) -> String {
    format!("{entry:028}")
}

/// Machines alone, that are handed what the owner publishes.
fn machines(servers: usize, entries: usize) -> Option<f64> {
    let bodies = published(entries);
    let before = resident()?;
    let mut machines = Vec::new();
    for server in 0..servers {
        let (mut machine, pool) = open(&format!("server-{server}"));
        for body in &bodies {
            machine.handle(Instant::ZERO, Input::Received { pool, body: body.clone() });
            while machine.poll_notice().is_some() {}
        }
        assert_eq!(machine.stats().entries, entries as u64, "all is known");
        machines.push(machine);
    }
    let each = (resident()? - before) / (servers * entries) as f64;
    std::mem::forget(machines);
    Some(each - OWN)
}

fn open(name: &str) -> (Machine, PoolId) {
    let (now, config) = (Instant::ZERO, Config::new(name).with_incarnation(1));
    let mut machine = Machine::new(now, WallTime::from_micros(0), config, &BusLimits::default(), false)
        .expect("defaults work on this bus");
    let pool = machine.open(now, POOL.into());
    (machine, pool)
}

/// The frames of a server that contributes all entries at once.
fn published(entries: usize) -> Vec<Bytes> {
    let (mut owner, pool) = open("owner");
    for entry in 0..entries {
        let value = format!("\"{}\"", value(entry)).into();
        owner.contribute(Instant::ZERO, pool, &key(entry), value).expect("the entries of the figure fit");
    }
    let (mut bodies, now) = (Vec::new(), Instant::ZERO + Duration::from_secs(1));
    while let Some(Output::Publish { frame, message }) = owner.poll(now) {
        owner.handle(now, Input::Published(frame));
        bodies.push(message.body);
    }
    bodies
}

/// The whole of pools, on a bus.
fn pools(servers: usize, entries: usize) -> Option<f64> {
    runtime()?.block_on(async {
        let bus = MemoryBus::unlimited();
        let (_owner, pool) = join::<String>(&bus, "owner").await;
        for entry in 0..entries {
            pool.contribute(&key(entry), &value(entry)).expect("the entries of the figure fit");
        }
        settle().await;
        let before = resident()?;
        let mut others = Vec::new();
        for server in 0..servers {
            others.push(join::<String>(&bus, &format!("server-{server}")).await);
            while others.last().is_some_and(|(_, pool)| pool.len() < entries) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        settle().await;
        let each = (resident()? - before) / (servers * entries) as f64;
        std::mem::forget(others);
        Some(each - OWN)
    })
}

/// A flood of entries that are as small as can be, of so many servers and so many frames of a thousand each, comes to a
/// server with defaults: the memory that its pool takes then, as a part of the bound. `None` as of
/// [`per_entry`].
///
/// # Panics
/// If the bus refuses a frame.
#[must_use]
pub fn flood(servers: usize, frames: usize) -> Option<f64> {
    runtime()?.block_on(async {
        let bus = MemoryBus::unlimited();
        let (pools, pool) = join::<u8>(&bus, "victim").await;
        settle().await;
        let (hostile, before) = (bus.join(), resident()?);
        for (server, frame) in (0..frames).flat_map(|frame| (0..servers).map(move |server| (server, frame))) {
            let (from, to) = (frame * 1_000, frame * 1_000 + 1_000);
            let items: String =
                (from..to).map(|entry| format!(",\"{:x}\",1", entry * servers + server)).collect();
            let sequence = frame + 1;
            let text = format!("[1,3,\"x{server}\",1,{sequence},{to},0,0,{from},{to},5{items}]");
            let sent = hostile.publish(Outgoing::new(format!("POOL_{POOL}"), text)).await;
            sent.expect("the bus has no limits");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let part = (resident()? - before) / Config::new("victim").max_pool_bytes as f64;
        assert!(!pool.is_empty(), "the frames are understood");
        std::mem::forget((pools, pool));
        Some(part)
    })
}

fn runtime() -> Option<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().ok()
}

async fn join<T>(bus: &MemoryBus, name: &str) -> (Pools, Pool<T>)
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let endpoint = Arc::new(bus.join());
    let timer = Arc::new(TokioTimer::new());
    let (pools, driver) =
        Pools::new(endpoint.clone(), endpoint, timer, Config::new(name)).expect("defaults work on this bus");
    tokio::spawn(driver);
    let pool = pools.open(POOL).await.expect("the bus takes this topic");
    (pools, pool)
}

/// Lets everything happen that waits.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(10)).await;
}

/// Bytes of memory that this process holds, where the system tells: on Linux, in pages of 4 KiB.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4_096.0)
}
