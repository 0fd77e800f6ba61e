//! What an entry takes in the memory of a server that did not contribute it.

use std::sync::Arc;
use std::time::Duration;

use server_pool::{Config, Pool, Pools};
use transport_memory::MemoryBus;
use transport_traits::TokioTimer;

use super::fleet::POOL;

/// Bytes of an entry's key and value.
const OWN: f64 = 40.0;

/// Bytes that an entry takes beyond its key and value, in the pools of so many servers that know so many entries of one
/// other: handle, machine and the allocator's own. From the memory that the process holds; `None` where that cannot be
/// known.
#[must_use]
pub fn per_entry(servers: usize, entries: usize) -> Option<f64> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().ok()?;
    runtime.block_on(async {
        let bus = MemoryBus::unlimited();
        let (_owner, pool) = join(&bus, "owner").await;
        for entry in 0..entries {
            let value = format!("{entry:028}");
            pool.contribute(&format!("{entry:010}"), &value).expect("the entries of the figure fit");
        }
        settle().await;
        let before = resident()?;
        let mut others = Vec::new();
        for server in 0..servers {
            others.push(join(&bus, &format!("server-{server}")).await);
            while others.last().is_some_and(|(_, pool)| pool.len() < entries) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        settle().await;
        let each = (resident()? - before) / (servers * entries) as f64;
        Some(each - OWN)
    })
}

async fn join(bus: &MemoryBus, name: &str) -> (Pools, Pool<String>) {
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
