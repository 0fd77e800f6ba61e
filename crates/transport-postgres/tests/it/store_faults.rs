//! What happens to records when the connection or the server is in trouble.

use std::fmt::Write;

use futures::StreamExt;
use futures::future::join_all;
use test_servers::{Postgres, recovered};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_postgres::NoTls;
use transport_postgres::{Options, PostgresBus, PostgresStore};
use transport_traits::{
    DataStore, DataStoreExt, Delivery, ErrorKind, Precondition, PublisherExt, Record, Subscriber,
};

use crate::support::{TIMEOUT, ask, expect, key, migrated, number, number_of, run, schema, through};

/// Writes rising numbers until a write fails, and says when it has come some way: the last one that was acknowledged, and
/// whether the one that failed may be there too.
async fn write_until_it_fails(
    store: &PostgresStore,
    name: &str,
    came_far: &UnboundedSender<()>,
) -> (u64, bool) {
    for n in 1.. {
        if n == 10 {
            came_far.send(()).unwrap();
        }
        if let Err(error) = store.put(key(name), number(n), Precondition::Always).await {
            assert!(matches!(error.kind(), ErrorKind::Unknown | ErrorKind::Unavailable), "{error}");
            return (n - 1, error.kind() == ErrorKind::Unknown);
        }
    }
    unreachable!("the loop has no end")
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_the_same_store_goes_on() {
    let test = "store_faults::what_was_acknowledged_survives_a_kill";
    let Some(mut server) = Postgres::start(test, &["fsync=on"]) else { return };
    run(async {
        let store = migrated(Options::default(), &server.url("postgres")).await;
        for round in 0..2 {
            let names: Vec<String> = (0..8).map(|n| format!("{round} {n}")).collect();
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
            recovered("store, server killed", async || store.get(key("0 0")).await).await;
            for (name, (n, one_more)) in names.iter().zip(acknowledged) {
                // What surely failed is not there.
                let found = number_of(&store, name).await;
                assert!(
                    found == n || (one_more && found == n + 1),
                    "{name}: {n} was acknowledged, {found} is there"
                );
            }
        }
    });
}

#[test]
fn a_write_whose_connection_ends_is_unknown_and_the_next_one_works() {
    run(async {
        let test = "store_faults::a_write_whose_connection_ends";
        let Some((_, direct)) = schema(test, "").await else { return };
        migrated(Options::default(), &direct).await.create(key("k"), number(0)).await.unwrap();
        let (proxy, url) = through(test, &direct);
        let store = Options::default().connections(1).store(&url).await.unwrap();
        // A connection prepares a statement when it first needs it, which does nothing yet.
        store.put(key("k"), number(1), Precondition::Always).await.unwrap();
        for (n, end) in ["cut", "ended by the server", "cut"].into_iter().enumerate() {
            // It holds the table, so that the write is under way when its connection ends.
            let (holder, connection) = tokio_postgres::connect(&direct, NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            holder.batch_execute("BEGIN; LOCK TABLE nexus_records IN EXCLUSIVE MODE").await.unwrap();
            let waiting = "FROM pg_locks WHERE relation = 'nexus_records'::regclass AND NOT granted";
            let disconnect = async {
                while ask(&direct, &format!("SELECT pid {waiting}")).await.is_empty() {}
                match end {
                    "cut" => proxy.cut(),
                    _ => drop(ask(&direct, &format!("SELECT pg_terminate_backend(pid) {waiting}")).await),
                }
            };
            let (put, ()) = tokio::join!(store.put(key("k"), number(2), Precondition::Always), disconnect);
            assert_eq!(put.unwrap_err().kind(), ErrorKind::Unknown, "{n}: {end}");
            drop(holder);
            connection.await.unwrap().unwrap();
            let write = async || store.put(key("k"), number(3), Precondition::Always).await;
            recovered(&format!("store, connection {end}"), write).await;
        }
        // The server finds out late that a client is gone: the write that is unknown may come last.
        assert!([2, 3].contains(&number_of(&store, "k").await));
    });
}

#[test]
fn a_connection_without_a_sign_of_life_is_given_up_and_replaced() {
    run(async {
        let test = "store_faults::a_connection_without_a_sign_of_life";
        let Some((name, direct)) = schema(test, "").await else { return };
        migrated(Options::default(), &direct).await.create(key("k"), number(1)).await.unwrap();
        let (proxy, url) = through(test, &direct);
        let options = Options::default().timeout(TIMEOUT).prefix(format!("{name} "));
        let store = options.clone().prefix("nexus_").store(&url).await.unwrap();
        let bus = options.clone().bus(&url).await.unwrap();
        let mut news = bus.subscribe("news".into()).await.unwrap();
        store.put(key("k"), number(1), Precondition::Always).await.unwrap();
        bus.send("news", "before").await.unwrap();
        expect(&mut news, "before").await;
        proxy.stall();
        let put = store.put(key("k"), number(2), Precondition::Always);
        let (put, sent, got) = tokio::join!(put, bus.send("news", "x"), store.get(key("k")));
        assert_eq!(put.unwrap_err().kind(), ErrorKind::Unknown);
        assert_eq!(sent.unwrap_err().kind(), ErrorKind::Unknown);
        assert_eq!(got.unwrap_err().kind(), ErrorKind::Unavailable);
        proxy.cut();
        proxy.resume();
        assert_eq!(news.next().await, Some(Delivery::Gap));
        recovered("store, connection stalled", async || store.get(key("k")).await).await;
        recovered("bus, connection stalled", async || bus.send("news", "after").await).await;
        expect(&mut news, "after").await;
    });
}

#[test]
fn a_write_that_waits_too_long_for_others_surely_did_not_happen() {
    run(async {
        let Some((_, url)) = schema("store_faults::a_write_that_waits_too_long", "").await else { return };
        let store = migrated(Options::default().timeout(TIMEOUT), &url).await;
        store.create(key("k"), number(1)).await.unwrap();
        let (holder, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        holder.batch_execute("BEGIN; LOCK TABLE nexus_records IN EXCLUSIVE MODE").await.unwrap();
        let late = store.put(key("k"), number(2), Precondition::Always).await.unwrap_err();
        assert_eq!(late.kind(), ErrorKind::Unavailable, "{late:?}");
        holder.batch_execute("COMMIT").await.unwrap();
        assert_eq!(number_of(&store, "k").await, 1);
        store.put(key("k"), number(2), Precondition::Always).await.unwrap();
    });
}

#[test]
fn calls_beyond_the_connections_wait_for_their_turn() {
    run(async {
        let Some((name, url)) = schema("store_faults::calls_beyond", "").await else { return };
        let named = format!("{url}&application_name={name}");
        let store = migrated(Options::default().connections(2), &named).await;
        let calls = (0..50).map(|n| store.put(key(&n.to_string()), number(n), Precondition::Absent));
        assert!(futures::future::join_all(calls).await.iter().all(Result::is_ok));
        let count = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
        assert_eq!(ask(&url, &count).await, ["2"]);
    });
}

#[test]
fn a_call_that_gets_no_connection_in_time_surely_did_not_happen() {
    run(async {
        let test = "store_faults::a_call_that_gets_no_connection_in_time_surely_did_not_happen";
        let Some((_, direct)) = schema(test, "").await else { return };
        migrated(Options::default(), &direct).await;
        let (proxy, url) = through(test, &direct);
        let store = Options::default().timeout(TIMEOUT).connections(1).store(&url).await.unwrap();
        store.put(key("k"), number(1), Precondition::Always).await.unwrap();
        proxy.stall();
        let put = |n| store.put(key("k"), number(n), Precondition::Always);
        let (first, second) = tokio::join!(put(2), put(3));
        assert_eq!(first.unwrap_err().kind(), ErrorKind::Unknown, "it has the connection");
        assert_eq!(second.unwrap_err().kind(), ErrorKind::Unavailable);
        proxy.resume();
        recovered("store, no connection left", async || store.get(key("k")).await).await;
        assert!([1, 2].contains(&number_of(&store, "k").await));
    });
}

#[test]
fn on_a_server_that_lost_everything_old_versions_conflict() {
    let Some(mut server) = Postgres::start("store_faults::on_a_server_that_lost_everything", &[]) else {
        return;
    };
    run(async {
        let store = migrated(Options::default(), &server.url("postgres")).await;
        let before = store.create(key("k"), number(1)).await.unwrap();
        server.wipe();
        server.restart();
        let back = async || match store.get(key("k")).await {
            Err(error) if !error.to_string().contains("tables") => Err(error),
            other => Ok(other),
        };
        assert!(recovered("store, server lost everything", back).await.is_err());
        let empty = store.create(key("k"), number(1)).await.unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::Unavailable);
        assert!(empty.to_string().contains("tables are missing"), "{empty}");
        PostgresStore::migrate(&server.url("postgres")).await.unwrap();
        assert_eq!(store.get(key("k")).await.unwrap(), None);
        store.create(key("k"), number(1)).await.unwrap();
        let stale = store.compare_and_swap(key("k"), before, number(2)).await;
        assert_eq!(stale.unwrap_err().kind(), ErrorKind::Conflict);
    });
}

#[test]
fn a_server_that_follows_another_is_read_and_not_written() {
    let Some(mut server) = Postgres::start("store_faults::a_server_that_follows", &["hot_standby=on"]) else {
        return;
    };
    run(async {
        let url = server.url("postgres");
        let store = migrated(Options::default(), &url).await;
        let bus = PostgresBus::connect(&url).await.unwrap();
        store.create(key("k"), number(1)).await.unwrap();
        server.follow(true);
        server.restart();
        recovered("store, server restarted to follow", async || store.get(key("k")).await).await;
        let refused = store.put(key("k"), number(2), Precondition::Always).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
        let deaf = bus.subscribe("news".into()).await.err().unwrap();
        assert_eq!(deaf.kind(), ErrorKind::Unavailable, "{deaf}");
        drop(bus.send("news", "may find the old connection broken").await);
        assert_eq!(bus.send("news", "x").await.unwrap_err().kind(), ErrorKind::Unavailable);

        server.follow(false);
        server.restart();
        recovered("store, server restarted to lead", async || store.get(key("k")).await).await;
        store.put(key("k"), number(2), Precondition::Always).await.unwrap();
        assert_eq!(number_of(&store, "k").await, 2);
        let _news = bus.subscribe("news".into()).await.unwrap();
    });
}

/// A megabyte that cannot be compressed.
fn megabyte(seed: u64) -> Record {
    let mut state = seed;
    let mut letters = String::with_capacity(1 << 20);
    while letters.len() < 1 << 20 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        write!(letters, "{:08x}", state >> 32).unwrap();
    }
    Record::new(format!(r#"{{"n":{seed},"a":"{letters}"}}"#))
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let Some(mut server) = Postgres::start("store_faults::a_full_disk", &[]) else { return };
    server.restart_on_a_disk_of(20 * 1024);
    run(async {
        let url = server.url("postgres");
        let store = migrated(Options::default().history_versions(0), &url).await;
        let mut full = 0;
        let refused = loop {
            match store.create(key(&full.to_string()), megabyte(full)).await {
                Ok(_) => full += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused:?}");
        assert!((5..20).contains(&full), "{full} fit");
        for n in 0..full {
            assert_eq!(number_of(&store, &n.to_string()).await, n, "what was acknowledged is there");
        }
        assert_eq!(store.get(key(&full.to_string())).await.unwrap(), None, "what was refused is not");
        store.delete(key("0"), Precondition::Always).await.unwrap();
        ask(&url, "VACUUM nexus_records").await;
        store.create(key(&full.to_string()), megabyte(full)).await.unwrap();
    });
}
