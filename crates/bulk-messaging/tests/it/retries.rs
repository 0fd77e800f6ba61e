//! Publishes that fail.

use bulk_messaging::Budget;
use bulk_messaging::machine::{Input, Machine, Output, PublishId};
use bytes::Bytes;
use transport_traits::limits::SizeLimit;
use transport_traits::{ErrorKind, Instant, Outgoing, Topic};

use crate::support::{Item, SECOND, World, at, drain_outputs, machine, publishes};

fn unlimited() -> Machine {
    machine(SizeLimit::bytes(1_024), |config| config.budget = Budget::Unlimited)
}

/// Fails the publish `id` now and returns when it is repeated, with what; whatever else is published until then succeeds.
fn fail(machine: &mut Machine, now: Instant, id: PublishId) -> (Instant, Bytes) {
    machine.handle(now, Input::Published { id, result: Err(ErrorKind::Unavailable) });
    let mut now = now;
    loop {
        for (other, frame) in publishes(&drain_outputs(machine, now)) {
            if other == id {
                return (now, frame);
            }
            machine.handle(now, Input::Published { id: other, result: Ok(()) });
        }
        now = machine.next_wakeup().expect("a repetition is due");
    }
}

#[test]
fn a_failed_publish_is_repeated_with_the_same_bytes_at_growing_jittered_intervals() {
    let mut machine = unlimited();
    machine.push(at(0), Outgoing::new("t", "1"), None).expect("room");
    let (id, frame) = publishes(&drain_outputs(&mut machine, at(0))).remove(0);
    let mut now = at(0);
    for most in [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000] {
        let (next, repeated) = fail(&mut machine, now, id);
        let waited = next.since(now).as_millis();
        assert!(waited <= most && waited >= most / 2, "{waited} of {most}");
        assert_eq!(repeated, frame);
        now = next;
    }
    assert_eq!(machine.stats(now).retried, 8);
}

/// Heartbeats of 30 s waited behind a frame that had failed eight times by chance, while others passed.
#[test]
fn a_frame_that_fails_often_is_repeated_soon_where_the_bus_takes_others() {
    let mut machine = machine(SizeLimit::bytes(1_024), |config| {
        (config.budget, config.lanes, config.max_in_flight) = (Budget::Unlimited, 2, 2);
    });
    let [stuck, other] = topics_of_two_lanes(&mut machine);
    machine.push(at(0), Outgoing::new(stuck, "1"), None).expect("room");
    let (id, _) = publishes(&drain_outputs(&mut machine, at(0))).remove(0);
    let mut now = at(0);
    for _ in 0..12 {
        machine.push(now, Outgoing::new(other.clone(), "2"), None).expect("room");
        let (next, _) = fail(&mut machine, now, id);
        assert!(next.since(now) <= 2 * SECOND, "{:?}", next.since(now));
        now = next;
    }
    // Once all fail, it waits as long as ever.
    let waits = (0..6).map(|_| {
        let (next, _) = fail(&mut machine, now, id);
        next.since(std::mem::replace(&mut now, next))
    });
    assert!(waits.last().is_some_and(|wait| wait >= 4 * SECOND));
}

/// An inner topic on each lane.
fn topics_of_two_lanes(machine: &mut Machine) -> [Topic; 2] {
    let lane = |machine: &mut Machine, topic: &Topic| {
        machine.push(at(0), Outgoing::new(topic.clone(), "0"), None).expect("room");
        let Some(Output::Publish { id, topic, .. }) = machine.poll(at(0)) else {
            panic!("nothing is published")
        };
        machine.handle(at(0), Input::Published { id, result: Ok(()) });
        topic
    };
    let mut topics = (0..).map(|number| Topic::from(format!("t{number}")));
    let first = topics.next().expect("endless");
    let of_first = lane(machine, &first);
    let second = topics.find(|topic| lane(machine, topic) != of_first).expect("topics spread over lanes");
    [first, second]
}

#[test]
fn a_frame_that_the_bus_takes_only_after_receivers_gave_it_up_is_a_gap() {
    let mut world = World::pair(&["t"]);
    world.say(0, "t", 0);
    let failing = publishes(&drain_outputs(&mut world.servers[0].machine, world.now)).remove(0).0;
    let fail = |world: &mut World| {
        world.handle(0, Input::Published { id: failing, result: Err(ErrorKind::Unavailable) });
    };
    fail(&mut world);
    world.say(0, "t", 1);
    for _ in 0..40 {
        // Its repetitions fail, and whatever else there is gets through.
        let now = world.now;
        for (id, frame) in publishes(&drain_outputs(&mut world.servers[0].machine, now)) {
            if id == failing {
                fail(&mut world);
            } else {
                world.handle(0, Input::Published { id, result: Ok(()) });
                world.handle(1, Input::Received(frame));
            }
        }
        world.now = now + SECOND;
        world.settle_of(1);
    }
    assert_eq!(world.servers[1].received, [Item::Gap, Item::Message("t".into(), "1".into())]);
    world.run(20 * SECOND);
    assert_eq!((world.heard(1, "t"), world.gaps(1)), (vec!["1".to_owned()], 1));
    assert_eq!(world.servers[0].machine.stats(world.now).messages, 2, "the bus has taken both");
}

#[test]
fn an_unknown_outcome_is_repeated_and_receivers_drop_the_double() {
    let mut world = World::pair(&["t"]);
    world.faults.unknown = 1.0;
    world.say(0, "t", 0);
    world.run(60 * SECOND);
    world.faults.unknown = 0.0;
    world.run(20 * SECOND);
    assert_eq!(world.heard(1, "t"), ["0"]);
    assert!(world.servers[1].machine.stats(world.now).duplicates > 0);
}

#[test]
fn what_the_bus_refuses_for_good_is_reported_and_leaves_a_gap() {
    let mut world = World::pair(&["t"]);
    world.push(0, Outgoing::new("t", "1"), Some(9)).expect("room");
    let server = &mut world.servers[0];
    let (id, _) = publishes(&drain_outputs(&mut server.machine, at(0))).remove(0);
    server.machine.handle(at(0), Input::Published { id, result: Err(ErrorKind::Denied) });
    let outputs = drain_outputs(&mut server.machine, at(0));
    assert!(outputs.contains(&Output::Refused { messages: 1, kind: ErrorKind::Denied }));
    assert!(outputs.contains(&Output::Confirmed { ids: vec![9], result: Err(ErrorKind::Denied) }));
    assert_eq!(server.machine.stats(at(0)).refused, 1);
    world.say(0, "t", 2);
    world.run(SECOND);
    assert_eq!(world.heard(1, "t"), ["2"]);
    assert_eq!(world.gaps(1), 1);
}

#[test]
fn the_sequence_goes_no_further_than_allowed_beyond_a_frame_that_keeps_failing() {
    let mut machine = machine(SizeLimit::bytes(1_024), |config| {
        config.budget = Budget::Unlimited;
        config.max_in_flight = 3;
    });
    let mut frames = Vec::new();
    for number in 0..10 {
        machine.push(at(0), Outgoing::new("t", number.to_string()), None).expect("room");
        for (id, frame) in publishes(&drain_outputs(&mut machine, at(0))) {
            // The first one fails, the others succeed.
            let result = if frames.is_empty() { Err(ErrorKind::Unavailable) } else { Ok(()) };
            machine.handle(at(0), Input::Published { id, result });
            frames.push(frame);
        }
    }
    assert_eq!(frames.len(), 3);
    assert_eq!(
        frames.iter().map(|frame| crate::support::header(frame)).collect::<Vec<_>>(),
        ["1me...1", "1me...2.1", "1me...3.2"]
    );
}

#[test]
fn the_end_of_a_publish_that_is_not_under_way_changes_nothing() {
    let mut machine = unlimited();
    machine.push(at(0), Outgoing::new("t", "1"), Some(1)).expect("room");
    let (id, _) = publishes(&drain_outputs(&mut machine, at(0))).remove(0);
    machine.handle(at(0), Input::Published { id, result: Err(ErrorKind::Unavailable) });
    machine.handle(at(0), Input::Published { id, result: Ok(()) });
    machine.handle(at(0), Input::Published { id, result: Err(ErrorKind::Denied) });
    assert_eq!(drain_outputs(&mut machine, at(0)), []);
    assert_eq!(machine.stats(at(0)).in_flight, 1);
}
