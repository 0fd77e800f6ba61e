//! Every way delivers each body once and in order, and one that does not is found out.

use std::sync::Arc;

use benches_backends::ledger::{Faults, body};
use benches_backends::{Heard, Sender, Sides, Way, late, nats, postgres, redis};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use test_servers::{Nats, Postgres, Redis};

/// More than one frame of ours and than one pipeline of the peer's.
const COUNT: usize = 2_500;

/// Of the ways between the same sides the first is ours.
fn check<const N: usize>(mut ways: [Way; N]) {
    for round in 0..2 {
        for (at, way) in ways.iter_mut().enumerate() {
            assert_eq!(way.deliver(COUNT), Faults::default(), "way {at}, round {round}");
        }
    }
    let [ours, peer, ..] = &mut ways[..] else { panic!("ours and a peer") };
    assert!(late::medians([ours, peer], 3).iter().all(|&late| late > 0.0));
    ways.iter_mut().for_each(|way| assert_eq!(way.deliver(1), Faults::default()));
}

#[test]
fn the_ways_over_redis_deliver_each_body_once_and_in_order() {
    let test = "ways::the_ways_over_redis_deliver_each_body_once_and_in_order";
    let Some(server) = Redis::start(test, &[]) else { return };
    let (sides, url) = (Arc::default(), server.url());
    check([
        redis::ours(&sides, &url),
        redis::multiplexed(&sides, &url, 64),
        redis::pipelines(&sides, &url, 100),
    ]);
}

#[test]
fn the_ways_over_nats_deliver_each_body_once_and_in_order() {
    let test = "ways::the_ways_over_nats_deliver_each_body_once_and_in_order";
    let Some(server) = Nats::start(test, "") else { return };
    let (sides, url) = (Arc::default(), server.url());
    check([nats::ours(&sides, &url), nats::plain(&sides, &url)]);
}

#[test]
fn the_ways_over_postgres_deliver_each_body_once_and_in_order() {
    let test = "ways::the_ways_over_postgres_deliver_each_body_once_and_in_order";
    let Some(server) = Postgres::shared(test) else { return };
    let (sides, url) = (Arc::default(), server.url("postgres"));
    check([
        postgres::ours(&sides, &url),
        postgres::plain(&sides, &url, 1),
        postgres::plain(&sides, &url, 64),
    ]);
}

/// Sends nothing anywhere.
struct Nowhere;

impl Sender for Nowhere {
    fn send(&self, bodies: Box<dyn Iterator<Item = Bytes> + Send>) -> BoxFuture<'_, ()> {
        drop(bodies);
        async {}.boxed()
    }
}

/// A way on which these numbers come, whatever is sent, and nothing after them.
fn way_of(came: &'static [u64]) -> Way {
    way_between(&Arc::default(), came)
}

fn way_between(sides: &Arc<Sides>, came: &'static [u64]) -> Way {
    let heard: Heard = stream::iter(came.iter().map(|&number| body(number))).boxed();
    Way::new(sides, Nowhere, heard)
}

#[test]
fn a_way_that_loses_doubles_or_swaps_bodies_is_found_out() {
    let fine = Faults::default();
    assert_eq!(way_of(&[0, 1, 2]).deliver(3), fine);
    assert_eq!(way_of(&[0, 2]).deliver(3), Faults { lost: 1, ..fine });
    assert_eq!(way_of(&[0, 0, 1, 2]).deliver(3), Faults { doubled: 1, ..fine });
    assert_eq!(way_of(&[1, 0, 2]).deliver(3), Faults { late: 1, ..fine });
}

#[test]
fn what_came_too_much_is_a_fault_of_the_next_round() {
    let mut way = way_of(&[0, 1, 1, 2]);
    assert_eq!(way.deliver(2), Faults::default());
    assert_eq!(way.deliver(1), Faults { foreign: 1, ..Faults::default() });
}

#[test]
#[should_panic(expected = "every message comes")]
fn a_lost_message_is_not_late_but_a_failure() {
    let sides = Arc::default();
    late::medians([&mut way_between(&sides, &[1]), &mut way_between(&sides, &[])], 1);
}
