//! What a sender puts into frames, read again.

use std::collections::BTreeMap;

use bulk_messaging::machine::{Input, Machine, Output};
use bulk_messaging::wire::Frame;
use bulk_messaging::{Budget, Config, Format, Refusal};
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, Instant, Outgoing};

const NOW: Instant = Instant::ZERO;
const TOPICS: [&str; 4] = ["t", "u", "ab", "ö"];

/// Bodies by inner topic.
type Messages = BTreeMap<String, Vec<Vec<u8>>>;

fn sender(limit: SizeLimit, format: Format) -> Machine {
    let mut bus = BusLimits::default();
    bus.body = Some(limit);
    let mut config = Config::new("real");
    (config.sender, config.seed) = (Some("s".into()), Some(1));
    (config.format, config.budget, config.max_topic_bytes) = (format, Budget::Unlimited, 6);
    Machine::new(config, &bus, NOW).expect("the configuration fits any limit from 150 on")
}

/// Sends messages and decodes their frames. Two bytes tell the limit of a frame, one the format; then each message one its
/// topic, one its length, and these its body: the message itself, in JSON the string of it.
///
/// # Panics
/// If what was decoded is not what was sent, or a frame is over its limit.
pub fn round_trip(script: &[u8]) {
    let Some((&[low, high, form], mut script)) = script.split_first_chunk() else { return };
    let limit = SizeLimit::bytes(150 + usize::from(u16::from_le_bytes([low, high]) % 4_096));
    let format = [Format::CompactText, Format::Compact, Format::Nexus][usize::from(form % 3)];
    let (mut machine, mut sent) = (sender(limit, format), Messages::new());
    while let Some((&[topic, len], rest)) = script.split_first_chunk() {
        let (body, rest) = rest.split_at(usize::from(len).min(rest.len()));
        script = rest;
        let topic = TOPICS[usize::from(topic % 4)];
        let (pushed, message) = push(&mut machine, topic, body, format);
        match pushed {
            Ok(()) => sent.entry(topic.to_owned()).or_default().push(message),
            Err(Refusal::Body { size, limit }) => assert!(size > limit, "{size} of {limit}"),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(read(&mut machine, limit), sent);
}

/// Says what became of it, and what is to arrive.
fn push(machine: &mut Machine, topic: &str, body: &[u8], format: Format) -> (Result<(), Refusal>, Vec<u8>) {
    if format == Format::Nexus {
        let text = String::from_utf8_lossy(body);
        let message = serde_json::to_vec(&text).expect("a text is JSON");
        return (machine.push_text(NOW, topic.into(), &text, None), message);
    }
    // What looks like a fragment travels as one, and frames know nothing of that.
    let body = if body.starts_with(b"~/") || body.starts_with(b"{\"~\":\"") { &body[1..] } else { body };
    (machine.push(NOW, Outgoing::new(topic, body.to_vec()), None), body.to_vec())
}

fn read(machine: &mut Machine, limit: SizeLimit) -> Messages {
    let mut messages = Messages::new();
    while let Some(output) = machine.poll(NOW) {
        let Output::Publish { id, body, .. } = output else { continue };
        assert!(limit.check("frame", &body).is_ok(), "{} bytes", body.len());
        let frame = Frame::decode(body).expect("frames of ours can be read");
        for (topic, body) in frame.messages() {
            messages.entry(topic.to_owned()).or_default().push(body.to_vec());
        }
        machine.handle(NOW, Input::Published { id, result: Ok(()) });
    }
    messages
}
