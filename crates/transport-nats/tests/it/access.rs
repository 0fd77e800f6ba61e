//! Who may come in, and how it is proved on encrypted connections.

use std::time::Duration;

use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use test_servers::{Authority, Nats, Proxy, Upstream, recovered};
use transport_nats::{NatsBus, NatsStore, Options};
use transport_traits::{
    DataStore, DataStoreExt, Delivery, ErrorKind, Precondition, PublisherExt, Subscriber,
};

use crate::support::{key, number, run};

fn with_login(server: &Nats, login: &str) -> String {
    format!("nats://{login}@{}", server.address())
}

#[test]
fn wrong_credentials_are_denied_and_never_shown() {
    let configuration = "authorization { user: \"ann\", password: \"right-secret @:/,%\" }";
    let Some(server) = Nats::start("access::wrong_credentials", configuration) else { return };
    run(async {
        for login in ["ann:wrong-secret", "wrong-secret"] {
            let wrong = with_login(&server, login);
            let errors =
                [NatsStore::connect(&wrong).await.unwrap_err(), NatsBus::connect(&wrong).await.unwrap_err()];
            for error in errors {
                assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
                assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
            }
        }
        let without = NatsStore::connect(&server.url()).await.unwrap_err();
        assert_eq!(without.kind(), ErrorKind::Denied);
        let right = with_login(&server, "ann:right-secret%20%40%3A%2F%2C%25");
        let store = NatsStore::connect(&right).await.unwrap();
        store.create(key("k"), number(1)).await.unwrap();
        let bus = NatsBus::connect(&right).await.unwrap();
        assert!(!format!("{store:?} {bus:?}").contains("secret"));
    });
}

#[test]
fn a_token_stands_where_the_user_does() {
    let Some(server) = Nats::start("access::a_token", "authorization { token: \"a-token\" }") else { return };
    run(async {
        NatsBus::connect(&with_login(&server, "a-token")).await.unwrap();
        let wrong = NatsBus::connect(&with_login(&server, "another")).await.unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Denied);
    });
}

#[test]
fn urls_and_credentials_that_make_no_sense_are_invalid() {
    run(async {
        let urls = [
            "",
            "http://ann:secret@localhost",
            "nats://",
            "nats://ann:secret@",
            "nats://ann:secret@localhost:secret",
            "redis://secret@localhost",
            "nats://%ff:secret@localhost",
            "nats://ann:secret@a,",
        ];
        for url in urls {
            let error = NatsBus::connect(url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{url:?}: {error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
        let options = [
            Options::default().credentials("a-secret"),
            Options::default().root_certificates("a-secret"),
            Options::default().client_certificate("a-secret", "a-secret"),
            Options::default().timeout(Duration::ZERO),
        ];
        for options in options {
            assert!(!format!("{:?}", options.clone().root_certificates("")).contains("a-secret"));
            let error = options.bus("nats://localhost").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
            assert!(!format!("{error:?}").contains("a-secret"), "{error:?}");
        }
    });
}

#[test]
fn the_first_server_that_answers_is_taken() {
    let test = "access::the_first_server_that_answers";
    let (Some(mut first), Some(second)) = (Nats::start(test, ""), Nats::start(test, "")) else { return };
    run(async {
        let both = format!("{},{}", first.url(), second.url());
        let store = NatsStore::connect(&both).await.unwrap();
        first.kill();
        let put = async || store.put(key("k"), number(1), Precondition::Always).await;
        recovered("store, second server", put).await;
        let direct = NatsStore::connect(&second.url()).await.unwrap();
        assert_eq!(direct.get(key("k")).await.unwrap().unwrap().record, number(1));
    });
}

#[test]
fn without_jetstream_a_server_is_a_bus_and_no_store() {
    let accounts = "accounts: { A: { users: [{ user: ann, password: x }] } }";
    let Some(server) = Nats::start("access::without_jetstream", accounts) else { return };
    run(async {
        let url = with_login(&server, "ann:x");
        NatsBus::connect(&url).await.unwrap().send("news", "x").await.unwrap();
        assert_eq!(NatsStore::connect(&url).await.unwrap_err().kind(), ErrorKind::Unavailable);
    });
}

#[test]
fn missing_permissions_are_denied() {
    let configuration = r#"authorization {
        users: [
            { user: "all", password: "x" }
            { user: "some", password: "x", permissions: {
                publish: { deny: ["nexus.secret", "$KV.nexus.secret.>"] }
                subscribe: { deny: "nexus.secret" }
            } }
            { user: "documented", password: "x", permissions: {
                publish: ["nexus.>", "$KV.nexus.>", "$JS.API.>", "_INBOX.>"]
                subscribe: ["nexus.>", "_INBOX.>"]
            } }
            { user: "none", password: "x", permissions: { publish: "nothing", subscribe: "nothing" } }
        ]
    }"#;
    let Some(server) = Nats::start("access::missing_permissions", configuration) else { return };
    run(async {
        NatsStore::connect(&with_login(&server, "all:x")).await.unwrap();
        let some = with_login(&server, "some:x");
        let bus = NatsBus::connect(&some).await.unwrap();
        let store = NatsStore::connect(&some).await.unwrap();
        let secret = transport_traits::RecordKey::new("secret", "k");
        for _ in 0..2 {
            let denied = [
                bus.send("secret", "x").await.unwrap_err(),
                bus.subscribe("secret".into()).await.err().unwrap(),
                store.put(secret.clone(), number(1), Precondition::Always).await.unwrap_err(),
                store.create(secret.clone(), number(1)).await.unwrap_err(),
            ];
            assert_eq!(denied.map(|error| error.kind()), [ErrorKind::Denied; 4]);
            assert_eq!(store.get(secret.clone()).await.unwrap(), None);
            bus.send("news", "x").await.unwrap();
            drop(bus.subscribe("news".into()).await.unwrap());
            store.put(key("k"), number(1), Precondition::Always).await.unwrap();
        }
        let documented = with_login(&server, "documented:x");
        let (bus, store) =
            (NatsBus::connect(&documented).await.unwrap(), NatsStore::connect(&documented).await.unwrap());
        drop(bus.subscribe("news".into()).await.unwrap());
        bus.send("news", "x").await.unwrap();
        store.delete(key("k"), Precondition::Always).await.unwrap();
        let version = store.create(key("k"), number(1)).await.unwrap();
        assert!(store.get_version(key("k"), version).await.unwrap().is_some());
        let listed: Vec<_> = store.list("players".into(), "".into()).try_collect().await.unwrap();
        assert_eq!(listed, ["k".into()]);

        let none = NatsBus::connect(&with_login(&server, "none:x")).await.unwrap_err();
        assert_eq!(none.kind(), ErrorKind::Denied);
    });
}

/// A configuration with a user who may publish everything and hear inboxes and, in quotes with commas between, these
/// subjects.
fn hearing(subjects: &str) -> String {
    format!(
        "authorization {{ users: [
            {{ user: all, password: x }}
            {{ user: fleet, password: x, permissions: {{ publish: \">\", subscribe: [\"_INBOX.>\", {subjects}] }} }}
        ] }}"
    )
}

#[test]
fn a_topic_that_is_refused_after_a_restart_ends_and_the_others_go_on() {
    let test = "access::a_topic_that_is_refused_after_a_restart";
    let Some(mut server) = Nats::start(test, &hearing("\"nexus.>\"")) else { return };
    run(async {
        let bus = NatsBus::connect(&with_login(&server, "fleet:x")).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        // More than the client library has room to tell of.
        let refused = (0..300).map(|n| bus.subscribe(format!("secret {n}").into()));
        let refused = try_join_all(refused).await.unwrap();
        server.configure(&hearing("\"nexus.news\""));
        server.restart();
        assert_eq!(news.next().await, Some(Delivery::Gap));
        for mut secret in refused {
            assert_eq!(secret.next().await, None);
        }
        let all = NatsBus::connect(&with_login(&server, "all:x")).await.unwrap();
        all.send("news", "after").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("after".into())));
    });
}

#[test]
fn a_topic_that_a_running_server_takes_away_ends_and_the_others_lose_nothing() {
    let test = "access::a_topic_that_a_running_server_takes_away";
    let Some(server) = Nats::start(test, &hearing("\"nexus.>\"")) else { return };
    run(async {
        let bus = NatsBus::connect(&with_login(&server, "fleet:x")).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        for _ in 0..2 {
            let mut secret = bus.subscribe("secret".into()).await.unwrap();
            server.configure(&hearing("\"nexus.news\""));
            server.reload();
            assert_eq!(secret.next().await, None);
            bus.send("news", "x").await.unwrap();
            assert_eq!(news.next().await, Some(Delivery::Message("x".into())), "and no gap before it");
            let denied = bus.subscribe("secret".into()).await.err().unwrap();
            assert_eq!(denied.kind(), ErrorKind::Denied);
            server.configure(&hearing("\"nexus.>\""));
            server.reload();
            let again = async || bus.subscribe("secret".into()).await.map(drop);
            recovered("bus, permission given back", again).await;
        }
    });
}

#[test]
fn an_encrypted_connection_needs_a_server_that_proves_itself() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let [server_pem, server_key, ca] =
        authority.files_for("localhost", folder.path()).map(|path| path.display().to_string());
    let configuration = format!(
        "tls {{ cert_file: \"{server_pem}\", key_file: \"{server_key}\", ca_file: \"{ca}\", verify: true }}"
    );
    let Some(server) = Nats::start("access::an_encrypted_connection", &configuration) else { return };
    run(async {
        // So that it has the name which the certificate is for.
        let proxy = Proxy::start(Upstream::Tcp(server.address()));
        let port = proxy.address().port();
        let client = authority.vouch_for("ann");
        let trusting = Options::default().root_certificates(authority.certificate());
        let complete = trusting.clone().client_certificate(client.certificate, client.key);
        for scheme in ["tls", "nats"] {
            let url = format!("{scheme}://localhost:{port}");
            let store = complete.clone().store(&url).await.unwrap();
            store.put(key("k"), number(1), Precondition::Always).await.unwrap();
            let bus = complete.clone().bus(&url).await.unwrap();
            bus.send("news", "x").await.unwrap();
        }
        let url = format!("tls://localhost:{port}");
        let stranger = Authority::new().vouch_for("ann");
        let refused = [
            Options::default().bus(&url).await.unwrap_err(),
            trusting.clone().bus(&url).await.unwrap_err(),
            trusting.client_certificate(stranger.certificate, stranger.key).bus(&url).await.unwrap_err(),
            complete.bus(&format!("tls://127.0.0.1:{port}")).await.unwrap_err(),
        ];
        assert_eq!(refused.map(|error| error.kind()), [ErrorKind::Unavailable; 4]);
    });
}
