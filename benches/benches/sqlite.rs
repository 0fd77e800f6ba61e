//! Durable writes a second into a file: many awaited together, which share commits, beside one awaited after the other.

use std::process::ExitCode;

use benches::measure::interleaved;
use benches::{Goal, Run, compare};
use futures::executor::block_on;
use futures::future::try_join_all;
use transport_sqlite::SqliteStore;
use transport_traits::{DataStore, Error, Precondition, Record, RecordKey, Version};

/// Writes that are awaited together, and how often that is done before the others have their turn.
const TOGETHER: u64 = 256;
const TIMES: u64 = 8;

/// Writes that are awaited one after the other.
const ALONE: u64 = 64;

/// Bytes of a value: a player's save.
const VALUE: usize = 1_000;

/// Why no write fails.
const TAKEN: &str = "the file takes these writes";

async fn write(store: &SqliteStore, n: u64) -> Result<Version, Error> {
    let value = format!(r#"{{"n":{n},"pad":"{}"}}"#, "x".repeat(VALUE));
    store.put(RecordKey::new("saves", n.to_string()), Record::new(value), Precondition::Always).await
}

fn main() -> ExitCode {
    let run = Run::from_args("sqlite", env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let store = SqliteStore::open(folder.path().join("saves.sqlite")).expect("a new file can be made");
    let (times, alone) = (run.items(TIMES as usize) as u64, run.items(ALONE as usize) as u64);
    let mut ours = || {
        for _ in 0..times {
            block_on(try_join_all((0..TOGETHER).map(|n| write(&store, n)))).expect(TAKEN);
        }
    };
    let mut peer = || {
        for n in 0..alone {
            block_on(write(&store, n)).expect(TAKEN);
        }
    };
    let samples = interleaved(run.rounds(80), &mut [&mut ours, &mut peer]);
    let name = format!("durable writes of 1 kB a second, {TOGETHER} awaited together, beside one by one");
    let figure =
        compare::rates(name, &samples, [0, 1], [times * TOGETHER, alone].map(|writes| writes as usize));
    run.finish(&[figure.goal(Goal::TimesAsFast(5.0))])
}
