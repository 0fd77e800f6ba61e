//! Player documents made of a real game's names and bounds: their changes and the documents themselves in frames, their
//! memory, and a session in which they change. What they are is said in `benches::workloads`.

use std::process::ExitCode;
use std::sync::Arc;

use benches::measure::{RESIDENT, interleaved_on_this_thread};
use benches::models::{Bare, Copy, Original};
use benches::ours::Ours;
use benches::packing::{Packing, pushes};
use benches::saves::{bytes_a_record, resident};
use benches::session::{Session, WriteThrough};
use benches::tally::{Tally, per_full_frame};
use benches::workloads::{Document, document_changes, document_sets, documents, whole_documents};
use benches::{Figure, Goal, Run, compare};
use transport_memory::MemoryStore;
use transport_traits::limits::SizeLimit;

const SEED: u64 = 20_260_101;

/// Messages for fills and counts, and messages that are timed.
const MANY: usize = 4_000;
const TIMED: usize = 1_000;

/// Timed rounds of a full run.
const ROUNDS: usize = 400;

/// The limit of a request, and of a frame for whole documents.
const REQUEST: SizeLimit = SizeLimit::bytes(1_024);
const LARGE: SizeLimit = SizeLimit::bytes(64 * 1_024);

fn main() -> ExitCode {
    let run = Run::from_args("documents", env!("CARGO_TARGET_TMPDIR"));
    // Memory first: see `bytes_a_record`.
    let figures = [memory(&run), changes(&run), push(&run), whole(&run), session(&run)];
    run.finish(&figures.concat())
}

/// An open record of a document of the middle size, beside the same document parsed and nothing else, and beside its text.
/// What was parsed is leaked: given back, it would be used again by the records, and not be seen there.
fn memory(run: &Run) -> Vec<Figure> {
    let mut texts: Vec<String> = documents(SEED, 101)
        .iter()
        .map(|document| serde_json::to_string(document).expect("it is JSON"))
        .collect();
    texts.sort_unstable_by_key(String::len);
    let text = &texts[texts.len() / 2];
    let records = run.items(2_000);
    let parsed = bytes_parsed(records, text);
    let ours = bytes_a_record(records as u32, text);
    let row = |peer: &str, other: Option<f64>| {
        let name = format!("memory of an open record, a document of the middle size, beside {peer}");
        match (ours, other) {
            (Some(ours), Some(other)) => Figure::noisy(name, "B", ours, RESIDENT).beside(other),
            _ => Figure::not_measured_yet(name, "B"),
        }
    };
    vec![
        row("it parsed", parsed).goal(Goal::TimesTheReference(1.2)),
        row("its text", Some(text.len() as f64)),
    ]
}

/// Bytes of resident memory of each of so many documents that serde_json has parsed.
fn bytes_parsed(count: usize, text: &str) -> Option<f64> {
    let before = resident()?;
    let parse = |_| serde_json::from_str::<Document>(text).expect("it is an object");
    std::mem::forget((0..count).map(parse).collect::<Vec<Document>>());
    Some((resident()? - before) / count as f64)
}

/// Changes as the original sends them, in its requests.
fn changes(run: &Run) -> Vec<Figure> {
    let messages = &document_sets(SEED, run.items(MANY));
    let ours = Tally::of(&mut Ours::new(REQUEST, Ours::BACKLOG), messages, REQUEST);
    let original = Tally::of(&mut Original::new(Original::LIMIT), messages, REQUEST);
    let full = per_full_frame(&mut Ours::new(REQUEST, Ours::BACKLOG), messages);
    vec![
        Figure::exact("fill, changes of real documents, JSON", "", ours.fill(REQUEST.max))
            .beside(original.fill(REQUEST.max))
            .goal(Goal::AtLeast(0.9)),
        Figure::exact("changes of real documents a request, JSON", "", full)
            .beside(per_full_frame(&mut Original::new(Original::LIMIT), messages)),
    ]
}

/// The time from a push to a sealed frame.
fn push(run: &Run) -> Vec<Figure> {
    let messages = document_sets(SEED, run.items(TIMED));
    pushes(run.rounds(ROUNDS), REQUEST, "changes of real documents", &messages).into()
}

/// Whole documents in large frames.
fn whole(run: &Run) -> Vec<Figure> {
    let messages = &whole_documents(SEED, run.items(TIMED))[..];
    let ours = Tally::of(&mut Ours::new(LARGE, Ours::BACKLOG), messages, LARGE);
    let bare = Tally::of(&mut Bare::new(LARGE.max), messages, LARGE);
    let samples = interleaved_on_this_thread(
        run.rounds(ROUNDS / 4),
        &mut [
            &mut Packing { packer: Ours::new(LARGE, Ours::BACKLOG), messages },
            &mut Packing { packer: Bare::new(LARGE.max), messages },
            &mut Packing { packer: Copy::new(LARGE.max), messages },
        ],
    );
    let beside = |peer: &str, other| {
        let name = format!("push, JSON, whole documents, 64 KiB, beside {peer}");
        compare::times(name, &samples, [0, other], messages.len())
    };
    vec![
        Figure::exact("fill, whole documents, JSON, 64 KiB", "", ours.fill(LARGE.max))
            .beside(bare.fill(LARGE.max))
            .goal(Goal::AtLeast(0.95)),
        beside("a bare packer", 1).goal(Goal::TimesTheReference(1.2)),
        beside("a plain copy", 2),
    ]
}

/// Changes of open documents until all are durable, beside a write of the whole document for each.
fn session(run: &Run) -> Vec<Figure> {
    const PLAYERS: usize = 100;
    let documents = documents(SEED, PLAYERS);
    let changes = document_changes(SEED, PLAYERS, run.items(8_000));
    let ours = Session::new(Arc::new(MemoryStore::unlimited().with_history(0)), &documents);
    let peer = WriteThrough::new(&documents);
    let samples = interleaved_on_this_thread(
        run.rounds(40),
        &mut [&mut || ours.play(&changes), &mut || peer.play(&changes)],
    );
    assert_eq!(ours.document(0), peer.document(0), "both made the same changes");
    let name = "a change of a real document until durable, beside writing the whole document for each";
    vec![compare::times(name, &samples, [0, 1], changes.len()).times_as_fast(2.0)]
}
