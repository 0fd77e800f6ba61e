//! Ours as the benchmarks drive it.

use std::collections::BTreeMap;

use benches::models::Original;
use benches::ours::{Ours, Reader};
use benches::tally::{Tally, frames, pack, per_full_frame};
use benches::wakeups::{self, Waited};
use benches::workloads::{Message, player_sets, store_updates, strings};
use transport_traits::limits::SizeLimit;

const REQUEST: SizeLimit = SizeLimit::bytes(1_024);

#[test]
fn what_is_packed_is_read_again_in_order_and_within_the_limit() {
    for sent in [player_sets(1, 300), strings(1, 300, 200..=700, 4)] {
        let frames = frames(&mut Ours::new(REQUEST, Ours::BACKLOG), &sent);
        assert!(frames.iter().all(|frame| frame.len() <= 1_024));
        for topic in sent.iter().map(|message| &message.topic) {
            let mut reader = Reader::new(REQUEST, [topic]);
            let mut arrived: Vec<String> = Vec::new();
            let mut delivered = |message: &[u8]| arrived.push(serde_json::from_slice(message).unwrap());
            frames.iter().for_each(|frame| reader.read(frame, &mut delivered));
            let expected = sent.iter().filter(|message| message.topic == *topic);
            assert_eq!(arrived, expected.map(|message| message.text.clone()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_tally_counts_as_the_bus_does() {
    let sent = player_sets(1, 300);
    let limit = SizeLimit::json_encoded(1_024);
    let tally = Tally::of(&mut Ours::new(limit, Ours::BACKLOG), &sent, limit);
    assert!(tally.largest <= 1_024 && tally.fill(1_024) > 0.8, "{tally:?}");
}

#[test]
fn what_is_left_at_the_end_makes_no_full_frame() {
    // Frames of two, one, three, and one that is not full.
    let text = |len: usize| Message { topic: "T".into(), text: "x".repeat(len) };
    let sent = [text(300), text(300), text(700), text(300), text(300), text(10), text(700)];
    assert_eq!(frames(&mut Original::new(Original::LIMIT), &sent).len(), 4);
    assert_eq!(per_full_frame(&mut Original::new(Original::LIMIT), &sent), 2.0);
}

#[test]
fn updates_of_the_store_are_messages_of_a_topic_each() {
    let sent = store_updates(1, 100);
    let mut topics = BTreeMap::new();
    pack(&mut Ours::new(REQUEST, 0), &sent, &mut |frame| {
        let frame: BTreeMap<String, Vec<serde_json::Value>> = serde_json::from_slice(frame).unwrap();
        topics.extend(frame.into_iter().filter(|(topic, _)| topic != "~"));
    });
    let bodies = sent.iter().map(|update| serde_json::from_slice(&update.body).unwrap());
    let expected = sent.iter().map(|update| update.topic.to_string()).zip(bodies.map(|body| vec![body]));
    assert_eq!(topics, expected.collect());
}

#[test]
fn while_the_budget_allows_a_message_waits_for_one_wake_up_and_no_timer() {
    assert_eq!(wakeups::while_the_budget_allows(), Some(Waited { wakeups: 1, timers: 0 }));
}
