//! Save data: what a read and a write cost, what a fleet asks of its store, and what an open record takes in memory.

use std::convert::Infallible;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use benches::measure::{RESIDENT, Samples, interleaved, interleaved_on_this_thread};
use benches::saves::{Increments, Pair, Readers, bytes_a_record, increments, on_two_threads, one_set};
use benches::{Figure, Goal, Run, compare};
use transport_memory::MemoryStore;
use transport_sqlite::SqliteStore;

fn main() -> ExitCode {
    let run = Run::from_args("store", env!("CARGO_TARGET_TMPDIR"));
    let figures = [
        memory(&run), // First: see `bytes_a_record`.
        reads(&run),
        rates(&run),
        many_increments(&run),
        one_set_on_fleets(),
    ];
    run.finish(&figures.concat())
}

/// The overhead of records that are open and idle.
fn memory(run: &Run) -> Vec<Figure> {
    const VALUE: usize = 100;
    let value = format!(r#"{{"coins":1200,"motto":"{}"}}"#, "x".repeat(VALUE - 25));
    assert_eq!(value.len(), VALUE);
    let records = run.by_depth(1_000_000, 250_000, 30_000);
    let name = &format!("memory of an open record beyond its value, 100 B in two fields, of {records}");
    let overhead = bytes_a_record(records as u32, &value).map(|bytes| bytes - VALUE as f64);
    let figure = match overhead {
        Some(bytes) => Figure::noisy(name, "B", bytes, RESIDENT),
        None => Figure::not_measured_yet(name, "B"),
    };
    vec![figure.goal(Goal::AtMost(600.0))]
}

/// A read beside a map behind a lock, alone and with a second thread on the same record.
fn reads(run: &Run) -> Vec<Figure> {
    const READS: usize = 2_000;
    let Readers { record, locked, fields } = &Readers::new();
    let (times, each) = (run.items(READS), run.items(READS) * fields.len());
    let ours = || fields.iter().for_each(|field| drop(black_box(record.get(black_box(field)))));
    let peer = || fields.iter().for_each(|field| drop(black_box(locked.get(black_box(field)))));
    let hot = &fields[0];
    let our_hot = || drop(black_box(record.get(black_box(hot))));
    let peer_hot = || drop(black_box(locked.get(black_box(hot))));
    let alone = interleaved_on_this_thread(
        run.rounds(400),
        &mut [&mut || (0..times).for_each(|_| ours()), &mut || (0..times).for_each(|_| peer())],
    );
    let together = interleaved(
        run.rounds(400),
        &mut [
            &mut || on_two_threads(times, ours),
            &mut || on_two_threads(times, peer),
            &mut || on_two_threads(each, our_hot),
            &mut || on_two_threads(each, peer_hot),
        ],
    );
    let figure = |name: &str, samples: &Samples, subjects| {
        compare::times(format!("get, {name}, beside a locked map"), samples, subjects, each)
    };
    let faster = |name, subjects| figure(name, &together, subjects).times_as_fast(2.0);
    vec![
        figure("each of ten fields", &alone, [0, 1]).goal(Goal::TimesTheReference(1.2)),
        faster("each of ten fields, two threads on one record", [0, 1]),
        faster("its first field, two threads on it", [2, 3]),
    ]
}

/// Durable increments a second of one record, beside one awaited compare-and-swap after the other.
fn rates(run: &Run) -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = Pair::new(async { SqliteStore::open(folder.path().join("saves.sqlite")) });
    let memory = Pair::new(async { Ok::<_, Infallible>(MemoryStore::unlimited()) });
    vec![
        file.increments_a_second(run, "SQLite file", 400).goal(Goal::TimesAsFast(50.0)),
        memory.increments_a_second(run, "memory store", 20_000).goal(Goal::TimesAsFast(5.0)),
    ]
}

/// How few writes the store sees of a fleet's increments, beside one write a record and flush delay. Where they take so
/// long that this limit is below the goal there is none.
fn many_increments(run: &Run) -> Vec<Figure> {
    const GOAL: f64 = 20.0;
    const FLUSH_DELAY: u64 = 2;
    let (records, made) = (run.by_depth(10_000, 2_000, 300), run.by_depth(1_000_000, 200_000, 30_000) as u64);
    let figures = |name: &str, seconds: u64| {
        let Increments { writes, lost, doubled, .. } =
            increments(4, records, made, Duration::from_secs(seconds));
        let limit = made as f64 / (records as u64 * (1 + seconds / FLUSH_DELAY)) as f64;
        let name = |what: &str| format!("{what}, of {made} on {records} records {name}");
        let a_write =
            Figure::exact(name("increments a store write, 4 servers"), "", made as f64 / writes as f64);
        let a_write = a_write.beside(limit);
        [
            if limit > GOAL { a_write.goal(Goal::AtLeast(GOAL)) } else { a_write },
            Figure::exact(name("increments lost"), "", lost as f64).goal(Goal::AtMost(0.0)),
            Figure::exact(name("increments doubled"), "", doubled as f64).goal(Goal::AtMost(0.0)),
        ]
    };
    [figures("at once", 0), figures("within 1 s", 1), figures("within 10 s", 10)].concat()
}

/// What one Set costs the store, however many see it.
fn one_set_on_fleets() -> Vec<Figure> {
    let figures = [10, 50, 200].map(|servers| {
        let (short, long) = (one_set(servers, 100), one_set(servers, 4_000));
        assert_eq!([short.by, long.by], [servers as usize; 2], "every server sees the value");
        let writes = |name, writes| {
            Figure::exact(
                format!("store writes of a Set that {servers} servers see, {name}"),
                "",
                writes as f64,
            )
            .beside(servers as f64)
            .goal(Goal::AtMost(1.0))
        };
        let receivers = servers as f64 - 1.0;
        [
            writes("100 B", short.writes),
            writes("too long for a message", long.writes),
            Figure::exact(
                format!("store reads a receiver, {servers} servers, 100 B"),
                "",
                short.reads as f64 / receivers,
            ),
            Figure::exact(
                format!("store reads a receiver, {servers} servers, too long for a message"),
                "",
                long.reads as f64 / receivers,
            )
            .goal(Goal::AtMost(1.0)),
        ]
    });
    figures.concat()
}
