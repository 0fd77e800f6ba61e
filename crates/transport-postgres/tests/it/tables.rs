//! The tables: who makes them, what others see in them and do to them.

use test_servers::Postgres;
use transport_postgres::{Options, PostgresBus, PostgresStore};
use transport_traits::{DataStore, DataStoreExt, ErrorKind, Record, RecordKey};

use crate::support::{ask, key, migrated, number, run, schema};

#[test]
fn any_client_reads_a_record_and_may_write_one() {
    run(async {
        let Some((_, url)) = schema("tables::any_client_reads_a_record", "").await else { return };
        let store = migrated(Options::default(), &url).await;
        let first =
            store.create(key("ann"), Record::new(r#"{"coins":1}"#).with_users(["7".into()])).await.unwrap();
        let coins = "SELECT value->'coins' FROM nexus_records WHERE store = 'players' AND '7' = ANY(users)";
        assert_eq!(ask(&url, coins).await, ["1"]);

        ask(&url, r#"UPDATE nexus_records SET value = value || '{"coins": 5}', version = DEFAULT"#).await;
        ask(&url, r#"INSERT INTO nexus_records (store, key, value) VALUES ('players', 'bob', '{"n": 1}')"#)
            .await;
        let stale = store.compare_and_swap(key("ann"), first, number(2)).await;
        assert_eq!(stale.unwrap_err().kind(), ErrorKind::Conflict, "others changed it");
        let bob = store.get(key("bob")).await.unwrap().unwrap();
        assert_eq!((&*bob.record.value, &*bob.record.metadata), (r#"{"n": 1}"#, ""));
        store.compare_and_swap(key("bob"), bob.version, number(2)).await.unwrap();
        assert_eq!(store.versions(key("bob")).await.unwrap().len(), 2);
    });
}

#[test]
fn what_others_put_into_a_row_is_reported() {
    run(async {
        let Some((_, url)) = schema("tables::what_others_put", "").await else { return };
        let store = migrated(Options::default(), &url).await;
        store.create(key("ann"), number(1)).await.unwrap();
        for bad in ["users = '{NULL}'", "modified = 'infinity'"] {
            ask(&url, &format!("UPDATE nexus_records SET {bad}")).await;
            assert_eq!(store.get(key("ann")).await.unwrap_err().kind(), ErrorKind::Malformed, "{bad}");
        }
        ask(&url, "ALTER TABLE nexus_records ADD CONSTRAINT theirs CHECK (value ? 'n')").await;
        let refused = store.create(key("bob"), Record::new("{}")).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    });
}

#[test]
fn numbers_keep_their_value_and_not_their_spelling() {
    run(async {
        let Some((_, url)) = schema("tables::numbers_keep_their_value", "").await else { return };
        let store = migrated(Options::default(), &url).await;
        let numbers = Record::new(r#"{"a":[1e5,1.50,-0,1E-3,18446744073709551615,0.1]}"#);
        store.create(key("ann"), numbers).await.unwrap();
        let stored = store.get(key("ann")).await.unwrap().unwrap();
        assert_eq!(*stored.record.value, *r#"{"a": [100000, 1.50, 0, 0.001, 18446744073709551615, 0.1]}"#);
        let small = store.create(key("bob"), Record::new(r#"{"a":1e-20000}"#)).await;
        assert_eq!(small.unwrap_err().kind(), ErrorKind::Invalid, "more digits than the server has");
    });
}

#[test]
fn odd_names_of_any_length_fit_in_the_index() {
    run(async {
        let Some((_, url)) = schema("tables::odd_names_of_any_length", "").await else { return };
        let store = migrated(Options::default(), &url).await;
        // What differs cannot be compressed.
        let odd = |length: u32| -> String {
            let letters =
                (0..length).map(|n| if n.wrapping_mul(2_654_435_761) >> 31 == 0 { '\0' } else { '\u{1b}' });
            letters.collect()
        };
        let largest = RecordKey::new(odd(255), odd(1_024));
        store.create(largest.clone(), number(1).with_users([odd(9).into()])).await.unwrap();
        store
            .compare_and_swap(
                largest.clone(),
                store.get(largest.clone()).await.unwrap().unwrap().version,
                number(2),
            )
            .await
            .unwrap();
        let states = store.versions(largest.clone()).await.unwrap();
        let first = store.get_version(largest, states[1].version.clone()).await.unwrap().unwrap();
        assert_eq!(*first.record.users[0], *odd(9));
    });
}

#[test]
fn without_tables_a_store_says_who_makes_them() {
    run(async {
        let Some((_, url)) = schema("tables::without_tables", "").await else { return };
        let missing = PostgresStore::connect(&url).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Unavailable);
        assert!(missing.to_string().contains("migrate"), "{missing}");
        PostgresBus::connect(&url).await.unwrap();
        let made = futures::future::join_all((0..4).map(|_| PostgresStore::migrate(&url))).await;
        assert!(made.iter().all(Result::is_ok), "at the same time, and again: {made:?}");
        let store = PostgresStore::connect(&url).await.unwrap();
        store.create(key("ann"), number(1)).await.unwrap();
        PostgresStore::migrate(&url).await.unwrap();
        assert!(store.get(key("ann")).await.unwrap().is_some());

        ask(&url, "DROP TABLE nexus_records, nexus_history").await;
        for error in
            [store.get(key("ann")).await.unwrap_err(), store.create(key("bob"), number(1)).await.unwrap_err()]
        {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.to_string().contains("tables are missing"), "{error}");
        }
    });
}

#[test]
fn tables_of_others_and_other_encodings_are_refused_and_left_alone() {
    run(async {
        let test = "tables::tables_of_others";
        let Some((_, url)) = schema(test, "").await else { return };
        for theirs in ["CREATE TABLE nexus_records (a int)", "COMMENT ON TABLE nexus_records IS 'format 2'"] {
            ask(&url, theirs).await;
            for refused in [PostgresStore::migrate(&url).await, PostgresStore::connect(&url).await.map(drop)]
            {
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid, "{theirs}");
            }
        }
        assert_eq!(ask(&url, "SELECT count(*) FROM nexus_records").await, ["0"]);

        let server = Postgres::shared(test).unwrap();
        ask(&server.url("postgres"), "CREATE DATABASE latin ENCODING latin1 LOCALE 'C' TEMPLATE template0")
            .await;
        let latin = server.url("latin");
        for refused in [PostgresStore::migrate(&latin).await, PostgresBus::connect(&latin).await.map(drop)] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
        }
        let long = Options::default().prefix("x".repeat(21)).bus(&url).await;
        assert_eq!(long.unwrap_err().kind(), ErrorKind::Invalid, "a prefix that names cannot hold");
    });
}
