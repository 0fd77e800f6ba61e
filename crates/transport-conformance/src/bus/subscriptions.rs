//! Beginnings, ends and interruptions of subscriptions.

use std::cell::Cell;

use futures::future::join;
use transport_traits::{Delivery, Subscription};

use super::{Buses, next, read, read_until};
use crate::support::give_way;

pub(super) async fn a_subscription_is_in_place_when_the_call_returns(buses: &Buses) {
    for n in 0..50 {
        let topic = format!("topic {n}");
        let mut listener = buses.listen(&topic).await;
        buses.send(&topic, "at once").await;
        assert_eq!(read(&mut listener).await, "at once");
    }
}

pub(super) async fn a_dropped_subscription_takes_no_other_with_it(buses: &Buses) {
    let first = buses.listen("news").await;
    let mut kept = buses.listen("news").await;
    let last = buses.listen("news").await;
    for (dropped, message) in [(first, "1"), (last, "2")] {
        drop(dropped);
        buses.send("news", message).await;
    }
    buses.send("news", "end").await;
    assert_eq!(read_until(&mut kept, "end").await, ["1", "2"]);
}

pub(super) async fn a_topic_can_be_subscribed_to_again_and_again(buses: &Buses) {
    for n in 0..50 {
        let mut listener = buses.listen("news").await;
        let message = n.to_string();
        buses.send("news", message.clone()).await;
        // A message from before may still be under way to the topic.
        while read(&mut listener).await != message {}
    }
}

pub(super) async fn a_broken_connection_shows_as_a_gap_and_heals(buses: &Buses) {
    let Some(cut) = &buses.cut else { return };
    let mut listeners = [buses.listen("news").await, buses.listen("weather").await];
    buses.send("news", "before").await;
    assert_eq!(read(&mut listeners[0]).await, "before");
    cut().await;
    for (topic, listener) in ["news", "weather"].into_iter().zip(&mut listeners) {
        assert_eq!(next(listener).await, Delivery::Gap, "{topic}");
        // The gap comes after the subscription is whole again.
        buses.send(topic, "after").await;
        assert_eq!(next(listener).await, Delivery::Message("after".into()), "{topic}");
    }
}

/// So many numbers are sent before the connection breaks, and at most so many until the break has shown.
const NUMBERS: [u32; 2] = [100, 100_000];

pub(super) async fn nothing_is_missing_without_a_gap_in_its_place(buses: &Buses) {
    let Some(cut) = &buses.cut else { return };
    let mut listener = buses.listen("numbers").await;
    let [before, most] = NUMBERS;
    let is_over = Cell::new(false);
    let speak = async {
        for n in 1..most {
            if n == before {
                cut().await;
            }
            buses.send("numbers", n.to_string()).await;
            give_way().await;
            if is_over.get() {
                return;
            }
        }
        panic!("no gap in {most} messages, although the connection broke");
    };
    let hear = async {
        hear_numbers(&mut listener).await;
        is_over.set(true);
    };
    join(speak, hear).await;
}

/// Reads until a gap was seen and the numbers went on after it. They rise by one but where there is a gap.
async fn hear_numbers(listener: &mut Subscription) {
    let (mut last, mut gaps, mut may_be_missing) = (0, 0, false);
    while gaps == 0 || may_be_missing || last < 2 * NUMBERS[0] {
        match next(listener).await {
            Delivery::Gap => (gaps, may_be_missing) = (gaps + 1, true),
            Delivery::Message(body) => {
                let number = std::str::from_utf8(&body).ok().and_then(|text| text.parse().ok());
                let number: u32 = number.unwrap_or_else(|| panic!("{body:?} was never sent"));
                let follows = number == last + 1 || (may_be_missing && number > last);
                assert!(follows, "{number} comes after {last}, and no gap between");
                (last, may_be_missing) = (number, false);
            }
        }
    }
}
