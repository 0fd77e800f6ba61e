//! Servers that die, stall, fill up and forget, under a store.

use std::time::Duration;

use futures::future::join_all;
use test_servers::{Nats, Proxy, Upstream, recovered};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use transport_nats::{NatsStore, Options};
use transport_traits::{DataStore, DataStoreExt, Error, ErrorKind, Precondition, Record};

use crate::support::{key, number, number_of, run};

fn is_of_a_lost_connection(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unknown | ErrorKind::Unavailable)
}

/// Writes rising numbers until a write fails, and says when it has come some way: the last one that was acknowledged, and
/// whether the one that failed may be there too.
async fn write_until_it_fails(store: &NatsStore, name: &str, came_far: &UnboundedSender<()>) -> (u64, bool) {
    for n in 1.. {
        if n == 50 {
            came_far.send(()).unwrap();
        }
        if let Err(error) = store.put(key(name), number(n), Precondition::Always).await {
            assert!(is_of_a_lost_connection(&error), "{error}");
            return (n - 1, error.kind() == ErrorKind::Unknown);
        }
    }
    unreachable!("the loop has no end")
}

/// Runs writers until `fault` stops them all, brings the server back with `heal`, and looks for what was acknowledged.
async fn check_nothing_is_lost(
    what: &str,
    store: &NatsStore,
    mut fault: impl FnMut(),
    mut heal: impl FnMut(),
) {
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
        fault();
        let acknowledged = work.await.unwrap();
        heal();
        recovered(what, async || store.get(key("0 0")).await).await;
        for (name, (n, one_more)) in names.iter().zip(acknowledged) {
            // What surely failed is not there.
            let found = number_of(store, name).await;
            assert!(
                found == n || (one_more && found == n + 1),
                "{name}: {n} was acknowledged, {found} is there"
            );
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_the_same_store_goes_on() {
    let Some(server) = Nats::start_durable("store_faults::what_was_acknowledged_survives_a_kill") else {
        return;
    };
    run(async {
        let store = NatsStore::connect(&server.url()).await.unwrap();
        let server = std::cell::RefCell::new(server);
        check_nothing_is_lost(
            "store, server killed",
            &store,
            || server.borrow_mut().kill(),
            || server.borrow_mut().restart(),
        )
        .await;
    });
}

#[test]
fn a_server_that_is_down_is_unavailable() {
    let Some(mut server) = Nats::start("store_faults::a_server_that_is_down", "") else { return };
    run(async {
        let store = NatsStore::connect(&server.url()).await.unwrap();
        server.kill();
        // The first call may be the one that finds the connection broken.
        let first = store.put(key("k"), number(1), Precondition::Always).await.unwrap_err();
        assert!(is_of_a_lost_connection(&first), "{first}");
        let put = store.put(key("k"), number(1), Precondition::Always).await.unwrap_err();
        let get = store.get(key("k")).await.unwrap_err();
        let connect = NatsStore::connect(&server.url()).await.unwrap_err();
        assert_eq!([put, get, connect].map(|error| error.kind()), [ErrorKind::Unavailable; 3]);
    });
}

#[test]
fn a_connection_that_is_cut_under_load_loses_nothing_that_was_acknowledged() {
    let Some(server) = Nats::start("store_faults::a_connection_that_is_cut", "") else { return };
    run(async {
        let proxy = Proxy::start(Upstream::Tcp(server.address()));
        let store = NatsStore::connect(&format!("nats://{}", proxy.address())).await.unwrap();
        let server = Upstream::Tcp(server.address());
        // Or a writer that had nothing in flight would go on on the next connection.
        let cut = || {
            proxy.redirect(Upstream::Unix("/nowhere".into()));
            proxy.cut();
        };
        let heal = || proxy.redirect(server.clone());
        check_nothing_is_lost("store, connection cut", &store, cut, heal).await;
    });
}

#[test]
fn calls_on_a_stalled_connection_end_and_say_what_may_have_happened() {
    let Some(server) = Nats::start("store_faults::calls_on_a_stalled_connection", "") else { return };
    run(async {
        let proxy = Proxy::start(Upstream::Tcp(server.address()));
        let url = format!("nats://{}", proxy.address());
        let store = Options::default().timeout(Duration::from_secs(1)).store(&url).await.unwrap();
        let version = store.create(key("k"), number(1)).await.unwrap();
        proxy.stall();
        let put = store.put(key("k"), number(2), Precondition::Always).await.unwrap_err();
        assert_eq!(put.kind(), ErrorKind::Unknown);
        let get = store.get(key("k")).await.unwrap_err();
        assert_eq!(get.kind(), ErrorKind::Unavailable);
        let swap = store.compare_and_swap(key("k"), version, number(3)).await.unwrap_err();
        assert_eq!(swap.kind(), ErrorKind::Unavailable, "it had not come to the write");
        proxy.resume();
        let stored = recovered("store, connection stalled", async || store.get(key("k")).await).await;
        let version = stored.unwrap().version;
        store.compare_and_swap(key("k"), version, number(4)).await.unwrap();
    });
}

#[test]
fn after_a_failover_to_an_empty_server_old_versions_conflict() {
    let test = "store_faults::after_a_failover_to_an_empty_server";
    let (Some(first), Some(second)) = (Nats::start(test, ""), Nats::start(test, "")) else { return };
    run(async {
        let proxy = Proxy::start(Upstream::Tcp(first.address()));
        let store = NatsStore::connect(&format!("nats://{}", proxy.address())).await.unwrap();
        let before = store.create(key("k"), number(1)).await.unwrap();
        proxy.redirect(Upstream::Tcp(second.address()));
        proxy.cut();
        let there = recovered("store, failover to an empty server", async || store.get(key("k")).await).await;
        assert_eq!(there, None);
        let now = store.create(key("k"), number(1)).await.unwrap();
        let sequence =
            |version: &transport_traits::Version| version.as_str().split('-').next().unwrap().to_owned();
        assert_eq!(sequence(&before), sequence(&now), "the server counts from the beginning again");
        assert_ne!(before, now);
        let stale = store.compare_and_swap(key("k"), before.clone(), number(2)).await.unwrap_err();
        let gone = store.delete(key("k"), Precondition::Is(before.clone())).await.unwrap_err();
        assert_eq!([stale, gone].map(|error| error.kind()), [ErrorKind::Conflict; 2]);
        assert_eq!(store.get_version(key("k"), before).await.unwrap(), None);
        store.compare_and_swap(key("k"), now, number(2)).await.unwrap();
    });
}

#[test]
fn a_bucket_that_was_deleted_is_made_again() {
    let Some(server) = Nats::start("store_faults::a_bucket_that_was_deleted", "") else { return };
    run(async {
        let store = NatsStore::connect(&server.url()).await.unwrap();
        let before = store.create(key("k"), number(1)).await.unwrap();
        let client = async_nats::connect(server.url()).await.unwrap();
        async_nats::jetstream::new(client).delete_stream("KV_nexus").await.unwrap();
        let refused = store.put(key("k"), number(2), Precondition::Always).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable, "it surely was not written");
        assert_eq!(store.get(key("k")).await.unwrap(), None);
        store.create(key("k"), number(3)).await.unwrap();
        let stale = store.compare_and_swap(key("k"), before, number(4)).await.unwrap_err();
        assert_eq!(stale.kind(), ErrorKind::Conflict);
    });
}

/// Numbers, each in a record of about 100 KB.
fn large(n: usize) -> Record {
    Record::new(format!(r#"{{"n":{n},"filling":"{}"}}"#, "x".repeat(100_000)))
}

#[test]
fn a_full_server_refuses_writes_and_keeps_what_it_has() {
    let test = "store_faults::a_full_server";
    let Some(mut server) = Nats::start(test, "jetstream.max_file_store: 1048576") else { return };
    run(async {
        let store = NatsStore::connect(&server.url()).await.unwrap();
        let mut written = 0;
        let full = loop {
            match store.create(key(&written.to_string()), large(written)).await {
                Ok(_) => written += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(full.kind(), ErrorKind::Unavailable, "{full:?}");
        assert!(written >= 5, "{written} records fit");
        for n in 0..written {
            assert_eq!(number_of(&store, &n.to_string()).await, n as u64);
        }
        assert_eq!(
            store.get(key(&written.to_string())).await.unwrap(),
            None,
            "what is refused is not written"
        );
        server.configure("jetstream.max_file_store: 10485760");
        server.restart();
        let name = written.to_string();
        recovered("store, server no longer full", async || store.create(key(&name), large(written)).await)
            .await;
        assert_eq!(number_of(&store, "0").await, 0);
    });
}

#[test]
fn on_a_full_disk_nothing_acknowledged_is_lost() {
    let Some(mut server) = Nats::start_durable("store_faults::on_a_full_disk_nothing_acknowledged_is_lost")
    else {
        return;
    };
    server.restart_on_a_disk_of(1_024);
    run(async {
        let options = Options::default().timeout(Duration::from_secs(1));
        let store = options.store(&server.url()).await.unwrap();
        let mut acknowledged = 0;
        let full = loop {
            match store.create(key(&acknowledged.to_string()), large(acknowledged)).await {
                Ok(_) => acknowledged += 1,
                Err(error) => break error,
            }
        };
        assert!(is_of_a_lost_connection(&full), "{full:?}");
        assert!((5..20).contains(&acknowledged), "{acknowledged} records");
        server.restart();
        recovered("store, disk no longer full", async || store.get(key("0")).await).await;
        for n in 0..acknowledged {
            assert_eq!(number_of(&store, &n.to_string()).await, n as u64);
        }
        store.put(key("0"), large(0), Precondition::Always).await.unwrap();
    });
}
