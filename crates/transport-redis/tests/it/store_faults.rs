//! Servers that die, forget, refuse and cut.

use futures::StreamExt;
use futures::future::join_all;
use test_servers::Redis;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use transport_redis::{Options, RedisBus, RedisStore};
use transport_traits::{
    DataStore, DataStoreExt, Delivery, ErrorKind, Precondition, PublisherExt, Record, Subscriber,
};

use crate::support::{ask, durable, key, run};

fn number(n: u64) -> Record {
    Record::new(format!(r#"{{"n":{n}}}"#))
}

async fn number_of(store: &RedisStore, name: &str) -> u64 {
    let stored = store.get(key(name)).await.unwrap().unwrap();
    serde_json::from_str::<serde_json::Value>(&stored.record.value).unwrap()["n"].as_u64().unwrap()
}

/// Writes rising numbers until a write fails, and says when it has come some way: the last one that was acknowledged.
async fn write_until_it_fails(store: &RedisStore, name: &str, came_far: &UnboundedSender<()>) -> u64 {
    for n in 1.. {
        if n == 50 {
            came_far.send(()).unwrap();
        }
        if let Err(error) = store.put(key(name), number(n), Precondition::Always).await {
            assert!(matches!(error.kind(), ErrorKind::Unknown | ErrorKind::Unavailable), "{error}");
            return n - 1;
        }
    }
    unreachable!("the loop has no end")
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_the_same_store_goes_on() {
    let Some(mut server) = durable("faults::what_was_acknowledged_survives_a_kill") else { return };
    run(async {
        let store = RedisStore::connect(&server.url()).await.unwrap();
        for round in 0..3 {
            let names: Vec<String> = (0..16).map(|n| format!("{round} {n}")).collect();
            let (reached, mut enough) = unbounded_channel();
            let work = {
                let (store, names) = (store.clone(), names.clone());
                tokio::spawn(async move {
                    join_all(names.iter().map(|name| write_until_it_fails(&store, name, &reached))).await
                })
            };
            enough.recv().await.unwrap();
            server.kill();
            let acknowledged = work.await.unwrap();
            let down = store.get(key("0 0")).await.unwrap_err();
            assert_eq!(down.kind(), ErrorKind::Unavailable);
            server.restart();
            for (name, n) in names.iter().zip(acknowledged) {
                // The write under way when the server died may be there too.
                let found = number_of(&store, name).await;
                assert!(found == n || found == n + 1, "{name}: {n} was acknowledged, {found} is there");
            }
        }
    });
}

#[test]
fn a_subscription_outlives_its_server_and_says_what_it_may_have_missed() {
    let Some(mut server) = Redis::start("faults::a_subscription_outlives_its_server", &[]) else { return };
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
    let Some(server) = Redis::start("faults::a_subscription_that_is_not_read", &[]) else { return };
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
    let Some(server) = Redis::start("faults::a_dropped_subscription", &[]) else { return };
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
fn wrong_credentials_are_denied_and_never_shown() {
    let Some(server) = Redis::start("faults::wrong_credentials", &["--requirepass", "right-secret"]) else {
        return;
    };
    run(async {
        let wrong = format!("{}?pass=wrong-secret", server.url());
        let errors = [
            RedisStore::connect(&wrong).await.unwrap_err(),
            RedisBus::connect(&wrong).await.unwrap_err(),
            RedisStore::connect(&server.url()).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
        let right = format!("{}?pass=right-secret", server.url());
        let store = RedisStore::connect(&right).await.unwrap();
        store.create(key("k"), number(1)).await.unwrap();
        assert!(!format!("{store:?}").contains("secret"));
    });
}

#[test]
fn a_flushed_script_cache_is_not_noticed() {
    let Some(server) = Redis::start("faults::a_flushed_script_cache", &[]) else { return };
    run(async {
        let store = RedisStore::connect(&server.url()).await.unwrap();
        let first = store.create(key("k"), number(1)).await.unwrap();
        let _: String = ask(&server.url(), &["SCRIPT", "FLUSH"]).await;
        store.compare_and_swap(key("k"), first, number(2)).await.unwrap();
        let _: String = ask(&server.url(), &["SCRIPT", "FLUSH"]).await;
        assert_eq!(store.versions(key("k")).await.unwrap().len(), 2);
    });
}

#[test]
fn on_a_server_that_lost_everything_old_versions_conflict() {
    let Some(mut server) = Redis::start("faults::on_a_server_that_lost_everything", &[]) else { return };
    run(async {
        let store = RedisStore::connect(&server.url()).await.unwrap();
        let before = store.create(key("k"), number(1)).await.unwrap();
        server.restart();
        // The first call may be the one that finds the old connection broken.
        drop(store.get(key("k")).await);
        assert_eq!(store.get(key("k")).await.unwrap(), None);
        store.create(key("k"), number(1)).await.unwrap();
        let stale = store.compare_and_swap(key("k"), before, number(2)).await;
        assert_eq!(stale.unwrap_err().kind(), ErrorKind::Conflict);
    });
}
