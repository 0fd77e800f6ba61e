//! Durable writes a second: many awaited together, which share commits, against one awaited after the other.

use std::time::{Duration, Instant};

use criterion::Criterion;
use futures::executor::block_on;
use futures::future::try_join_all;
use transport_sqlite::SqliteStore;
use transport_traits::{DataStore, Error, Precondition, Record, RecordKey, Version};

/// Writes that are awaited together.
const TOGETHER: u64 = 256;

/// Bytes of a value: a player's save.
const VALUE: usize = 1_000;

/// What one way of writing took in all.
#[derive(Default)]
struct Meter {
    writes: u64,
    spent: Duration,
}

impl Meter {
    /// Times rounds of `writes` writes each.
    fn time(&mut self, writes: u64, rounds: u64, mut round: impl FnMut() -> Result<(), Error>) -> Duration {
        let begun = Instant::now();
        for _ in 0..rounds {
            round().expect("the file takes these writes");
        }
        let spent = begun.elapsed();
        self.writes += writes * rounds;
        self.spent += spent;
        spent
    }

    fn per_second(&self) -> f64 {
        self.writes as f64 / self.spent.as_secs_f64()
    }
}

async fn write(store: &SqliteStore, n: u64) -> Result<Version, Error> {
    let value = format!(r#"{{"n":{n},"pad":"{}"}}"#, "x".repeat(VALUE));
    store.put(RecordKey::new("saves", n.to_string()), Record::new(value), Precondition::Always).await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path().join("saves.sqlite"))?;
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let (mut alone, mut together) = (Meter::default(), Meter::default());

    criterion.bench_function("sqlite/one write awaited", |bench| {
        bench.iter_custom(|rounds| alone.time(1, rounds, || block_on(write(&store, 0)).map(drop)));
    });
    criterion.bench_function(&format!("sqlite/{TOGETHER} writes awaited together"), |bench| {
        let round = || block_on(try_join_all((0..TOGETHER).map(|n| write(&store, n)))).map(drop);
        bench.iter_custom(|rounds| together.time(TOGETHER, rounds, round));
    });

    criterion.final_summary();
    if alone.writes > 0 && together.writes > 0 {
        let (alone, together) = (alone.per_second(), together.per_second());
        println!("durable writes/s: {together:.0} grouped, {alone:.0} alone, ratio {:.1}", together / alone);
    }
    Ok(())
}
