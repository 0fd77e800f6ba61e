//! Who receives what, and in which order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;

use bytes::Bytes;
use futures::executor::block_on;
use futures::{FutureExt, StreamExt};
use proptest::prelude::*;
use transport_memory::MemoryBus;
use transport_traits::{Delivery, PublisherExt};

use crate::support::{publish, read, subscribe};

#[test]
fn subscribers_share_the_senders_bytes() {
    let bus = MemoryBus::unlimited();
    let server = bus.join();
    let mut listener = subscribe(&server, "news");
    let body = Bytes::from(vec![b'x'; 100]);
    block_on(server.send("news", body.clone())).unwrap();
    let received = block_on(listener.next());
    assert!(matches!(received, Some(Delivery::Message(bytes)) if bytes.as_ptr() == body.as_ptr()));
}

#[test]
fn a_dropped_subscription_receives_nothing_more() {
    let bus = MemoryBus::unlimited();
    let server = bus.join();
    let mut kept = subscribe(&server, "news");
    let dropped = subscribe(&server, "news");
    publish(&server, "news", "1").unwrap();
    drop(dropped);
    publish(&server, "news", "2").unwrap();
    assert_eq!(read(&mut kept), ["1", "2"]);
    assert_eq!(bus.stats().total.delivered, 3);
}

#[test]
fn a_subscription_outlives_its_endpoint() {
    let bus = MemoryBus::unlimited();
    let gone = bus.join();
    let mut listener = subscribe(&gone, "news");
    drop(gone);
    publish(&bus.join(), "news", "hello").unwrap();
    assert_eq!(read(&mut listener), ["hello"]);
}

#[test]
fn a_waiting_reader_is_woken_by_a_message() {
    let bus = MemoryBus::unlimited();
    let server = bus.join();
    let mut listener = subscribe(&server, "news");
    let (waker, woken) = counting_waker();
    assert!(listener.next().poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(woken.load(Ordering::SeqCst), 0);
    publish(&server, "news", "1").unwrap();
    publish(&server, "news", "2").unwrap();
    assert_eq!(woken.load(Ordering::SeqCst), 1);
}

/// A waker, and how often it was used.
fn counting_waker() -> (Waker, Arc<AtomicUsize>) {
    struct Count(Arc<AtomicUsize>);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let count = Arc::default();
    (Arc::new(Count(Arc::clone(&count))).into(), count)
}

proptest! {
    #[test]
    fn messages_of_one_sender_arrive_in_order_however_servers_and_topics_take_turns(
        turns in prop::collection::vec((0..3_usize, 0..3_usize), 0..100),
    ) {
        let bus = MemoryBus::unlimited();
        let servers = [bus.join(), bus.join(), bus.join()];
        let mut listeners = ["a", "b", "c"].map(|topic| subscribe(&servers[0], topic));
        for (number, &(server, topic)) in turns.iter().enumerate() {
            publish(&servers[server], ["a", "b", "c"][topic], number.to_string()).unwrap();
        }
        for (topic, listener) in listeners.iter_mut().enumerate() {
            let numbers = turns.iter().enumerate().filter(|(_, turn)| turn.1 == topic);
            let expected: Vec<_> = numbers.map(|(number, _)| number.to_string()).collect();
            prop_assert_eq!(read(listener), expected);
        }
    }
}

#[test]
fn under_threads_everything_arrives_once_and_each_senders_messages_in_order() {
    const EACH: usize = 500;
    let bus = MemoryBus::unlimited();
    let mut listeners: Vec<_> = (0..4).map(|_| subscribe(&bus.join(), "news")).collect();
    thread::scope(|scope| {
        for sender in 0..4 {
            let server = bus.join();
            scope.spawn(move || {
                (0..EACH).for_each(|n| publish(&server, "news", format!("{sender} {n}")).unwrap());
            });
        }
    });
    for listener in &mut listeners {
        let received = read(listener);
        for sender in 0..4 {
            let prefix = format!("{sender} ");
            let of_sender = received.iter().filter_map(|text| text.strip_prefix(&prefix));
            assert!(of_sender.eq((0..EACH).map(|n| n.to_string())), "sender {sender}");
        }
        assert_eq!(received.len(), 4 * EACH);
    }
}

#[test]
fn readers_on_other_threads_miss_nothing_while_senders_send() {
    let bus = MemoryBus::unlimited();
    let server = bus.join();
    let mut listener = subscribe(&bus.join(), "news");
    thread::scope(|scope| {
        scope.spawn(|| (0..1_000).for_each(|n| publish(&server, "news", n.to_string()).unwrap()));
        let received = block_on(listener.by_ref().take(1_000).collect::<Vec<_>>());
        assert_eq!(received.last(), Some(&Delivery::Message("999".into())));
    });
}
