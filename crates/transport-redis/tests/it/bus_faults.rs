//! Servers that die, cut, stall and drop, under a bus.

use std::time::Duration;

use futures::StreamExt;
use futures::future::try_join_all;
use test_servers::{Proxy, Redis, Upstream, recovered};
use transport_redis::{Options, RedisBus};
use transport_traits::{Delivery, ErrorKind, PublisherExt, Subscriber, Subscription};

use crate::support::{ask, is_of_a_lost_connection, run};

/// A server and a proxy before it, with the URL through the proxy.
fn behind_a_proxy(test: &str, settings: &[&str]) -> Option<(Redis, Proxy, String)> {
    let server = Redis::start(test, settings)?;
    let proxy = Proxy::start(Upstream::Unix(server.socket()));
    let url = format!("redis://{}", proxy.address());
    Some((server, proxy, url))
}

#[test]
fn a_subscription_outlives_its_server_and_says_what_it_may_have_missed() {
    let Some(mut server) = Redis::start("bus_faults::a_subscription_outlives_its_server", &[]) else {
        return;
    };
    run(async {
        let bus = RedisBus::connect(&server.url()).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        server.kill();
        let lost = bus.send("news", "lost").await.unwrap_err();
        assert!(matches!(lost.kind(), ErrorKind::Unknown | ErrorKind::Unavailable), "{lost}");
        let refused = bus.subscribe("other".into()).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        server.restart();
        assert_eq!(news.next().await, Some(Delivery::Gap));
        bus.send("news", "after").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("after".into())));
    });
}

#[test]
fn a_subscription_that_is_not_read_is_bounded_and_shows_a_gap() {
    let Some(server) = Redis::start("bus_faults::a_subscription_that_is_not_read", &[]) else { return };
    run(async {
        let bus = Options::default().queue_capacity(3).bus(&server.url()).await.unwrap();
        let mut slow = bus.subscribe("news".into()).await.unwrap();
        let mut end = bus.subscribe("end".into()).await.unwrap();
        for n in 0..10 {
            bus.send("news", n.to_string()).await.unwrap();
        }
        bus.send("end", "end").await.unwrap();
        assert_eq!(end.next().await, Some(Delivery::Message("end".into())));
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
    let Some(server) = Redis::start("bus_faults::a_dropped_subscription", &[]) else { return };
    run(async {
        let bus = RedisBus::connect(&server.url()).await.unwrap();
        let (first, second) =
            (bus.subscribe("news".into()).await.unwrap(), bus.subscribe("news".into()).await.unwrap());
        let channels = async || -> Vec<String> { ask(&server.url(), &["PUBSUB", "CHANNELS"]).await };
        drop(first);
        let _behind_it = bus.subscribe("other".into()).await.unwrap();
        assert_eq!(channels().await.len(), 2);
        drop(second);
        let _behind_it = bus.subscribe("another".into()).await.unwrap();
        assert!(!channels().await.contains(&"nexus:news".to_owned()));
    });
}

#[test]
fn a_cut_connection_is_a_gap_and_the_bus_goes_on() {
    let Some((_server, proxy, url)) = behind_a_proxy("bus_faults::a_cut_connection", &[]) else { return };
    run(async {
        let bus = RedisBus::connect(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        for round in 0..3 {
            proxy.cut();
            recovered("bus, connection cut", async || bus.send("other", "x").await).await;
            assert_eq!(news.next().await, Some(Delivery::Gap));
            let round = round.to_string();
            bus.send("news", round.clone()).await.unwrap();
            assert_eq!(news.next().await, Some(Delivery::Message(round.into())));
        }
    });
}

#[test]
fn a_stalled_connection_is_found_given_up_and_made_anew() {
    let Some((_server, proxy, url)) = behind_a_proxy("bus_faults::a_stalled_connection", &[]) else { return };
    run(async {
        let bus = Options::default().timeout(Duration::from_millis(200)).bus(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        proxy.stall();
        let lost = bus.send("news", "lost").await.unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::Unknown, "{lost}");
        let later = bus.send("news", "lost too").await.unwrap_err();
        assert_eq!(later.kind(), ErrorKind::Unavailable, "no connection can be made: {later}");
        proxy.resume();
        recovered("bus, connection stalled", async || bus.send("other", "x").await).await;
        // What was published into the stalled connection may come before the gap, as it is forwarded now.
        while news.next().await != Some(Delivery::Gap) {}
        bus.send("news", "after").await.unwrap();
        while news.next().await != Some(Delivery::Message("after".into())) {}
    });
}

#[test]
fn a_subscriber_that_the_server_drops_for_slowness_is_told_of_a_gap() {
    let settings = ["--client-output-buffer-limit", "pubsub 65536 0 0"];
    let Some((server, proxy, url)) =
        behind_a_proxy("bus_faults::a_subscriber_that_the_server_drops", &settings)
    else {
        return;
    };
    run(async {
        let bus = RedisBus::connect(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        let direct = RedisBus::connect(&server.url()).await.unwrap();
        proxy.stall();
        let body = "x".repeat(1 << 20);
        let is_subscribed = async || -> bool {
            let (_, receivers): (String, u64) = ask(&server.url(), &["PUBSUB", "NUMSUB", "nexus:news"]).await;
            receivers > 0
        };
        // What the sockets hold comes on top of the server's buffer.
        while is_subscribed().await {
            direct.send("news", body.clone()).await.unwrap();
        }
        proxy.resume();
        while news.next().await != Some(Delivery::Gap) {}
        direct.send("news", "after").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("after".into())));
    });
}

#[test]
fn after_a_failover_subscriptions_are_on_the_new_server() {
    let test = "bus_faults::after_a_failover";
    let (Some((old, proxy, url)), Some(new)) = (behind_a_proxy(test, &[]), Redis::start(test, &[])) else {
        return;
    };
    run(async {
        let bus = RedisBus::connect(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        proxy.redirect(Upstream::Unix(new.socket()));
        drop(old);
        proxy.cut();
        let lost = bus.send("other", "x").await;
        assert!(lost.as_ref().map_or_else(is_of_a_lost_connection, |()| true), "{lost:?}");
        assert_eq!(news.next().await, Some(Delivery::Gap));
        RedisBus::connect(&new.url()).await.unwrap().send("news", "after").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("after".into())));
    });
}

#[test]
fn all_topics_are_subscribed_to_at_once_when_the_connection_was_broken() {
    const TOPICS: u64 = 1_000;
    let Some((server, proxy, url)) = behind_a_proxy("bus_faults::all_topics_are_subscribed_to_at_once", &[])
    else {
        return;
    };
    run(async {
        let bus = RedisBus::connect(&url).await.unwrap();
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
        RedisBus::connect(&server.url()).await.unwrap().send("topic 999", "after").await.unwrap();
        assert_eq!(news[999].next().await, Some(Delivery::Message("after".into())));
    });
}

/// How many deliveries there are, up to this one.
async fn heard_until(news: &mut Subscription, last: &Delivery) -> usize {
    let mut heard = 1;
    while news.next().await.as_ref() != Some(last) {
        heard += 1;
    }
    heard
}

#[test]
fn a_flood_of_messages_holds_up_no_request() {
    const MESSAGES: usize = 1_000;
    let Some((server, proxy, url)) = behind_a_proxy("bus_faults::a_flood_of_messages", &[]) else { return };
    run(async {
        let bus = RedisBus::connect(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        proxy.stall();
        let direct = RedisBus::connect(&server.url()).await.unwrap();
        for n in 0..MESSAGES {
            direct.send("news", n.to_string()).await.unwrap();
        }
        // The first waits for the server's answer, behind the flood; the second can be granted at once, but comes later.
        let (other, late) = (bus.subscribe("other".into()), bus.subscribe("news".into()));
        let resume = async { proxy.resume() };
        let (other, late, ()) = tokio::join!(other, late, resume);
        drop(other.unwrap());
        let last = Delivery::Message((MESSAGES - 1).to_string().into());
        assert_eq!(heard_until(&mut news, &last).await, MESSAGES);
        let mut late = late.unwrap();
        direct.send("news", "after").await.unwrap();
        let heard = heard_until(&mut late, &Delivery::Message("after".into())).await;
        assert!(heard > MESSAGES / 2, "it was granted behind all but {heard} of the messages");
    });
}
