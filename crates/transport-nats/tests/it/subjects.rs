//! What others see on the server, and what they leave there.

use async_nats::HeaderMap;
use futures::TryStreamExt;
use test_servers::Nats;
use transport_nats::{NatsStore, Options};
use transport_traits::{DataStore, DataStoreExt, ErrorKind, Precondition, RecordKey};

use crate::support::{key, number, put_by_hand, run};

#[test]
fn any_client_reads_a_record_and_the_history_is_bounded() {
    let Some(server) = Nats::start("subjects::any_client_reads_a_record", "") else { return };
    run(async {
        let store = NatsStore::connect(&server.url()).await.unwrap();
        let odd = RecordKey::new("a.b>", "PlayerList$1 \u{e9}=%");
        for record in [key("7"), odd.clone()] {
            for n in 0..20 {
                store.put(record.clone(), number(n), Precondition::Always).await.unwrap();
            }
        }
        let context = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
        let bucket = context.get_stream("KV_nexus").await.unwrap();
        for subject in ["$KV.nexus.players.7", "$KV.nexus.a=2Eb=3E.PlayerList=241=20=C3=A9=3D=25"] {
            let message = bucket.get_last_raw_message_by_subject(subject).await.unwrap();
            assert_eq!(message.payload, r#"{"n":19}"#);
        }
        assert_eq!(store.versions(odd).await.unwrap().len(), 17, "16 past states and the present one");
    });
}

#[test]
fn what_others_put_into_the_bucket_is_a_record_like_any_other() {
    let Some(server) = Nats::start("subjects::what_others_put", "") else { return };
    run(async {
        let store = NatsStore::connect(&server.url()).await.unwrap();
        put_by_hand(&server.url(), "$KV.nexus.players.7", HeaderMap::new(), br#"{"n":1}"#).await;
        let theirs = store.get(key("7")).await.unwrap().unwrap();
        assert_eq!(theirs.record, number(1));
        let taken = store.create(key("7"), number(2)).await.unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::Conflict);
        let ours = store.compare_and_swap(key("7"), theirs.version.clone(), number(2)).await.unwrap();
        assert_eq!(store.get_version(key("7"), theirs.version).await.unwrap().unwrap().record, number(1));

        for operation in ["DEL", "PURGE"] {
            let mut deletion = HeaderMap::new();
            deletion.insert("KV-Operation", operation);
            put_by_hand(&server.url(), "$KV.nexus.players.7", deletion, b"").await;
            assert_eq!(store.get(key("7")).await.unwrap(), None, "{operation}");
            let stale = store.compare_and_swap(key("7"), ours.clone(), number(3)).await.unwrap_err();
            assert_eq!(stale.kind(), ErrorKind::Conflict);
            assert!(store.list("players".into(), "".into()).try_next().await.unwrap().is_none());
            store.create(key("7"), number(3)).await.unwrap();
        }
    });
}

#[test]
fn what_is_no_record_is_reported_and_can_be_replaced() {
    let Some(server) = Nats::start("subjects::what_is_no_record", "") else { return };
    run(async {
        let store = NatsStore::connect(&server.url()).await.unwrap();
        let header = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value);
            headers
        };
        let bad = [
            (HeaderMap::new(), &b"\xff"[..]),
            (header("Nexus-Metadata", "no quotes"), b"{}"),
            (header("Nexus-Users", "no list"), b"{}"),
        ];
        for (headers, value) in bad {
            put_by_hand(&server.url(), "$KV.nexus.players.7", headers, value).await;
            assert_eq!(store.get(key("7")).await.unwrap_err().kind(), ErrorKind::Malformed);
        }
        store.put(key("7"), number(1), Precondition::Always).await.unwrap();
        assert_eq!(store.get(key("7")).await.unwrap().unwrap().record, number(1));
    });
}

#[test]
fn a_bucket_that_exists_is_taken_as_it_is() {
    let Some(server) = Nats::start("subjects::a_bucket_that_exists", "") else { return };
    run(async {
        let url = server.url();
        let first = Options::default().history_versions(2).store(&url).await.unwrap();
        let second = Options::default().history_versions(0).store(&url).await.unwrap();
        assert!(second.capabilities().history, "the bucket keeps it, whatever was asked for");
        for n in 0..5 {
            second.put(key("k"), number(n), Precondition::Always).await.unwrap();
        }
        assert_eq!(first.versions(key("k")).await.unwrap().len(), 3);
        let other = Options::default().history_versions(0).bucket("other").store(&url).await.unwrap();
        assert!(!other.capabilities().history);
        assert_eq!(other.get(key("k")).await.unwrap(), None);
    });
}

#[test]
fn replicas_need_a_cluster() {
    let Some(server) = Nats::start("subjects::replicas_need_a_cluster", "") else { return };
    run(async {
        let refused = Options::default().replicas(3).store(&server.url()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused:?}");
    });
}

#[test]
fn prefixes_and_buckets_that_make_no_subject_are_refused() {
    let Some(server) = Nats::start("subjects::prefixes_and_buckets", "") else { return };
    run(async {
        for bucket in ["", "a.b", "a b", "*", "\u{e9}"] {
            let refused = Options::default().bucket(bucket).store(&server.url()).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Invalid, "{bucket:?}");
        }
        for prefix in [".", "a..b", "a b", "a.*.", "a\r\n"] {
            let refused = Options::default().prefix(prefix).bus(&server.url()).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Invalid, "{prefix:?}");
        }
        for prefix in ["", "a", "a.b."] {
            Options::default().prefix(prefix).bus(&server.url()).await.unwrap();
        }
    });
}
