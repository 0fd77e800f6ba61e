//! Many messages through one queue: whatever comes, goes and stays, nothing is mixed up, and frames of ours can be read.

use std::collections::BTreeMap;

use bulk_messaging::machine::{Input, Machine, Output};
use bulk_messaging::wire::Frame;
use bulk_messaging::{Budget, Format};
use proptest::prelude::*;
use transport_traits::limits::SizeLimit;
use transport_traits::{Instant, Outgoing, Priority};

use crate::support::{drain_outputs, formats, machine};

const NOW: Instant = Instant::ZERO;

/// What is pushed: topic, priority, length of the body; and whether a frame is sealed after it.
type Push = (usize, usize, usize, bool);

const PRIORITIES: [Priority; 3] = [Priority::Urgent, Priority::Normal, Priority::Background];

fn sender(format: Format, max_in_flight: usize) -> Machine {
    machine(SizeLimit::bytes(1_024), |config| {
        config.budget = Budget::Unlimited;
        config.format = format;
        config.max_in_flight = max_in_flight;
    })
}

fn message(number: usize, (topic, priority, length, _): Push) -> Outgoing {
    let text: String = format!("{number} ").chars().cycle().take(length).collect();
    let body = serde_json::json!([number, text, {"who": topic}]).to_string();
    Outgoing::new(format!("topic/{topic}"), body).with_priority(PRIORITIES[priority])
}

/// The next frame, if one can be sealed.
fn seal(machine: &mut Machine) -> Option<Frame> {
    while let Some(output) = machine.poll(NOW) {
        if let Output::Publish { id, body, .. } = output {
            machine.handle(NOW, Input::Published { id, result: Ok(()) });
            return Some(Frame::decode(body).expect("a frame of ours can be read"));
        }
    }
    None
}

fn topic_bodies<'a>(
    messages: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (topic, body) in messages {
        all.entry(topic.to_owned()).or_default().push(String::from_utf8_lossy(body).into_owned());
    }
    all
}

/// Over few topics or over so many that most heads are far from the front.
fn pushes(count: usize) -> impl Strategy<Value = Vec<Push>> {
    prop_oneof![3 => Just(60usize), 1 => Just(300)].prop_flat_map(move |topics| {
        prop::collection::vec((0..topics, 0usize..3, 0usize..600, prop::bool::weighted(0.25)), 1..count)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn frames_hold_what_was_pushed_in_the_order_of_each_topic(pushes in pushes(600), format in formats()) {
        let mut machine = sender(format, 4);
        let sent: Vec<Outgoing> = pushes.iter().enumerate().map(|(at, &push)| message(at, push)).collect();
        let mut frames = Vec::new();
        for (message, push) in sent.iter().zip(&pushes) {
            machine.push(NOW, message.clone(), None).expect("room");
            frames.extend(push.3.then(|| seal(&mut machine)).flatten());
        }
        frames.extend(std::iter::from_fn(|| seal(&mut machine)));
        let arrived = topic_bodies(frames.iter().flat_map(Frame::messages));
        prop_assert_eq!(arrived, topic_bodies(sent.iter().map(|sent| (&*sent.topic, &sent.body[..]))));
        let stats = machine.stats(NOW);
        prop_assert_eq!((stats.queued_messages, stats.queued_bytes), (0, 0));
    }

    #[test]
    fn a_drain_gives_back_frames_under_way_and_queued_messages_as_they_were_published(
        pushes in pushes(60),
        format in formats(),
    ) {
        let mut machine = sender(format, 3);
        let sent: Vec<Outgoing> = pushes
            .iter()
            .enumerate()
            .map(|(at, &push)| match at % 5 {
                0 => message(at, push).with_conflation_key(at.to_string()),
                _ => message(at, push),
            })
            .collect();
        for (message, push) in sent.iter().zip(&pushes) {
            machine.push(NOW, message.clone(), None).expect("room");
            if push.3 {
                drain_outputs(&mut machine, NOW);
            }
        }
        machine.handle(NOW, Input::Drain);
        let outputs = drain_outputs(&mut machine, Instant::from_millis(60_000));
        let drained = outputs.into_iter().find_map(|output| match output {
            Output::Drained(rest) => Some(rest),
            _ => None,
        });
        prop_assert_eq!(drained, Some(sent));
    }

    #[test]
    fn a_text_is_pushed_as_its_json_string(text in any::<String>(), repeat in 1usize..40, format in formats()) {
        let text = text.repeat(repeat);
        let mut texts = sender(format, 4);
        let mut bodies = sender(format, 4);
        let json = serde_json::to_string(&text).expect("a string");
        let pushed = texts.push_text(NOW, "t".into(), &text, None);
        prop_assert_eq!(&pushed, &bodies.push(NOW, Outgoing::new("t", json), None));
        prop_assert_eq!(texts.stats(NOW), bodies.stats(NOW));
        if pushed.is_ok() {
            let frame = seal(&mut texts).expect("a frame");
            let arrived: Vec<_> = frame.messages().collect();
            prop_assert_eq!(serde_json::from_slice::<String>(arrived[0].1).expect("a string"), text);
        }
    }
}

#[test]
fn every_escape_is_the_shortest_that_json_has() {
    let text: String = (0..0x80).map(char::from).chain("ß語😀".chars()).collect();
    for start in 0..text.len().min(0x80) {
        let text = &text[start..];
        let mut machine = sender(Format::Nexus, 4);
        machine.push_text(NOW, "t".into(), text, None).expect("room");
        let frame = seal(&mut machine).expect("a frame");
        let expected = serde_json::to_string(text).expect("a string");
        assert_eq!(frame.messages().next(), Some(("t", expected.as_bytes())));
    }
}

#[test]
fn what_stays_for_long_keeps_its_body_while_much_passes_by() {
    let mut machine = sender(Format::Nexus, 4);
    let message = |topic: &str, number: usize, length: usize, priority| {
        Outgoing::new(topic, format!("\"{number} {}\"", "x".repeat(length))).with_priority(priority)
    };
    let stays: Vec<_> = (0..40).map(|number| message("stays", number, 600, Priority::Background)).collect();
    stays.iter().for_each(|message| machine.push(NOW, message.clone(), None).expect("room"));
    let mut left = Vec::new();
    for number in 0..400 {
        machine.push(NOW, message("passes", number, 900, Priority::Urgent), None).expect("room");
        // One frame in four goes by age and takes one of those that wait.
        let frame = seal(&mut machine).expect("a frame");
        let stayed = frame.messages().filter(|(topic, _)| *topic == "stays");
        left.extend(stayed.map(|(_, body)| body.to_vec()));
    }
    assert_eq!(left, stays.iter().map(|message| message.body.to_vec()).collect::<Vec<_>>());
}
