//! Flushing, and the end.

use bulk_messaging::machine::{Input, Output};
use bulk_messaging::{Budget, Refusal};
use transport_traits::limits::SizeLimit;
use transport_traits::{ErrorKind, Outgoing, Priority};

use crate::support::{SECOND, World, drain_outputs, publishes};

fn scarce() -> World {
    World::new(2, 1, SizeLimit::bytes(1_024), &["t"], |config| {
        config.budget = Budget::AtMost { publishes: 60, window: 60 * SECOND };
    })
}

/// Uses up all but one token: the linger is long then.
fn use_budget(world: &mut World) {
    for number in 0..100 {
        if world.servers[0].machine.stats(world.now).tokens == Some(1) {
            return;
        }
        world
            .push(0, Outgoing::new("other", number.to_string()).with_priority(Priority::Urgent), None)
            .expect("room");
        world.settle();
        world.run(SECOND / 1_000);
    }
    panic!("the budget does not shrink");
}

#[test]
fn flush_ignores_the_linger_and_ends_when_the_bus_has_accepted_all() {
    let mut world = scarce();
    use_budget(&mut world);
    world.faults.publish = SECOND / 10;
    world.say(0, "t", 1);
    world.settle();
    assert_eq!(world.servers[0].machine.stats(world.now).queued_messages, 1, "it lingers");
    world.handle(0, Input::Flush(5));
    world.settle();
    assert_eq!(world.servers[0].machine.stats(world.now).queued_messages, 0);
    assert!(world.servers[0].flushed.is_empty());
    world.run(SECOND);
    assert_eq!(world.servers[0].flushed, [5]);
}

#[test]
fn flush_does_not_wait_for_what_comes_later_and_ends_at_once_with_nothing_queued() {
    let mut world = World::pair(&["t"]);
    world.handle(0, Input::Flush(1));
    world.settle();
    assert_eq!(world.servers[0].flushed, [1]);
    world.say(0, "t", 1);
    world.handle(0, Input::Flush(2));
    world.run(SECOND / 10);
    assert_eq!(world.servers[0].flushed, [1, 2]);
    let machine = &mut world.servers[0].machine;
    machine.push(world.now, Outgoing::new("t", "2"), None).expect("room");
    let (first, _) = publishes(&drain_outputs(machine, world.now)).remove(0);
    machine.handle(world.now, Input::Flush(3));
    machine.push(world.now, Outgoing::new("t", "3"), None).expect("room");
    assert_eq!(publishes(&drain_outputs(machine, world.now)).len(), 1);
    machine.handle(world.now, Input::Published { id: first, result: Ok(()) });
    assert_eq!(drain_outputs(machine, world.now), [Output::Flushed(3)]);
}

#[test]
fn a_withdrawn_flush_does_not_end_and_others_do() {
    for withdrawn in [[1, 2], [2, 1], [1, 3]] {
        let mut world = World::pair(&["t"]);
        world.faults.publish = SECOND / 10;
        world.say(0, "t", 1);
        (1..5).for_each(|flush| world.handle(0, Input::Flush(flush)));
        world.settle();
        withdrawn.into_iter().for_each(|flush| world.handle(0, Input::Withdraw(flush)));
        world.run(SECOND);
        let others: Vec<u64> = (1..5).filter(|flush| !withdrawn.contains(flush)).collect();
        assert_eq!(world.servers[0].flushed, others);
        world.handle(0, Input::Withdraw(4));
    }
}

#[test]
fn a_withdrawn_flush_leaves_the_linger_on() {
    let mut world = scarce();
    use_budget(&mut world);
    world.say(0, "t", 1);
    world.handle(0, Input::Flush(1));
    world.handle(0, Input::Withdraw(1));
    world.settle();
    assert_eq!(world.servers[0].machine.stats(world.now).queued_messages, 1);
}

#[test]
fn drain_sends_everything_and_then_refuses() {
    let mut world = scarce();
    use_budget(&mut world);
    for number in 0..200 {
        world.say(0, "t", number);
    }
    world.handle(0, Input::Drain);
    assert_eq!(world.push(0, Outgoing::new("t", "1"), None), Err(Refusal::Closed));
    world.run(5 * SECOND);
    assert_eq!(world.servers[0].drained, Some(Vec::new()));
    assert_eq!(world.heard(1, "t").len(), 200);
}

/// weakness 9 (crash-loses-unflushed)
#[test]
fn drain_gives_back_what_could_not_be_sent_in_order() {
    let mut world = World::pair(&["a", "b"]);
    world.faults.fail = 1.0;
    let mut expected = Vec::new();
    for number in 0..2_000 {
        let topic = ["a", "b"][number % 2];
        let message = Outgoing::new(topic, number.to_string())
            .with_priority([Priority::Background, Priority::Urgent][number % 2])
            .with_conflation_key(format!("key{number}"));
        world.push(0, message.clone(), Some(number as u64)).expect("room");
        expected.push(message);
    }
    world.handle(0, Input::Drain);
    world.run(9 * SECOND);
    assert_eq!(world.servers[0].drained, None, "it still tries");
    world.run(2 * SECOND);
    assert_eq!(world.servers[0].drained, Some(expected));
    let confirmed = &world.servers[0].confirmed;
    assert_eq!(confirmed.len(), 2_000);
    assert!(confirmed.values().all(|result| matches!(result, Err(ErrorKind::Closed | ErrorKind::Unknown))));
    assert_eq!(confirmed[&1_998], Err(ErrorKind::Closed), "it was never sent");
    assert_eq!(confirmed[&1], Err(ErrorKind::Unknown), "its publish was under way");
}

#[test]
fn what_the_bus_refuses_during_the_drain_is_given_back_too() {
    let mut world = World::pair(&["t"]);
    world.say(0, "t", 1);
    world.handle(0, Input::Drain);
    let server = &mut world.servers[0];
    let outputs = drain_outputs(&mut server.machine, world.now);
    let (id, _) = publishes(&outputs).remove(0);
    server.machine.handle(world.now, Input::Published { id, result: Err(ErrorKind::Closed) });
    world.settle();
    assert_eq!(world.servers[0].drained, Some(vec![Outgoing::new("t", "1")]));
}
