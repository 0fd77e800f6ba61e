//! Who may come in, and how it is proved on encrypted connections.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use test_servers::{Authority, Proxy, Redis, Upstream};
use transport_redis::{Options, RedisBus, RedisStore};
use transport_traits::{
    DataStore, DataStoreExt, Delivery, ErrorKind, Precondition, PublisherExt, Subscriber,
};

use crate::support::{ask, key, number, run};

#[test]
fn wrong_credentials_are_denied_and_never_shown() {
    let Some(server) = Redis::start("access::wrong_credentials", &["--requirepass", "right-secret"]) else {
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
fn the_permissions_that_the_readme_names_are_enough() {
    let Some(server) = Redis::start("access::the_permissions_that_the_readme_names_are_enough", &[]) else {
        return;
    };
    run(async {
        let readme = include_str!("../../README.md");
        let (_, rule) = readme.split_once("ACL SETUSER ").unwrap();
        let rule: Vec<_> = rule.split_once("```").unwrap().0.split_whitespace().collect();
        let _: String = ask(&server.url(), &[&["ACL", "SETUSER"], &rule[..]].concat()).await;
        let fleet = format!("{}?user=fleet&pass=password", server.url());
        let bus = RedisBus::connect(&fleet).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        bus.send("news", "x").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("x".into())));
        drop(news);
        for history in [0, 1] {
            let store = Options::default().history_versions(history).store(&fleet).await.unwrap();
            let first = store.create(key("k"), number(1)).await.unwrap();
            store.compare_and_swap(key("k"), first, number(2)).await.unwrap();
            let keys: Vec<Arc<str>> = store.list("players".into(), "".into()).try_collect().await.unwrap();
            assert_eq!(keys, [Arc::from("k")]);
            if history > 0 {
                assert_eq!(store.versions(key("k")).await.unwrap().len(), 2);
            }
            store.delete(key("k"), Precondition::Always).await.unwrap();
        }
        let other = Options::default().prefix("other:");
        let denied =
            other.clone().store(&fleet).await.unwrap().create(key("k"), number(1)).await.unwrap_err();
        let unheard = other.bus(&fleet).await.unwrap().send("news", "x").await.unwrap_err();
        assert_eq!([denied.kind(), unheard.kind()], [ErrorKind::Denied; 2]);
    });
}

/// A server with a user who may hear two topics, and the URL with that login.
async fn with_two_topics(test: &str) -> Option<(Redis, String)> {
    let server = Redis::start(test, &[])?;
    let rule = ["fleet", "on", ">password", "resetchannels", "&nexus:news", "&nexus:secret", "+@all", "~*"];
    let _: String = ask(&server.url(), &[&["ACL", "SETUSER"], &rule[..]].concat()).await;
    let url = format!("{}?user=fleet&pass=password", server.url());
    Some((server, url))
}

#[test]
fn a_topic_that_is_refused_costs_the_others_nothing() {
    run(async {
        let test = "access::a_topic_that_is_refused_costs_the_others_nothing";
        let Some((_server, url)) = with_two_topics(test).await else { return };
        let bus = RedisBus::connect(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        for _ in 0..3 {
            let denied = bus.subscribe("other".into()).await.err().unwrap();
            assert_eq!(denied.kind(), ErrorKind::Denied, "{denied}");
            bus.send("news", "x").await.unwrap();
            assert_eq!(news.next().await, Some(Delivery::Message("x".into())), "and no gap before it");
        }
    });
}

#[test]
fn a_topic_whose_permission_is_taken_away_ends_and_the_others_go_on() {
    run(async {
        let test = "access::a_topic_whose_permission_is_taken_away";
        let Some((server, url)) = with_two_topics(test).await else { return };
        let bus = RedisBus::connect(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        let mut secret = bus.subscribe("secret".into()).await.unwrap();
        // The server ends the connections of those who hear what they may not hear any more.
        let taken = ["ACL", "SETUSER", "fleet", "resetchannels", "&nexus:news"];
        let _: String = ask(&server.url(), &taken).await;
        assert_eq!(news.next().await, Some(Delivery::Gap));
        assert_eq!(secret.next().await, None);
        RedisBus::connect(&server.url()).await.unwrap().send("news", "after").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("after".into())));
        let _: String = ask(&server.url(), &["ACL", "SETUSER", "fleet", "&nexus:secret"]).await;
        drop(secret);
        drop(bus.subscribe("secret".into()).await.unwrap());
    });
}

#[test]
fn a_write_without_all_permissions_is_denied_and_changes_nothing() {
    let Some(server) = Redis::start("access::a_write_without_all_permissions", &[]) else { return };
    run(async {
        let rule = ["ACL", "SETUSER", "fleet", "on", ">password", "~*", "+@all", "-hset"];
        let _: String = ask(&server.url(), &rule).await;
        let store = RedisStore::connect(&format!("{}?user=fleet&pass=password", server.url())).await.unwrap();
        let denied = store.create(key("k"), number(1)).await.unwrap_err();
        assert_eq!(denied.kind(), ErrorKind::Denied, "{denied}");
        assert_eq!(store.get(key("k")).await.unwrap(), None);
    });
}

#[test]
fn urls_and_certificates_that_make_no_sense_are_invalid() {
    run(async {
        let urls = [
            "",
            "secret",
            "http://ann:secret@localhost",
            "redis://",
            "redis://ann:secret@",
            "redis://ann:secret@localhost:secret",
            "redis://ann:secret@localhost/secret",
            "nats://localhost",
            "rediss://ann:secret@localhost#insecure",
        ];
        for url in urls {
            let errors =
                [RedisBus::connect(url).await.unwrap_err(), RedisStore::connect(url).await.unwrap_err()];
            for error in errors {
                assert_eq!(error.kind(), ErrorKind::Invalid, "{url:?}: {error}");
                assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
            }
        }
        let options = [
            Options::default().root_certificates("a-secret"),
            Options::default().client_certificate("a-secret", "a-secret"),
        ];
        for (options, url) in options.iter().zip(["redis://localhost", "rediss://localhost"].iter().cycle()) {
            assert!(format!("{options:?}").contains("(hidden)"));
            assert!(
                !format!("{options:?}").contains(&format!("{}, ", b'a')),
                "not as a list of bytes either"
            );
            let error = options.clone().store(url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
            assert!(!format!("{error:?}").contains("a-secret"), "{error:?}");
        }
    });
}

#[test]
fn a_timeout_of_zero_is_invalid() {
    run(async {
        let options = Options::default().timeout(Duration::ZERO);
        let errors = [
            options.clone().bus("redis://localhost").await.unwrap_err(),
            options.store("redis://localhost").await.unwrap_err(),
        ];
        assert_eq!(errors.map(|error| error.kind()), [ErrorKind::Invalid; 2]);
    });
}

#[test]
fn an_encrypted_connection_needs_both_sides_to_prove_themselves() {
    let authority = Authority::new();
    let test = "access::an_encrypted_connection_needs_both_sides_to_prove_themselves";
    let Some(server) = Redis::start_encrypted(test, &authority) else { return };
    run(async {
        // So that it has the name which the certificate is for.
        let proxy = Proxy::start(Upstream::Tcp(server.address()));
        let port = proxy.address().port();
        let url = format!("rediss://localhost:{port}");
        let client = authority.vouch_for("ann");
        let trusting = Options::default().root_certificates(authority.certificate());
        let complete = trusting.clone().client_certificate(client.certificate, client.key);
        let store = complete.clone().store(&url).await.unwrap();
        store.put(key("k"), number(1), Precondition::Always).await.unwrap();
        let bus = complete.clone().bus(&url).await.unwrap();
        bus.send("news", "x").await.unwrap();
        let stranger = Authority::new().vouch_for("ann");
        let refused = [
            Options::default().store(&url).await.unwrap_err(),
            trusting.clone().store(&url).await.unwrap_err(),
            trusting.client_certificate(stranger.certificate, stranger.key).store(&url).await.unwrap_err(),
            complete.clone().store(&format!("rediss://127.0.0.1:{port}")).await.unwrap_err(),
            RedisStore::connect(&format!("redis://localhost:{port}")).await.unwrap_err(),
        ];
        assert_eq!(refused.map(|error| error.kind()), [ErrorKind::Unavailable; 5]);
    });
}
