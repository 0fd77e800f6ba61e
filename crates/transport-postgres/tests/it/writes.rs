//! Writes of the same record at the same time, and what the history keeps of them.

use std::collections::BTreeSet;

use futures::future::join_all;
use transport_postgres::{Options, PostgresStore};
use transport_traits::{DataStore, Precondition};

use crate::support::{ask, key, migrated, number, run, schema};

/// Writes and deletes one record, from several stores at once: the versions that were given.
async fn race(stores: &[PostgresStore], rounds: u64) -> Vec<String> {
    let write = async |store: &PostgresStore| {
        let mut given = Vec::new();
        for n in 0..rounds {
            let version = store.put(key("k"), number(n), Precondition::Always).await.unwrap();
            given.push(version.to_string());
            if n % 3 == 0 {
                store.delete(key("k"), Precondition::Always).await.unwrap();
            }
        }
        given
    };
    join_all(stores.iter().map(write)).await.concat()
}

#[test]
fn of_racing_writes_and_deletions_the_history_has_every_state_once() {
    run(async {
        let Some((_, url)) = schema("writes::of_racing_writes", "").await else { return };
        let options = Options::default().history_versions(10_000);
        let first = migrated(options.clone(), &url).await;
        let stores = [first, options.clone().store(&url).await.unwrap(), options.store(&url).await.unwrap()];
        let given = race(&stores, 60).await;
        let known = stores[0].versions(key("k")).await.unwrap();
        let written: Vec<_> =
            known.iter().filter(|info| !info.deleted).map(|info| info.version.to_string()).collect();
        assert_eq!(BTreeSet::from_iter(&written), BTreeSet::from_iter(&given));
        assert_eq!(written.len(), given.len(), "each once");
        let twice = known.windows(2).any(|states| states[0].deleted && states[1].deleted);
        assert!(!twice, "what is deleted is not deleted again: {known:?}");
    });
}

#[test]
fn racing_writes_leave_a_history_that_is_bounded() {
    run(async {
        let Some((_, url)) = schema("writes::racing_writes_leave", "").await else { return };
        let options = Options::default().history_versions(5);
        let stores = [migrated(options.clone(), &url).await, options.store(&url).await.unwrap()];
        race(&stores, 40).await;
        for keep in [5, 1, 0] {
            let count = "SELECT count(*) FROM nexus_history";
            let store = Options::default().history_versions(keep).store(&url).await.unwrap();
            store.put(key("k"), number(1), Precondition::Always).await.unwrap();
            assert_eq!(ask(&url, count).await, [keep.to_string()], "after a write");
            store.delete(key("k"), Precondition::Always).await.unwrap();
            assert_eq!(ask(&url, count).await, [keep.to_string()], "after a deletion");
            store.put(key("k"), number(2), Precondition::Absent).await.unwrap();
            assert_eq!(ask(&url, count).await, [keep.to_string()], "after a creation");
        }
    });
}
