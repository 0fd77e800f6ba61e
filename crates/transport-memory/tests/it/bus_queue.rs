//! Slow subscribers: bounded queues, and a gap where messages are missing.

use proptest::prelude::*;
use transport_memory::MemoryBus;
use transport_traits::Subscription;

use crate::support::{publish, read, subscribe};
use futures::{FutureExt, StreamExt};

#[test]
fn what_comes_while_the_queue_is_full_is_one_gap_between_before_and_after() {
    let bus = MemoryBus::unlimited().with_queue_capacity(2);
    let server = bus.join();
    let mut listener = subscribe(&server, "news");
    let send = |names: &[&str]| names.iter().for_each(|name| publish(&server, "news", name).unwrap());

    send(&["1", "2", "3", "4"]);
    assert_eq!(read(&mut listener), ["1", "2", "GAP"]);
    send(&["5"]);
    assert_eq!(read(&mut listener), ["5"]);
    assert_eq!(bus.stats().total.overflowed, 2);
}

#[test]
fn a_slow_subscriber_takes_nothing_from_a_fast_one() {
    let bus = MemoryBus::unlimited();
    let (slow, fast) = (bus.clone().with_queue_capacity(1).join(), bus.join());
    let (mut lags, mut reads) = (subscribe(&slow, "news"), subscribe(&fast, "news"));
    (0..3).for_each(|n| publish(&fast, "news", n.to_string()).unwrap());
    assert_eq!(read(&mut lags), ["0", "GAP"]);
    assert_eq!(read(&mut reads), ["0", "1", "2"]);
}

#[test]
#[should_panic(expected = "a queue holds something")]
fn a_queue_of_nothing_is_refused() {
    let _ = MemoryBus::unlimited().with_queue_capacity(0);
}

/// Reads at most `count` deliveries: numbers, or `None` for a gap.
fn read_some(listener: &mut Subscription, count: usize) -> Vec<Option<u64>> {
    std::iter::from_fn(|| listener.next().now_or_never().flatten())
        .take(count)
        .map(|delivery| crate::support::text(&delivery).parse().ok())
        .collect()
}

proptest! {
    /// Each step publishes some numbers and reads some deliveries.
    #[test]
    fn a_gap_stands_exactly_where_numbers_are_missing_and_the_queue_stays_bounded(
        capacity in 1..6_usize,
        steps in prop::collection::vec((0..8_u64, 0..8_usize), 1..40),
    ) {
        let bus = MemoryBus::unlimited().with_queue_capacity(capacity);
        let server = bus.join();
        let mut listener = subscribe(&server, "news");
        let mut sent = 0;
        let mut received = Vec::new();
        for (publishes, reads) in steps {
            for _ in 0..publishes {
                publish(&server, "news", sent.to_string()).unwrap();
                sent += 1;
            }
            received.extend(read_some(&mut listener, reads));
        }
        let rest = read_some(&mut listener, usize::MAX);
        prop_assert!(rest.len() <= capacity + 1);
        received.extend(rest);

        let numbers = received.iter().flatten().count() as u64;
        prop_assert_eq!(bus.stats().total.overflowed, sent - numbers);
        // The end of what was sent closes the last gap.
        received.push(Some(sent));
        let mut next = 0;
        let mut gap = false;
        for delivery in received {
            match delivery {
                None => prop_assert!(!std::mem::replace(&mut gap, true), "two gaps in a row"),
                Some(number) => {
                    prop_assert_eq!(std::mem::take(&mut gap), number > next, "before {}", number);
                    prop_assert!(number >= next);
                    next = number + 1;
                }
            }
        }
    }
}
