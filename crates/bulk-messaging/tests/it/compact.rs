//! The `Compact` format: what goes in comes out, within every limit.

use bulk_messaging::machine::{Input, Machine};
use bulk_messaging::wire::Frame;
use bulk_messaging::{Budget, Config, ConfigError, Format, Refusal};
use bytes::Bytes;
use proptest::prelude::*;
use transport_traits::limits::{Content, Counting, SizeLimit};
use transport_traits::{BusLimits, Outgoing, presets};

use crate::support::{COUNTINGS, at, drain_outputs, machine, publishes};

const FORMS: [Format; 2] = [Format::Compact, Format::CompactText];

fn with(format: Format) -> impl Fn(&mut Config) {
    move |config| {
        config.format = format;
        config.budget = Budget::Unlimited;
        config.max_topic_bytes = 70;
    }
}

/// Bodies as applications make them, and bytes that nobody would; but none that looks like a fragment (`~/…`), since
/// such a message travels as one (`fragments.rs` tests those).
fn body() -> impl Strategy<Value = Vec<u8>> {
    let parts = prop::sample::select(vec![
        "{\"coins\":",
        "17",
        "0",
        "007",
        "18446744073709551616",
        "999999999999999999",
        "ß",
        "語",
        "\"",
        "\\",
        "\u{1}",
        ",",
        "true",
        "player",
        "Gold",
        "]]]]",
        "\n",
        " ",
    ]);
    prop_oneof![
        8 => prop::collection::vec(parts, 0..25).prop_map(|parts| parts.concat().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_filter("a fragment", |body| !body.starts_with(b"~/")),
        1 => any::<u64>().prop_map(|number| format!("[1,{number},\"a\"]").into_bytes()),
    ]
}

/// Sends messages through a machine and decodes its frames. Says what came out and the frames.
fn through(
    format: Format,
    limit: SizeLimit,
    messages: &[(String, Vec<u8>)],
) -> (Vec<(String, Vec<u8>)>, Vec<Bytes>) {
    let mut sender = machine(limit, with(format));
    let mut sent = Vec::new();
    for (topic, body) in messages {
        match sender.push(at(0), Outgoing::new(topic.as_str(), body.clone()), None) {
            Ok(()) => sent.push((topic.clone(), body.clone())),
            Err(Refusal::Body { size, limit }) => assert!(size > limit),
            Err(other) => panic!("{other:?}"),
        }
    }
    let frames = all_frames(&mut sender);
    assert!(frames.iter().all(|frame| limit.check("frame", frame).is_ok()), "a frame is over its limit");
    (sent, frames)
}

/// The frames of everything that is queued.
fn all_frames(sender: &mut Machine) -> Vec<Bytes> {
    let mut frames = Vec::new();
    loop {
        let published = publishes(&drain_outputs(sender, at(0)));
        if published.is_empty() {
            return frames;
        }
        for (id, frame) in published {
            frames.push(frame);
            sender.handle(at(0), Input::Published { id, result: Ok(()) });
        }
    }
}

/// Bodies of up to `most` bytes, of letters and signs in turn, of one to seven alike: hardly a word comes twice.
fn many_words(seed: u64, most: usize) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut words = |alphabet: Vec<char>| {
        let mut words = Vec::new();
        for count in 1..8 {
            let mut some: Vec<String> = alphabet.iter().map(|char| char.to_string().repeat(count)).collect();
            random.shuffle(&mut some);
            words.extend(some);
        }
        words
    };
    let letters = words(('a'..='z').chain('A'..='Z').collect());
    let signs = words(('\0'..='/').chain(':'..='@').chain('['..='`').chain('{'..='\u{7f}').collect());
    let mut bodies = vec![String::new()];
    for pair in letters.iter().zip(&signs).map(|(word, sign)| word.clone() + sign) {
        if bodies[bodies.len() - 1].len() + pair.len() > most {
            bodies.push(String::new());
        }
        let last = bodies.len() - 1;
        bodies[last].push_str(&pair);
    }
    bodies
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_decoded_is_what_was_encoded_in_order_and_within_the_limit(
        messages in prop::collection::vec((prop::sample::select(vec!["a", "player/17", "player/18", "ö\""]), body()), 1..60),
        format in prop::sample::select(FORMS.to_vec()),
        counting in prop::sample::select(COUNTINGS.to_vec()),
        max in 700usize..3_000,
    ) {
        let messages: Vec<_> = messages.into_iter().map(|(topic, body)| (topic.to_owned(), body)).collect();
        let (sent, frames) = through(format, SizeLimit { max, counting }, &messages);
        let mut received = Vec::new();
        for frame in frames {
            let frame = Frame::decode(frame).expect("a frame of ours");
            received.extend(frame.messages().map(|(topic, body)| (topic.to_owned(), body.to_vec())));
        }
        for topic in ["a", "player/17", "player/18", "ö\""] {
            let of = |all: &[(String, Vec<u8>)]| -> Vec<Vec<u8>> {
                all.iter().filter(|(of, _)| of == topic).map(|(_, body)| body.clone()).collect()
            };
            prop_assert_eq!(of(&sent), of(&received));
        }
    }

    #[test]
    fn small_frames_of_ever_new_words_are_decoded_to_what_was_encoded(
        seed in any::<u64>(),
        max in prop_oneof![150usize..400, Just(160), Just(161), Just(320), Just(641)],
        most in 4usize..48,
    ) {
        let messages = many_words(seed, most);
        let mut sender = machine(SizeLimit::bytes(max), |config| {
            with(Format::CompactText)(config);
            (config.max_topic_bytes, config.sender) = (3, Some("s".into()));
        });
        for body in &messages {
            sender.push(at(0), Outgoing::new("t", body.clone()), None).expect("room");
        }
        let frames = all_frames(&mut sender);
        let frames = frames.into_iter().map(|frame| Frame::decode(frame).expect("a frame of ours"));
        let received: Vec<String> = frames
            .flat_map(|frame| frame.messages().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect::<Vec<_>>())
            .collect();
        prop_assert_eq!(received, messages);
    }

    #[test]
    fn what_the_limits_promise_fits_under_any_topic_they_allow(
        format in prop::sample::select(FORMS.to_vec()),
        counting in prop::sample::select(COUNTINGS.to_vec()),
        unit in prop::sample::select(vec!["\"", "\\", "a", "\u{1}", "語", "0a", "!a"]),
        fill in any::<u8>(),
        noise in any::<u64>(),
        max in 700usize..2_000,
    ) {
        let mut machine = machine(SizeLimit { max, counting }, with(format));
        let limits = machine.limits().clone();
        let (body_limit, topic_limit) = (limits.body.expect("a limit"), limits.topic.expect("a limit"));
        let mut topic = String::new();
        while topic_limit.check("topic", (topic.clone() + unit).as_bytes()).is_ok() {
            topic.push_str(unit);
        }
        let mut random = fastrand::Rng::with_seed(noise);
        let mut body = vec![fill];
        loop {
            body.push(if noise % 2 == 0 { fill } else { random.u8(..) });
            if body_limit.check("body", &body).is_err() {
                body.pop();
                break;
            }
        }
        prop_assert_eq!(machine.push(at(0), Outgoing::new(topic.as_str(), body.clone()), None), Ok(()));
        let frames = publishes(&drain_outputs(&mut machine, at(0)));
        prop_assert_eq!(frames.len(), 1);
        let frame = Frame::decode(frames[0].1.clone()).expect("a frame of ours");
        prop_assert_eq!(frame.messages().collect::<Vec<_>>(), vec![(topic.as_str(), &body[..])]);
    }
}

#[test]
fn text_frames_need_no_escapes_in_any_json() {
    let messages: Vec<_> =
        (0..200).map(|number| ("t\"".to_owned(), format!("[\"<&'/\\{number}").into_bytes())).collect();
    let (_, frames) = through(Format::CompactText, SizeLimit::bytes(1_024), &messages);
    for frame in frames {
        let safe = |byte: &u8| (b'!'..=b'~').contains(byte) && !b"\"\\/<>&'`".contains(byte);
        assert!(frame.iter().all(safe));
        assert_eq!(Counting::JsonEncoded.measure(&frame), frame.len() + 2);
    }
}

fn example(format: Format) -> Bytes {
    let mut machine = machine(SizeLimit::bytes(1_024), |config| {
        with(format)(config);
        config.sender = Some("k3Jx_9aQ".into());
    });
    for (topic, body) in
        [("chat", "hi"), ("coins/7", "{\"ada\":5}"), ("coins/8", "{\"ada\":6}"), ("chat", "all")]
    {
        machine.push(at(0), Outgoing::new(topic, body), None).expect("room");
    }
    publishes(&drain_outputs(&mut machine, at(0)))[0].1.clone()
}

#[test]
fn the_worked_examples_of_the_documentation_are_what_is_sent() {
    let hex = "C1 00 08 6B 33 4A 78 5F 39 61 51 00 00 01 00 02 00 04 63 68 61 74 02 68 69 02 00 07 63 6F 69 6E 73 2F 37 09 7B 22 \
               61 64 61 22 3A 35 7D 1E 06 01 38 02 36 7D 01 00 03 61 6C 6C";
    let bytes: Vec<_> =
        hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect();
    assert_eq!(example(Format::Compact), bytes);
    let text = "~!2$?tGfH@0Ibl%%00965Ka,+cSHdc,ZlhL4byKo!MM3#5^=mV^%JrA:%+-i22}D9D";
    assert_eq!(example(Format::CompactText), text);
}

#[test]
fn compact_is_text_where_the_bus_takes_only_text() {
    let first = |format, limits: &BusLimits| {
        let mut config = Config::new("real");
        config.format = format;
        let mut machine = Machine::new(config, limits, at(0)).expect("a fitting configuration");
        assert_eq!(machine.limits().content, Content::Binary, "any bytes travel in either form");
        machine.push(at(0), Outgoing::new("t", vec![0xff, 0]), None).expect("room");
        publishes(&drain_outputs(&mut machine, at(0)))[0].1[0]
    };
    assert_eq!(first(Format::Compact, &presets::ROBLOX_MESSAGING), b'~');
    assert_eq!(first(Format::Compact, &presets::NATS_CORE), 0xC1);
    assert_eq!(first(Format::CompactText, &presets::NATS_CORE), b'~');
}

#[test]
fn the_strict_profile_has_no_other_format() {
    let mut config = Config::strict_nexus("real");
    config.format = Format::Compact;
    let refused = Machine::new(config, &presets::ROBLOX_MESSAGING, at(0));
    assert!(matches!(refused, Err(ConfigError::NotStrict("other format"))));
}

#[test]
fn twenty_four_changes_of_player_data_fit_into_a_request_counted_with_its_escapes() {
    let mut random = fastrand::Rng::with_seed(5);
    let mut stamp = 1_767_225_600_000_000_u64;
    let update = |number: usize| {
        stamp += random.u64(1..10_000);
        let (player, epoch, commit) =
            (random.u64(1_000_000_000..10_000_000_000), random.u64(..1 << 48), random.u8(..40));
        let change = match number % 4 {
            0 => format!("\"Coins\",0,{}", random.u32(..1_000_000)),
            1 => format!("\"Pet\",0,\"{}\"", ["Dragon", "Golden Fox", "Cat"][random.usize(..3)]),
            2 => format!("\"Position\",0,{{\"X\":{}.5,\"Y\":-{}.2}}", random.u8(..), random.u8(..)),
            _ => format!("\"Settings\",0,{{\"Music\":{},\"Sound\":true}}", random.bool()),
        };
        let topic = format!("nx/PlayerDataStore_PlayerData/PlayerList${player}");
        (
            topic,
            format!("[1,217687624937598,{epoch},[[{number},0,{commit},{stamp},[{change}]]]]").into_bytes(),
        )
    };
    let messages: Vec<_> = (1..=1_000).map(update).collect();
    let (sent, frames) = through(Format::CompactText, SizeLimit::json_encoded(1_024), &messages);
    assert_eq!(sent.len(), 1_000);
    let in_each = 1_000.0 / frames.len() as f64;
    assert!(in_each >= 24.0, "{in_each}");
}
