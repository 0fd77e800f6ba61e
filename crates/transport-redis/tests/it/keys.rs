//! What others see on the server.

use test_servers::Redis;
use transport_redis::RedisStore;
use transport_traits::{DataStore, DataStoreExt, ErrorKind, Precondition, Record, RecordKey};

use crate::support::{ask, key, run};

#[test]
fn any_client_reads_a_record_and_all_its_keys_share_a_slot() {
    let Some(server) = Redis::start("keys::any_client_reads_a_record", &[]) else { return };
    run(async {
        let store = RedisStore::connect(&server.url()).await.unwrap();
        let odd = RecordKey::new("a{b}:c", "%d}");
        for record in [key("7"), odd.clone()] {
            for n in 0..20 {
                let value = Record::new(format!(r#"{{"n":{n}}}"#));
                store.put(record.clone(), value, Precondition::Always).await.unwrap();
            }
        }
        let value: String = ask(&server.url(), &["HGET", "nexus:{players:7}", "value"]).await;
        assert_eq!(value, r#"{"n":19}"#);
        let mut keys: Vec<String> = ask(&server.url(), &["KEYS", "*"]).await;
        keys.sort();
        let record = "nexus:{a%7Bb%7D%3Ac:%25d%7D}";
        assert_eq!(keys[..2], [record.to_owned(), format!("{record}:history")]);
        assert_eq!(keys[2..], ["nexus:{players:7}", "nexus:{players:7}:history"]);
        let history: u64 = ask(&server.url(), &["LLEN", "nexus:{players:7}:history"]).await;
        assert_eq!(history, 16, "the history is bounded");
    });
}

#[test]
fn what_others_put_under_a_key_is_reported_and_not_overwritten() {
    let Some(server) = Redis::start("keys::what_others_put", &[]) else { return };
    run(async {
        let store = RedisStore::connect(&server.url()).await.unwrap();
        let _: String = ask(&server.url(), &["SET", "nexus:{players:7}", "theirs"]).await;
        assert_eq!(store.get(key("7")).await.unwrap_err().kind(), ErrorKind::Malformed);
        let put = store.create(key("7"), Record::new("{}")).await;
        assert_eq!(put.unwrap_err().kind(), ErrorKind::Invalid);
        let theirs: String = ask(&server.url(), &["GET", "nexus:{players:7}"]).await;
        assert_eq!(theirs, "theirs");

        let _: u64 = ask(&server.url(), &["HSET", "nexus:{players:8}", "value", "theirs"]).await;
        assert_eq!(store.get(key("8")).await.unwrap_err().kind(), ErrorKind::Malformed);
        let refused = [
            store.create(key("8"), Record::new("{}")).await.unwrap_err(),
            store.put(key("8"), Record::new("{}"), Precondition::Always).await.unwrap_err(),
            store.delete(key("8"), Precondition::Always).await.unwrap_err(),
        ];
        assert_eq!(refused.map(|error| error.kind()), [ErrorKind::Invalid; 3]);
        let theirs: Vec<String> = ask(&server.url(), &["HVALS", "nexus:{players:8}"]).await;
        assert_eq!(theirs, ["theirs"]);
    });
}
