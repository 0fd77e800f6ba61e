//! The packer: how full frames are, what a message costs on its way into one and out again, and what it waits for.

use std::collections::HashMap;
use std::hint::black_box;
use std::process::ExitCode;

use benches::measure::{Subject, interleaved_on_this_thread};
use benches::models::Original;
use benches::ours::{Ours, Reader};
use benches::packing::{Packing, as_bytes, pushes, read_all};
use benches::tally::{Tally, frames, per_full_frame};
use benches::workloads::{Message, Update, player_sets, store_updates, strings};
use benches::{Figure, Goal, Packer, Run, compare, wakeups};
use bulk_messaging::Format;
use bytes::Bytes;
use serde_json::value::RawValue;
use transport_traits::limits::SizeLimit;

const SEED: u64 = 20_260_101;

/// Messages of the workloads for fills and counts.
const MANY: usize = 4_000;

/// Messages of the workloads that are timed.
const TIMED: usize = 1_000;

/// Timed rounds of a full run.
const ROUNDS: usize = 800;

/// The limit of a request.
const REQUEST: SizeLimit = SizeLimit::bytes(1_024);

fn main() -> ExitCode {
    let run = Run::from_args("packer", env!("CARGO_TARGET_TMPDIR"));
    let figures = [
        fills(&run),
        player_sets_in_a_request(&run),
        store_updates_in_a_request(&run),
        push(&run, "player Sets", &player_sets(SEED, run.items(TIMED)), 12.0, 1.2),
        push(&run, "10–50 B", &strings(SEED, run.items(TIMED), 10..=50, 1), 17.0, 2.5),
        growth(&run),
        decode(&run, "player Sets", &player_sets(SEED, run.items(TIMED))),
        decode(&run, "10–50 B", &strings(SEED, run.items(TIMED), 10..=50, 1)),
        compact(&run),
        waited(),
    ];
    run.finish(&figures.concat())
}

/// How much of a request frames fill, beside the original.
fn fills(run: &Run) -> Vec<Figure> {
    let workload = |lengths, topics| strings(SEED, run.items(MANY), lengths, topics);
    let figure = |name: &str, messages: &[Message], goal| {
        let ours = Tally::of(&mut Ours::new(REQUEST, Ours::BACKLOG), messages, REQUEST);
        let original = Tally::of(&mut Original::new(Original::LIMIT), messages, REQUEST);
        Figure::exact(format!("fill, {name}, JSON"), "", ours.fill(REQUEST.max))
            .beside(original.fill(REQUEST.max))
            .goal(Goal::AtLeast(goal))
    };
    vec![
        figure("10–50 B, one topic", &workload(10..=50, 1), 0.975),
        figure("50–200 B, one topic", &workload(50..=200, 1), 0.92),
        figure("200–700 B, 16 topics", &workload(200..=700, 16), 0.90),
    ]
}

/// How many player Sets a full request carries, beside the original. Requests that have to take what is left at the end are not
/// counted.
fn player_sets_in_a_request(run: &Run) -> Vec<Figure> {
    let messages = &player_sets(SEED, run.items(MANY));
    let original = original_sets_in_a_request(run);
    let figure = |name: &str, limit: SizeLimit, goal| {
        let mut ours = Ours::new(limit, Ours::BACKLOG);
        // Sequences have two digits from the 36th frame on, and no frame of the count has another number of them.
        Tally::of(&mut ours, &messages[..messages.len() / 10], limit);
        let ours = per_full_frame(&mut ours, messages);
        Figure::exact(format!("player Sets a request, JSON, {name}"), "", ours)
            .beside(original)
            .goal(Goal::AtLeast(goal))
    };
    vec![
        figure("without our header", SizeLimit::bytes(REQUEST.max + HEADER.len()), 6.0),
        figure("with our header", REQUEST, 5.8),
        figure("escapes counted", SizeLimit::json_encoded(REQUEST.max), 4.7),
    ]
}

/// The header in a frame with a sequence of two digits. Frames that may be longer by this much hold what frames without a
/// header would hold.
const HEADER: &str = r#""~":["1k3Jx_9aQ...10"],"#;

fn original_sets_in_a_request(run: &Run) -> f64 {
    per_full_frame(&mut Original::new(Original::LIMIT), &player_sets(SEED, run.items(MANY)))
}

/// How many of the changes fit into a full request as `nexus-store` announces them.
fn store_updates_in_a_request(run: &Run) -> Vec<Figure> {
    let original = original_sets_in_a_request(run);
    let updates = store_updates(SEED, run.items(MANY));
    let figure = |name: &str, format| {
        let ours = per_full_frame(&mut Ours::with_format(REQUEST, Ours::BACKLOG, format), &updates);
        Figure::exact(format!("nexus-store updates a request, {name}"), "", ours).beside(original)
    };
    vec![
        figure("JSON", Format::Nexus),
        figure("Compact, text-safe", Format::CompactText).goal(Goal::AtLeast(24.0)),
    ]
}

/// The time from a push to a sealed frame, beside the models.
fn push(run: &Run, name: &str, messages: &[Message], than_original: f64, of_bare: f64) -> Vec<Figure> {
    let [original, bare, copy] = pushes(run.rounds(ROUNDS), REQUEST, name, messages);
    vec![original.times_as_fast(than_original), bare.goal(Goal::TimesTheReference(of_bare)), copy]
}

/// How the time of a push grows with what is buffered already, beside the original, whose buffer is one frame. Flat means
/// by a quarter at most.
fn growth(run: &Run) -> Vec<Figure> {
    const TIMES: usize = 16;
    const FLAT: f64 = 1.25;
    let messages = &player_sets(SEED, run.items(TIMES * TIMED));
    let frame = SizeLimit::bytes(TIMES * REQUEST.max);
    let samples = interleaved_on_this_thread(
        run.rounds(ROUNDS / TIMES),
        &mut [
            &mut Packing { packer: Ours::new(REQUEST, Ours::BACKLOG), messages },
            &mut Packing { packer: Ours::new(frame, TIMES as u64 * Ours::BACKLOG), messages },
            &mut Packing { packer: Ours::new(REQUEST, 128 * Ours::BACKLOG), messages },
            &mut Packing { packer: Original::new(Original::LIMIT), messages },
            &mut Packing { packer: Original::new(TIMES * Original::LIMIT), messages },
        ],
    );
    let figure = |name: &str, ours| {
        let name = format!("push, JSON, player Sets, {name}");
        Figure::noisy(name, "× the time", samples.times(ours, 0), samples.spread(ours, 0))
            .beside(samples.times(4, 3))
            .goal(Goal::AtMost(FLAT))
    };
    vec![figure("frames 16 times as large", 1), figure("8,192 messages queued, not 64", 2)]
}

/// Frames of ours that are decoded and delivered.
struct Reading<'a> {
    frames: &'a [Bytes],
    messages: &'a [Message],
    reader: Reader,
}

impl Subject for Reading<'_> {
    /// A frame that was read before would be a duplicate.
    fn prepare(&mut self) {
        self.reader = Reader::new(REQUEST, self.messages.iter().map(|message| &message.topic));
    }

    fn run(&mut self) {
        let mut delivered = |message: &[u8]| {
            black_box(message);
        };
        self.frames.iter().for_each(|frame| self.reader.read(frame, &mut delivered));
    }
}

/// The time from a frame to where its messages are, beside `serde_json`, which also unescapes them, beside its raw values,
/// which leave that to the reader as ours does, and with delivery.
fn decode(run: &Run, name: &str, messages: &[Message]) -> Vec<Figure> {
    let frames = &frames(&mut Ours::new(REQUEST, Ours::BACKLOG), messages);
    let mut parse = || frames.iter().for_each(|frame| drop(black_box(parsed(frame))));
    let mut parse_raw = || frames.iter().for_each(|frame| drop(black_box(raw(frame))));
    let mut copy = || frames.iter().for_each(|frame| drop(black_box(frame.to_vec())));
    let mut received = Reading { frames, messages, reader: Reader::new(REQUEST, []) };
    let mut ours = || read_all(frames);
    let samples = interleaved_on_this_thread(
        run.rounds(ROUNDS),
        &mut [&mut ours, &mut parse, &mut copy, &mut received, &mut parse_raw],
    );
    let beside = |verb: &str, ours, peer: &str, other| {
        compare::times(
            format!("{verb}, JSON, {name}, beside {peer}"),
            &samples,
            [ours, other],
            messages.len(),
        )
    };
    vec![
        beside("decode", 0, "serde_json, which unescapes", 1).times_as_fast(2.0),
        beside("decode", 0, "serde_json's raw values", 4),
        beside("decode", 0, "a plain copy", 2),
        beside("decode and deliver", 3, "serde_json, which unescapes", 1),
    ]
}

fn parsed(frame: &[u8]) -> HashMap<String, Vec<String>> {
    serde_json::from_slice(frame).expect("a frame is an object of arrays of strings")
}

/// The same with the texts as they stand in the frame.
fn raw(frame: &[u8]) -> HashMap<&str, Vec<&RawValue>> {
    serde_json::from_slice(frame).expect("a frame is an object of arrays")
}

/// The formats for fleets that are all ours, beside our JSON. Messages are bytes there: what is pushed as a text to JSON is
/// pushed as it is. The text-safe form has rounds of its own, since it takes so long that nothing else has a warm cache.
fn compact(run: &Run) -> Vec<Figure> {
    let texts = &player_sets(SEED, run.items(TIMED));
    let messages = &as_bytes(texts);
    let binary = |verb: &str| format!("{verb}, Compact, player Sets, beside our JSON");
    let text = |verb: &str| format!("{verb}, Compact, text-safe, player Sets, beside our JSON");
    let [pushed, read] = beside_json(run, Format::Compact, texts, messages, binary);
    let mut figures = vec![pushed.goal(Goal::TimesTheReference(0.7)), read.times_as_fast(4.0)];
    figures.extend(beside_json(run, Format::CompactText, texts, messages, text));
    let updates = &store_updates(SEED, run.items(TIMED));
    let text = |verb: &str| format!("{verb}, Compact, text-safe, nexus-store updates, beside our JSON");
    figures.extend(beside_json(run, Format::CompactText, updates, updates, text));
    figures
}

/// What it takes to push and to decode `messages` in this format, beside `same` in JSON.
fn beside_json<M>(
    run: &Run,
    format: Format,
    same: &[M],
    messages: &[Update],
    name: impl Fn(&str) -> String,
) -> [Figure; 2]
where
    Ours: Packer<M>,
{
    let ours = |format| Ours::with_format(REQUEST, Ours::BACKLOG, format);
    let mut json = Packing { packer: ours(Format::Nexus), messages: same };
    let mut other = Packing { packer: ours(format), messages };
    let pushed = interleaved_on_this_thread(run.rounds(ROUNDS), &mut [&mut other, &mut json]);
    let json = frames::<M>(&mut ours(Format::Nexus), same);
    let other = frames::<Update>(&mut ours(format), messages);
    let (mut json, mut other) = (|| read_all(&json), || read_all(&other));
    let read = interleaved_on_this_thread(run.rounds(ROUNDS), &mut [&mut other, &mut json]);
    let compared = |verb, samples| compare::times(name(verb), samples, [0, 1], messages.len());
    [compared("push", &pushed), compared("decode", &read)]
}

/// What a message waits for while the budget allows. The original waits for its timer always.
fn waited() -> Vec<Figure> {
    let waited = wakeups::while_the_budget_allows();
    let figure = |name, count: fn(wakeups::Waited) -> u64, most| {
        let figure = match waited {
            Some(waited) => Figure::exact(name, "", count(waited) as f64),
            None => Figure::exact(name, "", f64::INFINITY),
        };
        figure.goal(Goal::AtMost(most))
    };
    vec![
        figure("wake-ups of the driver until a message is out", |waited| waited.wakeups, 1.0),
        figure("timers that it waits for, beside the original's one", |waited| waited.timers, 0.0)
            .beside(1.0),
    ]
}
