//! Who may come in, and how it is proved on encrypted connections.

use std::time::Duration;

use futures::StreamExt;
use test_servers::{Authority, Postgres};
use transport_postgres::{Options, PostgresBus, PostgresStore};
use transport_traits::{
    DataStore, DataStoreExt, Delivery, Error, ErrorKind, Precondition, PublisherExt, Subscriber,
};

use crate::support::{ask, key, number, run};

/// Asserts that all were refused so, without a word of what is secret.
fn check_refused(errors: impl IntoIterator<Item = Error>, expect: ErrorKind) {
    for error in errors {
        assert_eq!(error.kind(), expect, "{error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn wrong_credentials_are_denied_and_never_shown() {
    let Some(server) = Postgres::start("access::wrong_credentials", &[]) else { return };
    run(async {
        let all = server.url("postgres");
        let users = "CREATE USER fleet PASSWORD 'right-secret'; CREATE USER reader PASSWORD 'right-secret'; \
            ALTER DATABASE postgres OWNER TO fleet; GRANT CREATE ON SCHEMA public TO fleet";
        ask(&all, users).await;
        let url = |login: &str| format!("postgres://{login}@{}/postgres", server.address());
        let wrong = url("fleet:wrong-secret");
        let errors = [
            PostgresStore::migrate(&wrong).await.unwrap_err(),
            PostgresStore::connect(&wrong).await.unwrap_err(),
            PostgresBus::connect(&wrong).await.unwrap_err(),
            PostgresBus::connect(&url("fleet")).await.unwrap_err(),
            PostgresBus::connect(&url("fleet:")).await.unwrap_err(),
            PostgresBus::connect(&url("nobody:wrong-secret")).await.unwrap_err(),
        ];
        check_refused(errors, ErrorKind::Denied);
        let right = url("fleet:right-secret");
        PostgresStore::migrate(&right).await.unwrap();
        let store = PostgresStore::connect(&right).await.unwrap();
        store.create(key("k"), number(1)).await.unwrap();
        let bus = PostgresBus::connect(&right).await.unwrap();
        bus.send("news", "x").await.unwrap();
        let shown =
            Options::default().client_certificate("top-secret", "top-secret").root_certificates("top-secret");
        let shown = format!("{store:?} {bus:?} {shown:?}");
        assert!(!shown.contains("right-secret") && !shown.contains("top-secret"), "{shown}");
        assert!(!shown.contains(&format!("{}, ", b't')), "not as a list of bytes either: {shown}");

        // The user who made the tables needs no permission. This one has those that the README names.
        ask(&all, "CREATE USER other PASSWORD 'right-secret'").await;
        ask(&all, "GRANT SELECT, INSERT, UPDATE, DELETE ON nexus_records, nexus_history TO other").await;
        let other = PostgresStore::connect(&url("other:right-secret")).await.unwrap();
        other.put(key("k"), number(2), Precondition::Always).await.unwrap();
        other.delete(key("k"), Precondition::Always).await.unwrap();
        assert_eq!(other.versions(key("k")).await.unwrap().len(), 3);
        other.create(key("k"), number(3)).await.unwrap();
        let bus = PostgresBus::connect(&url("other:right-secret")).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        bus.send("news", "x").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("x".into())));

        ask(&all, "GRANT SELECT ON nexus_records TO reader").await;
        let reader = PostgresStore::connect(&url("reader:right-secret")).await.unwrap();
        assert!(reader.get(key("k")).await.unwrap().is_some());
        check_refused([reader.create(key("other"), number(1)).await.unwrap_err()], ErrorKind::Denied);
    });
}

#[test]
fn a_url_that_cannot_be_read_or_a_timeout_of_zero_is_invalid_and_not_shown() {
    run(async {
        let urls = [
            "secret",
            "redis://user:secret@localhost",
            "postgres://user:secret@localhost:secret",
            "postgres://user:secret@",
            "postgres://user:secret@localhost/db?secret=1",
            "postgres://user:secret@localhost/db?sslmode=secret",
            "user=u password=sec ret=1 secret",
            "",
        ];
        for url in urls {
            let errors = [
                PostgresStore::connect(url).await.unwrap_err(),
                PostgresBus::connect(url).await.unwrap_err(),
            ];
            check_refused(errors, ErrorKind::Invalid);
        }
        let hasty = || Options::default().timeout(Duration::ZERO);
        let url = "postgres://localhost";
        let errors = [
            hasty().store(url).await.unwrap_err(),
            hasty().bus(url).await.unwrap_err(),
            hasty().migrate(url).await.unwrap_err(),
        ];
        check_refused(errors, ErrorKind::Invalid);
    });
}

#[test]
fn an_encrypted_connection_needs_both_sides_to_prove_themselves() {
    let authority = Authority::new();
    let test = "access::an_encrypted_connection_needs_both_sides_to_prove_themselves";
    let Some(server) = Postgres::start_encrypted(test, &authority) else { return };
    run(async {
        ask(&server.url("postgres"), "CREATE USER ann PASSWORD 'a-secret'").await;
        let at = |name: &str, mode: &str| {
            format!(
                "postgres://ann:a-secret@{name}/postgres?hostaddr={}&sslmode={mode}",
                server.address().ip()
            )
        };
        let client = authority.vouch_for("ann");
        let trusting = Options::default().root_certificates(authority.certificate());
        let complete = trusting.clone().client_certificate(client.certificate, client.key);
        // The login is bound to the encrypted channel.
        let bound = at("localhost", "require") + "&channel_binding=require";
        let bus = complete.clone().bus(&bound).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        bus.send("news", "x").await.unwrap();
        news.next().await.unwrap();
        let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = 'ann'";
        assert_eq!(ask(&server.url("postgres"), encrypted).await, ["2"]);

        check_refused(
            [trusting.clone().bus(&at("localhost", "require")).await.unwrap_err()],
            ErrorKind::Denied,
        );
        check_refused(
            [complete.clone().bus(&at("localhost", "disable")).await.unwrap_err()],
            ErrorKind::Denied,
        );
        let stranger = Authority::new().vouch_for("ann");
        let refused = [
            (trusting.client_certificate(stranger.certificate, stranger.key), "localhost"),
            (complete.clone().root_certificates(Authority::new().certificate()), "localhost"),
            (complete, "example.com"),
            (Options::default(), "localhost"),
        ];
        for (options, name) in refused {
            check_refused([options.bus(&at(name, "prefer")).await.unwrap_err()], ErrorKind::Unavailable);
        }
    });
}

#[test]
fn certificates_that_make_no_sense_are_invalid() {
    run(async {
        let options = [
            Options::default().root_certificates("a-secret"),
            Options::default().client_certificate("a-secret", "a-secret"),
        ];
        for options in options {
            let url = "postgres://localhost";
            let errors = [options.clone().store(url).await.unwrap_err(), options.bus(url).await.unwrap_err()];
            check_refused(errors, ErrorKind::Invalid);
        }
    });
}
