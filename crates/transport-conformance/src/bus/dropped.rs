//! Calls that are dropped halfway.

use std::future::ready;

use transport_traits::PublisherExt;

use super::{Buses, read_until, send};
use crate::support::halfway;

const ROUNDS: usize = 50;

pub(super) async fn a_message_whose_call_was_dropped_comes_once_or_never_and_in_order(buses: &Buses) {
    let mut listener = buses.listen("news").await;
    for n in 0..ROUNDS {
        let dropped = buses.here.send("news", format!("{n} dropped"));
        let other = send(&*buses.there, "weather", "x");
        if n % 2 == 0 {
            halfway(dropped, ready(())).await
        } else {
            halfway(dropped, other).await
        }
        buses.send("news", format!("{n} kept")).await;
    }
    buses.send("news", "end").await;
    let mut received = read_until(&mut listener, "end").await.into_iter().peekable();
    for n in 0..ROUNDS {
        let _came = received.next_if_eq(&format!("{n} dropped"));
        assert_eq!(received.next(), Some(format!("{n} kept")));
    }
    assert_eq!(received.next(), None);
}

pub(super) async fn a_subscribing_call_that_was_dropped_takes_no_other_with_it(buses: &Buses) {
    let mut kept = buses.listen("news").await;
    for n in 0..ROUNDS {
        let other = format!("topic {n}");
        for topic in ["news", &other] {
            let dropped = buses.there.subscribe(topic.into());
            let meanwhile = send(&*buses.here, "weather", "x");
            if n % 2 == 0 { halfway(dropped, ready(())).await } else { halfway(dropped, meanwhile).await }
        }
        let mut later = buses.listen(&other).await;
        for (topic, listener) in [("news", &mut kept), (&other, &mut later)] {
            buses.send(topic, "once").await;
            buses.send(topic, n.to_string()).await;
            assert_eq!(read_until(listener, &n.to_string()).await, ["once"]);
        }
    }
}
