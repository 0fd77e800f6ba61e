//! Servers that die, stall and cut, under a bus.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use futures::future::try_join_all;
use test_servers::{Nats, Proxy, Upstream, measured, recovered};
use transport_nats::{NatsBus, Options};
use transport_traits::{Delivery, ErrorKind, PublisherExt, Subscriber};

use crate::support::run;

#[test]
fn a_subscription_outlives_its_server_and_says_what_it_may_have_missed() {
    let Some(mut server) = Nats::start("bus_faults::a_subscription_outlives_its_server", "") else { return };
    run(async {
        let bus = NatsBus::connect(&server.url()).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        server.kill();
        let lost = bus.send("news", "lost").await.unwrap_err();
        assert!(matches!(lost.kind(), ErrorKind::Unknown | ErrorKind::Unavailable), "{lost}");
        let refused = bus.subscribe("other".into()).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        server.restart();
        let begin = Instant::now();
        assert_eq!(news.next().await, Some(Delivery::Gap));
        measured(format_args!(
            "bus, server killed: the subscription is whole {:?} after the restart",
            begin.elapsed()
        ));
        bus.send("news", "after").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("after".into())));
    });
}

#[test]
fn a_stalled_connection_is_noticed_and_replaced() {
    let Some(server) = Nats::start("bus_faults::a_stalled_connection", "") else { return };
    run(async {
        let proxy = Proxy::start(Upstream::Tcp(server.address()));
        let url = format!("nats://{}", proxy.address());
        let bus = Options::default().timeout(Duration::from_millis(500)).bus(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        proxy.stall();
        let lost = bus.send("news", "lost").await.unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::Unknown);
        // New connections hear nothing either, so this call ends only when the quiet connection was given up.
        while bus.subscribe("other".into()).await.is_ok() {}
        proxy.resume();
        let begin = Instant::now();
        while news.next().await.unwrap() != Delivery::Gap {}
        measured(format_args!(
            "bus, connection stalled: the subscription is whole {:?} after its end",
            begin.elapsed()
        ));
        loop {
            recovered("bus, connection stalled", async || bus.send("news", "after").await).await;
            // On a machine that is busy the connection may seem stalled again, which shows as another gap.
            if news.next().await.unwrap() != Delivery::Gap {
                break;
            }
        }
    });
}

#[test]
fn all_topics_are_subscribed_to_at_once_when_the_connection_was_broken() {
    const TOPICS: u64 = 1_000;
    let Some(server) = Nats::start("bus_faults::all_topics_are_subscribed_to_at_once", "") else { return };
    run(async {
        let proxy = Proxy::start(Upstream::Tcp(server.address()));
        let bus = NatsBus::connect(&format!("nats://{}", proxy.address())).await.unwrap();
        let subscribing = (0..TOPICS).map(|n| bus.subscribe(format!("topic {n}").into()));
        let mut news = try_join_all(subscribing).await.unwrap();
        let before = proxy.pieces();
        assert!(before > TOPICS, "each waited for the one before: {before}");
        proxy.cut();
        for news in &mut news {
            assert_eq!(news.next().await, Some(Delivery::Gap));
        }
        let pieces = proxy.pieces() - before;
        assert!(pieces < TOPICS / 2, "{TOPICS} topics in {pieces} pieces");
        let direct = NatsBus::connect(&server.url()).await.unwrap();
        direct.send("topic 999", "after").await.unwrap();
        assert_eq!(news[999].next().await, Some(Delivery::Message("after".into())));
    });
}

#[test]
fn a_subscriber_that_is_paused_until_the_server_drops_it_sees_a_gap() {
    let configuration = "max_pending: 1048576\nwrite_deadline: \"100ms\"";
    let test = "bus_faults::a_subscriber_that_is_paused";
    let Some(server) = Nats::start(test, configuration) else { return };
    run(async {
        let proxy = Proxy::start(Upstream::Tcp(server.address()));
        let url = format!("nats://{}", proxy.address());
        // Long enough for this side not to be the one that gives up.
        let slow = Options::default().timeout(Duration::from_secs(60)).bus(&url).await.unwrap();
        let mut news = slow.subscribe("news".into()).await.unwrap();
        let bus = NatsBus::connect(&server.url()).await.unwrap();
        proxy.stall();
        // More than the buffers of the system take between the server and a proxy that does not read.
        const MESSAGES: usize = 500;
        for _ in 0..MESSAGES {
            bus.send("news", vec![b'x'; 64 * 1024]).await.unwrap();
        }
        proxy.resume();
        let mut received = 0;
        let begin = Instant::now();
        while news.next().await.unwrap() != Delivery::Gap {
            received += 1;
        }
        measured(format_args!(
            "bus, slow subscriber: {received} of {MESSAGES} messages, then a gap after {:?}",
            begin.elapsed()
        ));
        assert!(received < MESSAGES);
        bus.send("news", "after").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("after".into())));
    });
}

#[test]
fn a_subscription_that_is_not_read_is_bounded_and_shows_a_gap() {
    let Some(server) = Nats::start("bus_faults::a_subscription_that_is_not_read", "") else { return };
    run(async {
        let bus = Options::default().queue_capacity(3).bus(&server.url()).await.unwrap();
        let mut slow = bus.subscribe("news".into()).await.unwrap();
        let mut other = bus.subscribe("news".into()).await.unwrap();
        for n in 0..10 {
            bus.send("news", n.to_string()).await.unwrap();
            assert_eq!(other.next().await, Some(Delivery::Message(n.to_string().into())));
        }
        for n in 0..3 {
            assert_eq!(slow.next().await, Some(Delivery::Message(n.to_string().into())));
        }
        assert_eq!(slow.next().await, Some(Delivery::Gap));
        bus.send("news", "on").await.unwrap();
        assert_eq!(slow.next().await, Some(Delivery::Message("on".into())));
    });
}

#[test]
fn a_dropped_subscription_is_ended_on_the_server() {
    let Some(server) = Nats::start("bus_faults::a_dropped_subscription", "") else { return };
    run(async {
        let bus = NatsBus::connect(&server.url()).await.unwrap();
        let client = async_nats::connect(server.url()).await.unwrap();
        // Nobody answers, but the server says at once if nobody listens.
        let is_heard = async || {
            let request = async_nats::Request::new().timeout(Some(Duration::from_millis(200)));
            let end = client.send_request("nexus.news", request).await.unwrap_err().kind();
            end != async_nats::RequestErrorKind::NoResponders
        };
        let (first, second) =
            (bus.subscribe("news".into()).await.unwrap(), bus.subscribe("news".into()).await.unwrap());
        drop(first);
        let _behind_it = bus.subscribe("other".into()).await.unwrap();
        assert!(is_heard().await);
        drop(second);
        let begin = Instant::now();
        while is_heard().await {
            assert!(begin.elapsed() < Duration::from_secs(30), "it is still there");
        }
        let mut again = bus.subscribe("news".into()).await.unwrap();
        bus.send("news", "again").await.unwrap();
        assert_eq!(again.next().await, Some(Delivery::Message("again".into())));
    });
}

#[test]
fn a_server_that_takes_less_than_before_refuses_and_goes_on() {
    let Some(mut server) = Nats::start("bus_faults::a_server_that_takes_less", "") else { return };
    run(async {
        let bus = NatsBus::connect(&server.url()).await.unwrap();
        server.configure("max_payload: 1000");
        server.restart();
        recovered("bus, server restarted", async || bus.send("news", "small").await).await;
        let refused = bus.send("news", Bytes::from(vec![b'x'; 1_001])).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::TooLarge { size: 1_001, limit: 1_000 });
        bus.send("news", "small").await.unwrap();
    });
}
