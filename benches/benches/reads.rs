//! Reads from memory: a field, a whole record, a typed one and an entry of a pool, beside caches and maps that hold the same
//! shared values, on one thread and on two at once.
//!
//! All give out a pointer that they count, none copies a value. A handle of ours is of one record, so that a read of a whole
//! record looks nothing up; the peers look the record's key up, with the hash that is
//! their default.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use benches::lookups::{Peers, Player, pool, records};
use benches::measure::{Samples, interleaved, interleaved_on_this_thread};
use benches::saves::on_two_threads;
use benches::workloads::{Document, documents, strings};
use benches::{Figure, Goal, Run, compare};
use nexus_store::SaveData;
use parking_lot::RwLock;

const SEED: u64 = 20_260_101;

/// Timed rounds of a full run.
const ROUNDS: usize = 400;

/// Reads of a round.
const READS: usize = 20_000;

/// Records and entries that are read in turn.
const MANY: usize = 1_000;

fn main() -> ExitCode {
    let run = Run::from_args("reads", env!("CARGO_TARGET_TMPDIR"));
    let documents = documents(SEED, run.items(MANY));
    let records = records(&documents);
    let figures = [
        fields(&run, &documents[0], &records[0]),
        whole(&run, &documents, &records),
        typed(&run, &documents, &records),
        entries(&run),
    ];
    run.finish(&figures.concat())
}

/// What a read takes on one thread and on two, beside each peer; `ours` reads by the number of a key. Two threads read the same
/// keys in the same order, so they share what they touch: a machine that is busy with something else lets them take turns
/// instead, and then their figures mean little.
fn beside_peers<T: Send + Sync + 'static>(
    run: &Run,
    name: &str,
    keys: &[String],
    ours: impl Fn(usize) + Sync,
    peers: &Peers<T>,
) -> Vec<Figure> {
    let times = run.items(READS) / keys.len() + 1;
    let each = times * keys.len();
    let all = |read: &(dyn Fn(usize) + Sync)| (0..keys.len()).for_each(read);
    let locked = |at: usize| drop(black_box(peers.from_locked(black_box(&keys[at]))));
    let dashmap = |at: usize| drop(black_box(peers.from_dashmap(black_box(&keys[at]))));
    let moka = |at: usize| drop(black_box(peers.from_moka(black_box(&keys[at]))));
    let alone = interleaved_on_this_thread(
        run.rounds(ROUNDS),
        &mut [
            &mut || (0..times).for_each(|_| all(&ours)),
            &mut || (0..times).for_each(|_| all(&locked)),
            &mut || (0..times).for_each(|_| all(&dashmap)),
            &mut || (0..times).for_each(|_| all(&moka)),
        ],
    );
    let together = interleaved(
        run.rounds(ROUNDS),
        &mut [
            &mut || on_two_threads(times, || all(&ours)),
            &mut || on_two_threads(times, || all(&locked)),
            &mut || on_two_threads(times, || all(&dashmap)),
            &mut || on_two_threads(times, || all(&moka)),
        ],
    );
    let figure = |threads: &str, samples: &Samples, peer: &str, other: usize, most| {
        compare::times(format!("{name}, {threads}, beside {peer}"), samples, [0, other], each)
            .goal(Goal::TimesTheReference(most))
    };
    let (one, two) = ("one thread", "two threads");
    vec![
        figure(one, &alone, "a locked map", 1, 1.2),
        figure(one, &alone, "dashmap", 2, 1.2),
        figure(one, &alone, "moka", 3, 0.5),
        figure(two, &together, "a locked map", 1, 1.2),
        figure(two, &together, "dashmap", 2, 1.2),
        figure(two, &together, "moka", 3, 0.5),
    ]
}

/// The fields of one record.
fn fields(run: &Run, document: &Document, record: &SaveData) -> Vec<Figure> {
    let values: Vec<_> =
        document.iter().map(|(field, value)| (field.clone(), Arc::new(value.clone()))).collect();
    let keys: Vec<String> = document.keys().cloned().collect();
    let ours = |at: usize| drop(black_box(record.get(black_box(&keys[at]))));
    beside_peers(run, "get, a field", &keys, ours, &Peers::new(&values))
}

/// All fields of each of many records.
fn whole(run: &Run, documents: &[Document], records: &[SaveData]) -> Vec<Figure> {
    let keys: Vec<String> = (0..documents.len()).map(|number| number.to_string()).collect();
    let values: Vec<_> =
        keys.iter().cloned().zip(documents.iter().map(|document| Arc::new(document.clone()))).collect();
    let ours = |at: usize| drop(black_box(records[at].snapshot()));
    beside_peers(run, "snapshot, each of many records by its handle", &keys, ours, &Peers::new(&values))
}

/// Values of types of the user's own. Ours keeps JSON values and makes the type anew; a cache can keep the type itself.
fn typed(run: &Run, documents: &[Document], records: &[SaveData]) -> Vec<Figure> {
    let keys: Vec<String> = (0..documents.len()).map(|number| number.to_string()).collect();
    let texts: Vec<String> =
        documents.iter().map(|document| serde_json::to_string(document).expect("it is JSON")).collect();
    let player = |text: &String| Arc::new(serde_json::from_str::<Player>(text).expect("it is a player"));
    let values: Vec<_> = keys.iter().cloned().zip(texts.iter().map(player)).collect();
    let (peers, texts) = (Peers::new(&values), RwLock::new(texts));
    let samples = interleaved_on_this_thread(
        run.rounds(ROUNDS / 4),
        &mut [
            &mut || records.iter().for_each(|record| drop(black_box(record.get_as::<u64>("coins")))),
            &mut || {
                keys.iter().for_each(|key| {
                    black_box(peers.from_moka(key).map(|player| player.coins));
                });
            },
            &mut || records.iter().for_each(|record| drop(black_box(record.read::<Player>()))),
            &mut || {
                (0..keys.len())
                    .for_each(|at| drop(black_box(serde_json::from_str::<Player>(&texts.read()[at]))));
            },
        ],
    );
    let figure = |name: &str, subjects, most| {
        compare::times(name, &samples, subjects, keys.len()).goal(Goal::TimesTheReference(most))
    };
    vec![
        figure("get_as, a number, beside a field of a struct in moka", [0, 1], 1.2),
        figure("read, a struct, beside serde_json from the text", [2, 3], 1.0),
    ]
}

/// The entries of a pool.
fn entries(run: &Run) -> Vec<Figure> {
    let texts = strings(SEED, run.items(MANY), 30..=30, 1);
    let entry = |(number, message): (usize, &benches::workloads::Message)| {
        (format!("{number:010}"), Arc::new(message.text.clone()))
    };
    let values: Vec<_> = texts.iter().enumerate().map(entry).collect();
    let keys: Vec<String> = values.iter().map(|(key, _)| key.clone()).collect();
    let pool = pool(&values);
    let ours = |at: usize| drop(black_box(pool.get(black_box(&keys[at]))));
    beside_peers(run, "get, an entry of a pool", &keys, ours, &Peers::new(&values))
}
