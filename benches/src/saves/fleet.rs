//! What a fleet asks of its store for what its servers do, counted on a virtual clock.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures::future::join_all;
use nexus_store::{Config, NexusStore, SaveData};
use serde_json::Value;
use transport_memory::{MemoryBus, MemoryEndpoint, MemoryStore};
use transport_traits::limits::{Load, SizeLimit};
use transport_traits::{BusLimits, DataStore, RecordKey, TokioTimer};

use super::{on_virtual_time, server};

/// Longer than any delay of a store that ends by itself.
const SETTLE: Duration = Duration::from_secs(30);

/// Servers that share a store and a bus, both in memory.
pub struct Fleet {
    servers: Vec<NexusStore>,
    /// What they share.
    data: MemoryStore,
}

impl Fleet {
    /// So many servers on the present runtime, and a bus with these limits.
    #[must_use]
    pub fn new(size: u64, limits: BusLimits) -> Self {
        let load = Load { servers: u32::try_from(size).unwrap_or(u32::MAX), players: 0 };
        let bus = MemoryBus::new(limits, load, Arc::new(TokioTimer::new()));
        let data = MemoryStore::unlimited().with_history(0);
        let join = |number| {
            let endpoint: Arc<MemoryEndpoint> = Arc::new(bus.join());
            server(number, Arc::new(data.join()), endpoint, Config { load, ..Config::default() })
        };
        Self { servers: (0..size).map(join).collect(), data }
    }

    /// Every server's handles of these records.
    async fn open(&self, keys: &[RecordKey]) -> Vec<Vec<SaveData>> {
        let open_all = |server: &NexusStore| {
            let server = server.clone();
            async move { join_all(keys.iter().map(|key| server.open(key.clone()))).await }
        };
        let opened = join_all(self.servers.iter().map(open_all)).await;
        let usable =
            |records: Vec<_>| records.into_iter().map(|record: Result<_, _>| record.expect("a usable name"));
        opened.into_iter().map(|records| usable(records).collect()).collect()
    }
}

/// What increments came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Increments {
    /// How many were made.
    pub made: u64,
    /// Writes that the store was asked for.
    pub writes: u64,
    /// Reads that the store was asked for once all records were open.
    pub reads: u64,
    /// Of the increments, those that the store lacks in the end.
    pub lost: u64,
    /// What the store has in the end and nobody made.
    pub doubled: u64,
}

/// So many servers make increments of 1 on records by chance, evenly over a time, and leave it to their stores when to write.
#[must_use]
pub fn increments(servers: u64, records: usize, made: u64, over: Duration) -> Increments {
    on_virtual_time(async {
        let fleet = Fleet::new(servers, BusLimits::default());
        let keys: Vec<RecordKey> =
            (0..records).map(|number| RecordKey::new("players", number.to_string())).collect();
        let open = fleet.open(&keys).await;
        let before = fleet.data.stats();
        let expected = increment(&open, records, made, over).await;
        tokio::time::sleep(SETTLE).await;
        let settled = fleet.servers.iter().all(|server| server.stats().journal_bytes == 0);
        assert!(settled, "everything is durable by now");
        let after = fleet.data.stats();
        let mut counted = Increments {
            made,
            writes: after.writes - before.writes,
            reads: after.reads - before.reads,
            ..Increments::default()
        };
        for (key, expected) in keys.into_iter().zip(expected) {
            let stored = stored_count(&fleet.data, key).await;
            counted.lost += expected.saturating_sub(stored);
            counted.doubled += stored.saturating_sub(expected);
        }
        counted
    })
}

/// Makes the increments, a hundredth of the time's at once, and says how many each record got.
async fn increment(open: &[Vec<SaveData>], records: usize, made: u64, over: Duration) -> Vec<u64> {
    const STEPS: u64 = 100;
    let mut random = Rng::with_seed(1);
    let mut expected = vec![0; records];
    for step in 0..STEPS {
        for number in made * step / STEPS..made * (step + 1) / STEPS {
            let record = random.usize(..records);
            expected[record] += 1;
            let server = number as usize % open.len();
            open[server][record].increment("coins", 1).expect("the journal has room");
        }
        tokio::time::sleep(over / STEPS as u32).await;
    }
    expected
}

async fn stored_count(data: &MemoryStore, key: RecordKey) -> u64 {
    let stored = data.get(key).await.expect("the store has no limits");
    let value = stored.map(|stored| serde_json::from_str::<Value>(&stored.record.value));
    value.map_or(0, |value| value.expect("what is stored is JSON")["coins"].as_u64().unwrap_or(0))
}

/// What one Set came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Servers that see it in the end, the one that made it included.
    pub by: usize,
    /// Writes that the store was asked for.
    pub writes: u64,
    /// Reads that the store was asked for by all servers together.
    pub reads: u64,
}

/// One of so many servers sets a field of a record that all of them hold to a text of this length. The bus takes messages
/// of 1,024 bytes.
#[must_use]
pub fn one_set(servers: u64, length: usize) -> Seen {
    on_virtual_time(async {
        let mut limits = BusLimits::default();
        limits.body = Some(SizeLimit::bytes(1_024));
        let fleet = Fleet::new(servers, limits);
        let open = fleet.open(&[RecordKey::new("players", "ann")]).await;
        let before = fleet.data.stats();
        let text = Value::from("x".repeat(length));
        open[0][0].set("motto", text.clone()).expect("the journal has room");
        tokio::time::sleep(SETTLE).await;
        let after = fleet.data.stats();
        Seen {
            by: open.iter().filter(|records| records[0].get("motto").as_deref() == Some(&text)).count(),
            writes: after.writes - before.writes,
            reads: after.reads - before.reads,
        }
    })
}
