//! How costs grow: each is measured at several sizes, and the line through the logarithms says with which power of the size.
//! The curves are drawn to `target/bench/scaling-servers.svg`, `-entries.svg`, `-records.svg` and `-pending.svg`.
//!
//! What should grow how, and why, is said in `docs/benchmarks.md`.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use benches::lookups::{Peers, pool};
use benches::measure::interleaved_on_this_thread;
use benches::scaling::{
    Cached, Curve, HELD, Panel, Pending, Sized, answer, at_rest, chart, field_name, flushed_alone, learnt,
    memory_a_record,
};
use benches::spread::{Gossip, Pools};
use benches::{Goal, Run};

/// Reads that are timed together.
const READS: usize = 20_000;

fn main() -> ExitCode {
    if answer() {
        return ExitCode::SUCCESS;
    }
    let run = Run::from_args("scaling", env!("CARGO_TARGET_TMPDIR"));
    let topics = [
        ("servers", "What a fleet costs by the number of its servers", by_servers(&run)),
        ("entries", "What a pool costs by the number of its entries", by_entries(&run)),
        ("records", "What records in memory cost by their number", by_records(&run)),
        ("pending", "What operations that wait to be saved cost by their number", by_pending(&run)),
    ];
    let mut figures = Vec::new();
    for (name, title, curves) in topics {
        let panels: Vec<Panel> = curves.iter().map(|(panel, _)| panel.clone()).collect();
        figures.extend(curves.iter().map(|(panel, most)| match most {
            Some(most) => panel.figure().goal(Goal::AtMost(*most)),
            None => panel.figure(),
        }));
        if !run.is_smoke() {
            draw(name, title, &panels);
        }
    }
    run.finish(&figures)
}

/// What is drawn, and the most that its exponent should be: that of the reasons above, and a tenth for what does not
/// quite follow them; none where there is no such power.
type Grown = (Panel, Option<f64>);

fn draw(name: &str, title: &str, panels: &[Panel]) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    let file = target.join("bench").join(format!("scaling-{name}.svg"));
    let folder = file.parent().unwrap_or(target);
    let written =
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, chart::svg(title, panels)));
    match written {
        Ok(()) => println!("drawn to {}", file.display()),
        Err(error) => eprintln!("{}: {error}", file.display()),
    }
}

/// All of these sizes but the last in a quick run, since that one takes most of the time; two where it is only to be seen
/// that everything runs.
fn sizes(run: &Run, all: &[usize]) -> Vec<usize> {
    all[..run.by_depth(all.len(), all.len() - 1, 2)].to_vec()
}

fn ours() -> Pools {
    Pools::new(1, |config| config)
}

fn by_servers(run: &Run) -> Vec<Grown> {
    const ENTRIES: usize = 10;
    let sizes = sizes(run, &[10, 20, 40, 80, 160]);
    let ours: Vec<Sized> = sizes.iter().map(|&size| at_rest(&mut ours(), size, ENTRIES)).collect();
    let peer: Vec<Sized> = sizes.iter().map(|&size| at_rest(&mut Gossip::new(), size, ENTRIES)).collect();
    let panel = |title, unit, part: fn(&Sized) -> f64| {
        let points =
            |all: &[Sized]| sizes.iter().map(|size| *size as f64).zip(all.iter().map(part)).collect();
        let curves = vec![
            Curve { name: "pools", points: points(&ours) },
            Curve { name: "chitchat", points: points(&peer) },
        ];
        Panel { title, unit, of: "servers", curves }
    };
    vec![
        (panel("at rest, sent", "messages a second", |sized| sized.rest.messages), Some(1.1)),
        (panel("at rest, sent", "bytes a second", |sized| sized.rest.published), Some(1.1)),
        (panel("at rest, arriving", "bytes a second", |sized| sized.rest.delivered), Some(2.1)),
        (panel("work of one server", "ns a second", |sized| sized.work), Some(1.1)),
        (panel("one more joins, sent", "bytes", |sized| sized.join), Some(1.1)),
    ]
}

fn by_entries(run: &Run) -> Vec<Grown> {
    const SERVERS: usize = 10;
    let sent = sizes(run, &[10, 100, 1_000, 10_000]);
    let learnt = Panel {
        title: "ten servers start, sent",
        unit: "bytes",
        of: "entries of a server",
        curves: vec![
            Curve::of("pools", &sent, |entries| learnt(&mut ours(), SERVERS, entries)),
            Curve::of("chitchat", &sent, |entries| learnt(&mut Gossip::new(), SERVERS, entries)),
        ],
    };
    let rest = Panel {
        title: "at rest, sent",
        unit: "bytes a second",
        of: "entries of a server",
        curves: vec![
            Curve::of("pools", &sent, |entries| at_rest(&mut ours(), SERVERS, entries).rest.published),
            Curve::of("chitchat", &sent, |entries| {
                at_rest(&mut Gossip::new(), SERVERS, entries).rest.published
            }),
        ],
    };
    vec![(learnt, Some(1.1)), (rest, Some(0.1)), (look_ups(run), None)]
}

/// What a look-up takes among so many entries of a pool.
fn look_ups(run: &Run) -> Panel {
    let sizes = sizes(run, &[100, 1_000, 10_000, 100_000]);
    let at = |size: usize| {
        let entry = |number| (format!("{number:010}"), Arc::new(format!("{number:030}")));
        let values: Vec<_> = (0..size).map(entry).collect();
        let mut keys: Vec<String> = values.iter().map(|(key, _)| key.clone()).collect();
        fastrand::Rng::with_seed(1).shuffle(&mut keys);
        let (pool, peers) = (pool(&values), Peers::new(&values));
        each_read(
            run,
            size,
            [
                &|at| drop(black_box(pool.get(&keys[at]))),
                &|at| drop(black_box(peers.from_dashmap(&keys[at]))),
                &|at| drop(black_box(peers.from_moka(&keys[at]))),
            ],
        )
    };
    let measured: Vec<[f64; 3]> = sizes.iter().map(|&size| at(size)).collect();
    let curves = beside(&["pools", "dashmap", "moka"], &sizes, &measured);
    Panel { title: "a look-up", unit: "ns", of: "entries in the view", curves }
}

/// What each of these reads takes, ns, in turn of so many things.
fn each_read<const N: usize>(run: &Run, things: usize, reads: [&dyn Fn(usize); N]) -> [f64; N] {
    let count = run.items(READS);
    let mut subjects = reads.map(|read| move || (0..count).for_each(|number| read(number * 7 % things)));
    let mut all: Vec<&mut dyn benches::measure::Subject> = Vec::new();
    all.extend(subjects.iter_mut().map(|subject| subject as &mut dyn benches::measure::Subject));
    let samples = interleaved_on_this_thread(run.rounds(80), &mut all);
    std::array::from_fn(|subject| samples.median(subject) / count as f64)
}

fn beside<const N: usize>(names: &[&'static str; N], sizes: &[usize], measured: &[[f64; N]]) -> Vec<Curve> {
    let curve = |(which, name): (usize, &&'static str)| {
        let costs = measured.iter().map(|costs| costs[which]);
        Curve { name, points: sizes.iter().map(|size| *size as f64).zip(costs).collect() }
    };
    names.iter().enumerate().map(curve).collect()
}

fn by_records(run: &Run) -> Vec<Grown> {
    let sizes = sizes(run, &[1_000, 10_000, 100_000]);
    let at = |size: usize| {
        let Cached { records, keys, peers } = &Cached::new(size);
        each_read(
            run,
            size,
            [
                &|at| drop(black_box(records[at].get("coins"))),
                &|at| drop(black_box(peers.from_locked(&keys[at]).map(|document| document["coins"].clone()))),
                &|at| drop(black_box(peers.from_moka(&keys[at]).map(|document| document["coins"].clone()))),
            ],
        )
    };
    let memory = Panel {
        title: "memory",
        unit: HELD,
        of: "open records",
        curves: vec![Curve::of("nexus-store", &sizes, |size| {
            let each = memory_a_record(size).expect("this program can be started").unwrap_or(f64::NAN);
            each * size as f64
        })],
    };
    let measured: Vec<[f64; 3]> = sizes.iter().map(|&size| at(size)).collect();
    let curves = beside(&["nexus-store", "locked map", "moka"], &sizes, &measured);
    vec![(memory, Some(1.1)), (Panel { title: "get, a field", unit: "ns", of: "open records", curves }, None)]
}

fn by_pending(run: &Run) -> Vec<Grown> {
    let sizes = sizes(run, &[10, 100, 1_000, 10_000]);
    let at = |size: usize| {
        let pending = Pending::new(1, size);
        let (record, field) = (&pending.records[0], field_name(size / 2));
        each_read(
            run,
            size,
            [&|_| drop(black_box(record.increment(&field, 1))), &|_| drop(black_box(record.get(&field)))],
        )
    };
    let measured: Vec<[f64; 2]> = sizes.iter().map(|&size| at(size)).collect();
    let [one_more, read] = [0, 1]
        .map(|which| vec![beside(&["nexus-store", "nexus-store"], &sizes, &measured).swap_remove(which)]);
    let saved = vec![Curve::of("nexus-store", &sizes, flushed_alone)];
    let spread = vec![Curve::of("nexus-store", &sizes, |size| {
        let pending = Pending::new(size, 1);
        let field = field_name(0);
        each_read(run, size, [&|at| drop(black_box(pending.records[at].increment(&field, 1)))])[0]
    })];
    let panel = |title, curves, of| Panel { title, unit: "ns", of, curves };
    let (waiting, dirty) = ("operations waiting on the record", "records with one waiting");
    vec![
        (panel("one more increment", one_more, waiting), Some(0.1)),
        (panel("get", read, waiting), None),
        (panel("the save of all", saved, waiting), Some(1.1)),
        (panel("one more increment", spread, dirty), None),
    ]
}
