//! The queue of a subscription.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::executor::block_on;
use futures::stream::StreamExt;
use transport_adapter::{Queue, subscription};
use transport_traits::{Delivery, Subscription};

fn reader(queue: &Arc<Queue>) -> Subscription {
    subscription(queue.clone(), || ())
}

fn read(queue: &Arc<Queue>) -> Vec<Delivery> {
    queue.end();
    block_on(reader(queue).collect())
}

fn message(n: usize) -> Delivery {
    Delivery::Message(n.to_string().into())
}

#[test]
fn what_there_is_no_room_for_is_one_gap_in_its_place() {
    let queue = Arc::new(Queue::new(2));
    (0..5).for_each(|n| queue.push(n.to_string().into()));
    let begun = block_on(reader(&queue).take(2).collect::<Vec<_>>());
    assert_eq!(begun, [message(0), message(1)]);
    queue.push("5".into());
    assert_eq!(read(&queue), [Delivery::Gap, message(5)]);
}

#[test]
fn messages_wait_while_they_are_64_mib_in_all_and_a_longer_one_alone() {
    let queue = Arc::new(Queue::new(100));
    let bytes = |mib: usize| bytes::Bytes::from(vec![0; mib << 20]);
    // The fifth has no room; once the first is read the sixth has.
    (0..5).for_each(|_| queue.push(bytes(16)));
    let lengths = |count| {
        let read: Vec<_> = block_on(reader(&queue).take(count).collect());
        read.into_iter()
            .map(|delivery| match delivery {
                Delivery::Message(body) => body.len() >> 20,
                Delivery::Gap => 0,
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(lengths(1), [16]);
    queue.push(bytes(16));
    assert_eq!(lengths(5), [16, 16, 16, 0, 16]);
    queue.push(bytes(65));
    queue.push(bytes(1));
    assert_eq!(lengths(2), [65, 0]);
}

#[test]
fn losses_on_end_make_one_gap_and_losses_apart_two() {
    let queue = Arc::new(Queue::new(8));
    queue.lose();
    queue.lose();
    queue.push("0".into());
    queue.lose();
    assert_eq!(read(&queue), [Delivery::Gap, message(0), Delivery::Gap]);
}

#[test]
fn a_reader_that_waits_is_woken_by_messages_gaps_and_the_end() {
    type Wake = fn(&Queue);
    let push: Wake = |queue| queue.push("0".into());
    let wakes = [(push, Some(message(0))), (Queue::lose, Some(Delivery::Gap)), (Queue::end, None)];
    for (wake, expected) in wakes {
        let queue = Arc::new(Queue::new(1));
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| block_on(reader(&queue).next()));
            wake(&queue);
            reader.join().unwrap()
        });
        assert_eq!(read, expected);
    }
}

#[test]
fn a_subscription_leaves_once_when_it_is_dropped_and_not_before() {
    let left = Arc::new(AtomicUsize::new(0));
    let count = left.clone();
    let queue = Arc::new(Queue::new(1));
    let leave = move || {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let mut news = subscription(queue.clone(), leave);
    queue.end();
    assert_eq!(block_on(news.next()), None);
    assert_eq!(left.load(Ordering::Relaxed), 0, "the end is no leaving");
    drop(news);
    assert_eq!(left.load(Ordering::Relaxed), 1);
}
