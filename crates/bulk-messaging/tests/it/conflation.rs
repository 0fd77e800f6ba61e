//! Messages that replace unsent ones.

use std::collections::BTreeMap;

use bulk_messaging::Budget;
use proptest::prelude::*;
use transport_traits::limits::SizeLimit;
use transport_traits::{Instant, Outgoing, Priority};

use crate::support::{SECOND, World, drain_outputs, formats, machine, parse, publishes};

/// A queue as a list, searched from the start: what the real one must agree with.
#[derive(Default)]
struct Model(Vec<(String, Option<String>, String)>);

impl Model {
    fn push(&mut self, topic: &str, key: Option<&str>, body: String) {
        let same = |entry: &&mut (String, Option<String>, String)| {
            entry.0 == topic && key.is_some() && entry.1.as_deref() == key
        };
        match self.0.iter_mut().find(same) {
            Some(entry) => entry.2 = body,
            None => self.0.push((topic.to_owned(), key.map(str::to_owned), body)),
        }
    }

    fn topic(&self, topic: &str) -> Vec<String> {
        self.0.iter().filter(|entry| entry.0 == topic).map(|entry| entry.2.clone()).collect()
    }
}

proptest! {
    /// weakness 23 (message-per-change)
    #[test]
    fn a_replacement_takes_the_place_of_what_it_replaces(
        pushes in prop::collection::vec((0usize..3, prop::option::of(0usize..5), 0usize..60), 1..150),
        format in formats(),
    ) {
        let topics = ["a", "b", "c"];
        let mut world = World::new(2, 1, SizeLimit::bytes(1_024), &topics, |config| {
            config.budget = Budget::Unlimited;
            config.format = format;
        });
        let mut model = Model::default();
        for (number, (topic, key, length)) in pushes.into_iter().enumerate() {
            let key = key.map(|key| format!("key{key}"));
            let body = format!("\"{number}{}\"", "x".repeat(length));
            model.push(topics[topic], key.as_deref(), body.clone());
            let mut message = Outgoing::new(topics[topic], body);
            message.conflation_key = key.map(Into::into);
            world.push(0, message, None).expect("room");
        }
        let stats = world.servers[0].machine.stats(world.now);
        prop_assert_eq!(stats.queued_messages, model.0.len() as u64);
        prop_assert_eq!(stats.queued_bytes, model.0.iter().map(|entry| entry.2.len() as u64).sum::<u64>());
        world.run(SECOND);
        for topic in topics {
            prop_assert_eq!(world.heard(1, topic), model.topic(topic));
        }
    }
}

#[test]
fn a_sealed_frame_never_changes() {
    let mut machine = machine(SizeLimit::bytes(1_024), |config| config.budget = Budget::Unlimited);
    let keyed = |body: &'static str| Outgoing::new("t", body).with_conflation_key("k");
    machine.push(Instant::ZERO, keyed("1"), None).expect("room");
    let first = publishes(&drain_outputs(&mut machine, Instant::ZERO));
    machine.push(Instant::ZERO, keyed("2"), None).expect("room");
    let second = publishes(&drain_outputs(&mut machine, Instant::ZERO));
    assert_eq!(parse(&first[0].1)["t"][0], 1);
    assert_eq!(parse(&second[0].1)["t"][0], 2);
}

#[test]
fn whoever_waits_for_a_replaced_message_learns_the_fate_of_its_replacement() {
    let mut world = World::pair(&["t"]);
    let keyed = |body: &'static str| Outgoing::new("t", body).with_conflation_key("k");
    world.push(0, keyed("1"), Some(7)).expect("room");
    world.push(0, keyed("2"), Some(8)).expect("room");
    world.run(SECOND);
    assert_eq!(world.servers[0].confirmed, BTreeMap::from([(7, Ok(())), (8, Ok(()))]));
    assert_eq!(world.heard(1, "t"), ["2"]);
}

#[test]
fn a_replacement_keeps_the_greater_urgency() {
    let mut machine = machine(SizeLimit::bytes(320), |config| config.budget = Budget::Unlimited);
    let long =
        |topic: &'static str, number: u8| Outgoing::new(topic, format!("\"{number}{}\"", "x".repeat(200)));
    machine.push(Instant::ZERO, long("normal", 0), None).expect("room");
    let urgent = long("keyed", 1).with_conflation_key("k").with_priority(Priority::Urgent);
    machine.push(Instant::ZERO, urgent, None).expect("room");
    machine.push(Instant::ZERO, long("keyed", 2).with_conflation_key("k"), None).expect("room");
    let frames = publishes(&drain_outputs(&mut machine, Instant::ZERO));
    assert!(parse(&frames[0].1).contains_key("keyed"));
}
