//! Servers that die, stall, fill up and forget, under a store.

use std::cell::RefCell;
use std::time::Duration;

use futures::future::join_all;
use test_servers::{Proxy, Redis, Upstream, recovered};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use transport_redis::{Options, RedisStore};
use transport_traits::{DataStore, DataStoreExt, ErrorKind, Precondition, Record};

use crate::support::{ask, durable, is_of_a_lost_connection, key, number, number_of, run};

/// Writes rising numbers until a write fails, and says when it has come some way: the last one that was acknowledged, and
/// whether the one that failed may be there too.
async fn write_until_it_fails(store: &RedisStore, name: &str, came_far: &UnboundedSender<()>) -> (u64, bool) {
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
    store: &RedisStore,
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
    let Some(server) = durable("store_faults::what_was_acknowledged_survives_a_kill") else { return };
    run(async {
        let store = RedisStore::connect(&server.url()).await.unwrap();
        let server = RefCell::new(server);
        let kill = || server.borrow_mut().kill();
        check_nothing_is_lost("store, server killed", &store, kill, || server.borrow_mut().restart()).await;
    });
}

#[test]
fn what_was_acknowledged_survives_connections_that_are_cut() {
    let Some(server) = Redis::start("store_faults::connections_that_are_cut", &[]) else { return };
    run(async {
        let proxy = Proxy::start(Upstream::Unix(server.socket()));
        let store = RedisStore::connect(&format!("redis://{}", proxy.address())).await.unwrap();
        // Nor can one be made anew, or a writer that waits for no answer just then would not notice.
        let cut = || {
            proxy.redirect(Upstream::Unix("nowhere".into()));
            proxy.cut();
        };
        let heal = || proxy.redirect(Upstream::Unix(server.socket()));
        check_nothing_is_lost("store, connection cut", &store, cut, heal).await;
    });
}

#[test]
fn a_server_that_is_down_is_unavailable() {
    let Some(mut server) = Redis::start("store_faults::a_server_that_is_down", &[]) else { return };
    run(async {
        let store = RedisStore::connect(&server.url()).await.unwrap();
        server.kill();
        // The first call may be the one that finds the connection broken.
        let first = store.put(key("k"), number(1), Precondition::Always).await.unwrap_err();
        assert!(is_of_a_lost_connection(&first), "{first}");
        let put = store.put(key("k"), number(1), Precondition::Always).await.unwrap_err();
        let get = store.get(key("k")).await.unwrap_err();
        assert_eq!([put.kind(), get.kind()], [ErrorKind::Unavailable; 2]);
    });
}

#[test]
fn what_a_stalled_server_was_asked_to_write_is_unknown() {
    let Some(server) = Redis::start("store_faults::a_stalled_server", &[]) else { return };
    run(async {
        let proxy = Proxy::start(Upstream::Unix(server.socket()));
        let options = Options::default().timeout(Duration::from_millis(200));
        let store = options.store(&format!("redis://{}", proxy.address())).await.unwrap();
        store.create(key("k"), number(1)).await.unwrap();
        proxy.stall();
        let put = store.put(key("k"), number(2), Precondition::Always).await.unwrap_err();
        assert_eq!(put.kind(), ErrorKind::Unknown, "{put}");
        let get = store.get(key("k")).await.unwrap_err();
        assert_eq!(get.kind(), ErrorKind::Unavailable, "{get}");
        proxy.resume();
        recovered("store, connection stalled", async || store.get(key("k")).await).await;
        let found = number_of(&store, "k").await;
        assert!((1..=2).contains(&found), "{found}");
    });
}

/// Numbers, each in a record of about 4 KiB.
fn large(n: u64) -> Record {
    Record::new(format!(r#"{{"n":{n},"filler":"{}"}}"#, "x".repeat(4_096)))
}

#[test]
fn on_a_full_disk_nothing_acknowledged_is_lost() {
    let Some(mut server) = durable("store_faults::on_a_full_disk") else { return };
    server.restart_on_a_disk_of(256);
    run(async {
        let store = RedisStore::connect(&server.url()).await.unwrap();
        let mut acknowledged = 0;
        let full = loop {
            match store.put(key("k"), large(acknowledged + 1), Precondition::Always).await {
                Ok(_) => acknowledged += 1,
                Err(error) => break error,
            }
        };
        assert!(is_of_a_lost_connection(&full), "{full}");
        assert!(acknowledged > 10, "{acknowledged} is too few to have filled it");
        server.restart();
        recovered("store, disk full", async || store.get(key("k")).await).await;
        let found = number_of(&store, "k").await;
        let one_more = full.kind() == ErrorKind::Unknown;
        assert!(
            found == acknowledged || (one_more && found == acknowledged + 1),
            "{acknowledged} acknowledged, {found} found"
        );
        store.put(key("k"), large(0), Precondition::Always).await.unwrap();
    });
}

#[test]
fn a_server_that_cannot_save_or_has_no_memory_refuses_writes_and_goes_on_reading() {
    let test = "store_faults::a_server_that_cannot_save_or_has_no_memory";
    let Some(mut unsaved) = Redis::start(test, &["--appendonly", "yes"]) else { return };
    let Some(small) = Redis::start(test, &["--maxmemory", "4mb", "--maxmemory-policy", "noeviction"]) else {
        return;
    };
    unsaved.restart_on_a_disk_of(256);
    run(async {
        for server in [unsaved, small] {
            let store = Options::default().history_versions(1_000).store(&server.url()).await.unwrap();
            store.create(key("first"), number(1)).await.unwrap();
            let refused = loop {
                if let Err(error) = store.put(key("k"), large(1), Precondition::Always).await {
                    break error;
                }
            };
            assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
            assert_eq!(number_of(&store, "first").await, 1);
        }
    });
}

#[test]
fn a_flushed_script_cache_is_not_noticed() {
    let Some(server) = Redis::start("store_faults::a_flushed_script_cache", &[]) else { return };
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
fn after_a_failover_to_an_empty_server_old_versions_conflict() {
    let test = "store_faults::after_a_failover";
    let (Some(old), Some(empty)) = (Redis::start(test, &[]), Redis::start(test, &[])) else { return };
    run(async {
        let proxy = Proxy::start(Upstream::Unix(old.socket()));
        let store = RedisStore::connect(&format!("redis://{}", proxy.address())).await.unwrap();
        let before = store.create(key("k"), number(1)).await.unwrap();
        proxy.redirect(Upstream::Unix(empty.socket()));
        drop(old);
        let gone = recovered("store, failover", async || store.get(key("k")).await).await;
        assert_eq!(gone, None);
        store.create(key("k"), number(1)).await.unwrap();
        let stale = store.compare_and_swap(key("k"), before, number(2)).await;
        assert_eq!(stale.unwrap_err().kind(), ErrorKind::Conflict);
    });
}
