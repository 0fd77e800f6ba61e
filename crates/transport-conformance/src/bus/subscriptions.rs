//! Beginnings, ends and interruptions of subscriptions.

use transport_traits::Delivery;

use super::{Buses, next, read, read_until};

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
