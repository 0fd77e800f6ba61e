//! What happens to subscriptions and messages when the connection or the server is in trouble.

use std::net::{Ipv4Addr, TcpListener};

use futures::StreamExt;
use test_servers::{Postgres, Upstream, recovered};
use transport_postgres::{Options, PostgresBus};
use transport_traits::{BusLimits, DataStore, Delivery, ErrorKind, PublisherExt, Subscriber};

use crate::support::{TIMEOUT, ask, expect, key, migrated, run, schema, through};

#[test]
fn a_subscription_outlives_its_server_and_says_what_it_may_have_missed() {
    let Some(mut server) = Postgres::start("bus_faults::a_subscription_outlives_its_server", &[]) else {
        return;
    };
    run(async {
        let bus = PostgresBus::connect(&server.url("postgres")).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        server.kill();
        let lost = bus.send("news", "lost").await.unwrap_err();
        assert!(matches!(lost.kind(), ErrorKind::Unknown | ErrorKind::Unavailable), "{lost}");
        let refused = bus.subscribe("other".into()).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        server.restart();
        let gap = async || news.next().await.filter(|delivery| *delivery == Delivery::Gap).ok_or("no gap");
        recovered("bus, server killed", gap).await;
        bus.send("news", "after").await.unwrap();
        assert_eq!(news.next().await, Some(Delivery::Message("after".into())));
    });
}

#[test]
fn a_quiet_subscription_finds_out_that_its_connection_is_dead() {
    run(async {
        let test = "bus_faults::a_quiet_subscription";
        let Some((name, direct)) = schema(test, "").await else { return };
        let (proxy, url) = through(test, &direct);
        let options = Options::default().timeout(TIMEOUT).prefix(format!("{name} "));
        let bus = options.bus(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        proxy.stall();
        proxy.redirect(Upstream::Tcp(other.local_addr().unwrap()));
        // Nobody asks it to, so it found out by itself.
        tokio::task::spawn_blocking(move || other.accept().unwrap()).await.unwrap();
        proxy.redirect(Upstream::Unix(Postgres::shared(test).unwrap().socket()));
        proxy.cut();
        proxy.resume();
        assert_eq!(news.next().await, Some(Delivery::Gap));
    });
}

#[test]
fn sessions_that_the_server_ends_are_made_anew() {
    run(async {
        let test = "bus_faults::sessions_that_the_server_ends";
        let Some((name, url)) = schema(test, "").await else { return };
        let named = format!("{url}&application_name={name}");
        let store = migrated(Options::default(), &named).await;
        let bus = Options::default().prefix(format!("{name} ")).bus(&named).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        bus.send("news", "before").await.unwrap();
        expect(&mut news, "before").await;
        let end = format!(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = '{name}'"
        );
        assert!(ask(&url, &end).await.iter().all(|ended| ended == "t"));
        assert_eq!(news.next().await, Some(Delivery::Gap));
        recovered("store, session ended", async || store.get(key("k")).await).await;
        recovered("bus, session ended", async || bus.send("news", "after").await).await;
        expect(&mut news, "after").await;
    });
}

#[test]
fn a_subscription_that_is_not_read_is_bounded_and_shows_a_gap() {
    run(async {
        let Some((name, url)) = schema("bus_faults::a_subscription_that_is_not_read", "").await else {
            return;
        };
        let bus = Options::default().queue_capacity(3).prefix(format!("{name} ")).bus(&url).await.unwrap();
        let mut slow = bus.subscribe("news".into()).await.unwrap();
        let mut end = bus.subscribe("end".into()).await.unwrap();
        for body in ["0", "1", "2", "3", "4", "5"] {
            bus.send("news", body).await.unwrap();
        }
        bus.send("end", "end").await.unwrap();
        expect(&mut end, "end").await;
        for body in ["0", "1", "2"] {
            expect(&mut slow, body).await;
        }
        assert_eq!(slow.next().await, Some(Delivery::Gap));
        bus.send("news", "on").await.unwrap();
        expect(&mut slow, "on").await;
    });
}

#[test]
fn a_dropped_subscription_is_ended_on_the_server() {
    run(async {
        let Some((name, url)) = schema("bus_faults::a_dropped_subscription", "").await else { return };
        let bus = Options::default().prefix(format!("{name} ")).bus(&url).await.unwrap();
        let news = bus.subscribe("news".into()).await.unwrap();
        let mut other = bus.subscribe("other".into()).await.unwrap();
        let last =
            "SELECT query FROM pg_stat_activity WHERE query LIKE '%LISTEN%' AND pid <> pg_backend_pid()";
        drop(news);
        bus.send("other", "heard").await.unwrap();
        expect(&mut other, "heard").await;
        while !ask(&url, last).await.contains(&format!("UNLISTEN \"{name} news\"")) {}
    });
}

#[test]
fn characters_that_are_escaped_count_twice() {
    run(async {
        let Some((name, url)) = schema("bus_faults::characters_that_are_escaped", "").await else { return };
        let bus = Options::default().prefix(format!("{name} ")).bus(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        let most = "\0".repeat(3_999);
        bus.send("news", most.clone()).await.unwrap();
        let more = bus.send("news", most.clone() + "\0").await.unwrap_err();
        assert_eq!(more.kind(), ErrorKind::TooLarge { size: 8_000, limit: 7_999 });
        assert_eq!(news.next().await, Some(Delivery::Message(most.into())));
        let wide = Options::default()
            .prefix(format!("{name} "))
            .bus_limits(BusLimits::default())
            .bus(&url)
            .await
            .unwrap();
        assert!(matches!(
            wide.send("news", "x".repeat(8_000)).await.unwrap_err().kind(),
            ErrorKind::TooLarge { .. }
        ));
    });
}

#[test]
fn what_others_notify_is_delivered_as_it_is() {
    run(async {
        let Some((name, url)) = schema("bus_faults::what_others_notify", "").await else { return };
        let bus = Options::default().prefix(format!("{name} ")).bus(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        // The escape of this crate's messages, cut short, before something else, and doubled.
        for body in ["", "\u{1b}", "a\u{1b}x", "\u{1b}\u{1b}", "\u{1b}\u{e9}"] {
            ask(&url, &format!("SELECT pg_notify('{name} news', '{body}')")).await;
            expect(&mut news, body).await;
        }
    });
}
