//! Who is polled, when, and until when.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::channel::mpsc;
use futures::{FutureExt, StreamExt, stream};
use transport_traits::Delivery;

use super::Subscriptions;
use crate::machine::{Input, RecordId};

fn id_of(input: &Input) -> u64 {
    match input {
        Input::Received(id, _) | Input::Gap(id) | Input::SubscriptionEnded(id) => id.0,
        other => panic!("no subscription says {other:?}"),
    }
}

fn next(subscriptions: &mut Subscriptions) -> Option<Input> {
    subscriptions.next().now_or_never().flatten()
}

#[test]
fn only_what_has_something_to_say_is_polled() {
    let (mut subscriptions, polls) = (Subscriptions::default(), Arc::new(AtomicUsize::new(0)));
    let mut senders = Vec::new();
    for number in 0..100 {
        let (sender, receiver) = mpsc::unbounded();
        let (mut receiver, polls) = (receiver, Arc::clone(&polls));
        let counted = stream::poll_fn(move |cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            receiver.poll_next_unpin(cx)
        });
        subscriptions.begin(RecordId(number), counted.boxed());
        senders.push(sender);
    }
    assert!(next(&mut subscriptions).is_none());
    assert_eq!(polls.swap(0, Ordering::Relaxed), 100, "each once at first");
    senders[42].unbounded_send(Delivery::Message(Bytes::from_static(b"a"))).unwrap();
    senders[42].unbounded_send(Delivery::Gap).unwrap();
    assert!(matches!(next(&mut subscriptions), Some(Input::Received(RecordId(42), _))));
    assert!(matches!(next(&mut subscriptions), Some(Input::Gap(RecordId(42)))));
    assert!(next(&mut subscriptions).is_none());
    assert_eq!(polls.load(Ordering::Relaxed), 3);
    drop(senders.remove(7));
    assert!(matches!(next(&mut subscriptions), Some(Input::SubscriptionEnded(RecordId(7)))));
    assert!(next(&mut subscriptions).is_none(), "and that is said once");
}

#[test]
fn the_task_that_waits_is_woken() {
    let mut subscriptions = Subscriptions::default();
    let (sender, receiver) = mpsc::unbounded();
    subscriptions.begin(RecordId(1), receiver.boxed());
    let speaker = std::thread::spawn(move || {
        (0..1_000).for_each(|_| sender.unbounded_send(Delivery::Gap).unwrap());
    });
    let heard = futures::executor::block_on(async {
        let mut heard = 0;
        while !matches!(subscriptions.next().await, Some(Input::SubscriptionEnded(_))) {
            heard += 1;
        }
        heard
    });
    speaker.join().unwrap();
    assert_eq!(heard, 1_000);
}

#[test]
fn one_that_never_stops_talking_lets_the_others_speak() {
    let mut subscriptions = Subscriptions::default();
    for number in 0..3 {
        subscriptions.begin(RecordId(number), stream::repeat(Delivery::Gap).boxed());
    }
    let heard: Vec<u64> =
        (0..9).filter_map(|_| next(&mut subscriptions)).map(|input| id_of(&input)).collect();
    assert_eq!(heard, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
}

#[test]
fn a_subscription_is_dropped_with_its_record_and_when_another_takes_its_place() {
    let (mut subscriptions, held) = (Subscriptions::default(), Arc::new(()));
    let stream = |held: Arc<()>| {
        stream::pending().chain(stream::once(async move {
            drop(held);
            Delivery::Gap
        }))
    };
    subscriptions.begin(RecordId(1), stream(Arc::clone(&held)).boxed());
    assert!(next(&mut subscriptions).is_none());
    subscriptions.begin(RecordId(1), stream(Arc::clone(&held)).boxed());
    assert_eq!(Arc::strong_count(&held), 2, "the first is gone");
    subscriptions.end(RecordId(1));
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(next(&mut subscriptions).is_none());
}
