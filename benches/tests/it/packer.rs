//! Ours as the benchmarks drive it.

use std::collections::BTreeMap;

use benches::Packer;
use benches::ours::{Ours, Reader};
use benches::tally::Tally;
use benches::wakeups::{self, Waited};
use benches::workloads::{player_sets, store_updates, strings};
use bytes::Bytes;
use transport_traits::limits::SizeLimit;

const REQUEST: SizeLimit = SizeLimit::bytes(1_024);

#[test]
fn what_is_packed_is_read_again_in_order_and_within_the_limit() {
    for sent in [player_sets(1, 300), strings(1, 300, 200..=700, 4)] {
        let mut frames = Vec::new();
        let mut packer = Ours::new(REQUEST, Ours::BACKLOG);
        let mut sealed = |frame: &[u8]| frames.push(Bytes::copy_from_slice(frame));
        sent.iter().for_each(|message| packer.push(message, &mut sealed));
        packer.finish(&mut sealed);
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
fn updates_of_the_store_are_messages_of_a_topic_each() {
    let sent = store_updates(1, 100);
    let (mut packer, mut topics) = (Ours::new(REQUEST, 0), BTreeMap::new());
    let mut sealed = |frame: &[u8]| {
        let frame: BTreeMap<String, Vec<serde_json::Value>> = serde_json::from_slice(frame).unwrap();
        topics.extend(frame.into_iter().filter(|(topic, _)| topic != "~"));
    };
    sent.iter().for_each(|update| packer.push_update(update, &mut sealed));
    packer.finish(&mut sealed);
    let bodies = sent.iter().map(|update| serde_json::from_slice(&update.body).unwrap());
    let expected = sent.iter().map(|update| update.topic.to_string()).zip(bodies.map(|body| vec![body]));
    assert_eq!(topics, expected.collect());
}

#[test]
fn while_the_budget_allows_a_message_waits_for_one_wake_up_and_no_timer() {
    assert_eq!(wakeups::while_the_budget_allows(), Some(Waited { wakeups: 1, timers: 0 }));
}
