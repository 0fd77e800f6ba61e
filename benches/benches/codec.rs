//! The formats on the wire: what it costs to write and to read them, and how long they are.
//!
//! Beside `serde_json` stands what one would write with it: the messages of a frame as an object of lists of texts, made at
//! once, without anything that keeps frames within a limit. It unescapes each text when it reads; ours hands out messages as
//! they stand in the frame, in JSON as JSON strings, and leaves that to whoever wants the text. Its raw values do the same. A frame has up to 1,024 bytes. What the topic `packer` shows,
//! JSON and `Compact` with plainer messages beside its own models, is not shown again.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::process::ExitCode;

use benches::measure::interleaved_on_this_thread;
use benches::ours::Ours;
use benches::packing::{Packing, as_bytes, read_all};
use benches::tally::frames;
use benches::workloads::{Message, Update, escapes, player_sets, strings, text_bytes};
use benches::{Figure, Packer, Run, compare};
use bulk_messaging::Format;
use bulk_messaging::wire::Frame;
use bytes::Bytes;
use serde_json::value::RawValue;
use transport_traits::limits::SizeLimit;

const SEED: u64 = 20_260_101;

/// Messages of a workload.
const MESSAGES: usize = 1_000;

/// Timed rounds of a full run.
const ROUNDS: usize = 400;

/// The limit of a request.
const REQUEST: SizeLimit = SizeLimit::bytes(1_024);

fn main() -> ExitCode {
    let run = Run::from_args("codec", env!("CARGO_TARGET_TMPDIR"));
    let messages = run.items(MESSAGES);
    let workloads = [
        ("player Sets", player_sets(SEED, messages)),
        ("10–50 B", strings(SEED, messages, 10..=50, 1)),
        ("every second character escaped", escapes(SEED, messages)),
    ];
    let figures: Vec<Figure> =
        workloads.iter().flat_map(|(name, texts)| workload(&run, name, texts)).collect();
    run.finish(&figures)
}

/// All formats with these messages.
fn workload(run: &Run, name: &str, texts: &[Message]) -> Vec<Figure> {
    let bytes = &as_bytes(texts);
    let json = &frames(&mut ours(Format::Nexus), texts);
    let mut figures = Vec::new();
    if name.contains("escaped") {
        figures.extend(format(run, ["JSON", name], json, (Format::Nexus, texts)));
    }
    for (format_name, format) in [("Compact", Format::Compact), ("Compact, text-safe", Format::CompactText)] {
        figures.extend(self::format(run, [format_name, name], json, (format, bytes)));
        let frames = frames::<Update>(&mut ours(format), bytes);
        let [ours, json] = [&frames, json].map(|frames| {
            let bytes: usize = frames.iter().map(Bytes::len).sum();
            bytes as f64 / texts.len() as f64
        });
        figures.push(
            Figure::exact(format!("length, {format_name}, {name}, beside our JSON"), "B", ours).beside(json),
        );
    }
    let plain = text_bytes(texts) as f64 / texts.len() as f64;
    let length: usize = json.iter().map(Bytes::len).sum();
    let ours = length as f64 / texts.len() as f64;
    figures.push(Figure::exact(format!("length, JSON, {name}, beside the texts"), "B", ours).beside(plain));
    figures
}

fn ours(format: Format) -> Ours {
    Ours::with_format(REQUEST, Ours::BACKLOG, format)
}

/// What it takes to write and to read `messages` in this format, beside `serde_json` and a plain copy of what is written or
/// read. `json` has the same messages in JSON.
fn format<M>(
    run: &Run,
    [format_name, name]: [&str; 2],
    json: &[Bytes],
    (format, messages): (Format, &[M]),
) -> [Figure; 5]
where
    Ours: Packer<M>,
{
    let written = &frames::<M>(&mut ours(format), messages);
    let contents: Vec<Contents> = json.iter().map(contents).collect();
    let mut packing = Packing { packer: ours(format), messages };
    let mut serialize = || contents.iter().for_each(|frame| drop(black_box(serde_json::to_vec(frame))));
    let mut copy = || written.iter().for_each(|frame| drop(black_box(frame.to_vec())));
    let mut read = || read_all(written);
    let mut parse = || json.iter().for_each(|frame| drop(black_box(parsed(frame))));
    let mut parse_raw = || json.iter().for_each(|frame| drop(black_box(raw(frame))));
    let samples = interleaved_on_this_thread(
        run.rounds(ROUNDS),
        &mut [&mut packing, &mut read, &mut serialize, &mut parse, &mut copy, &mut parse_raw],
    );
    let figure = |verb: &str, ours, peer: &str, other| {
        compare::times(
            format!("{verb}, {format_name}, {name}, beside {peer}"),
            &samples,
            [ours, other],
            messages.len(),
        )
    };
    [
        figure("encode", 0, "serde_json", 2),
        figure("encode", 0, "a plain copy", 4),
        figure("decode", 1, "serde_json, which unescapes", 3),
        figure("decode", 1, "serde_json's raw values", 5),
        figure("decode", 1, "a plain copy", 4),
    ]
}

/// What is in a frame of ours in JSON, by inner topic.
type Contents = BTreeMap<String, Vec<String>>;

fn contents(frame: &Bytes) -> Contents {
    let mut contents = Contents::new();
    let frame = Frame::decode(frame.clone()).expect("frames of ours can be read");
    for (topic, message) in frame.messages() {
        let text = serde_json::from_slice(message).expect("the messages are JSON strings");
        contents.entry(topic.to_owned()).or_default().push(text);
    }
    contents
}

fn parsed(frame: &[u8]) -> HashMap<String, Vec<String>> {
    serde_json::from_slice(frame).expect("a frame is an object of lists of texts")
}

/// The same with the texts as they stand in the frame, not unescaped.
fn raw(frame: &[u8]) -> HashMap<&str, Vec<&RawValue>> {
    serde_json::from_slice(frame).expect("a frame is an object of lists of texts")
}
