//! The store port: usable as a trait object, with its short forms and its refusals.

use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use transport_traits::{
    Capabilities, DataStore, DataStoreExt, Error, ErrorKind, Precondition, Record, RecordKey, StoreLimits,
    Stored, Version,
};

/// A store without history, of which only the preconditions it was given are of interest.
#[derive(Default)]
struct Bare {
    limits: StoreLimits,
    preconditions: Mutex<Vec<Precondition>>,
}

impl DataStore for Bare {
    fn limits(&self) -> &StoreLimits {
        &self.limits
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn get(&self, _: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async { Ok(None) })
    }

    fn put(
        &self,
        _: RecordKey,
        _: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        Box::pin(async move {
            self.preconditions.lock().expect("no test panics while it holds the lock").push(precondition);
            Ok(Version::new("1"))
        })
    }

    fn delete(&self, _: RecordKey, _: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn list(&self, _: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        stream::iter([Ok(prefix)]).boxed()
    }
}

fn key() -> RecordKey {
    RecordKey::new("coins", "7")
}

#[test]
fn a_store_works_as_a_trait_object() {
    let store: Arc<dyn DataStore> = Arc::new(Bare::default());
    assert_eq!(block_on(store.get(key())).unwrap(), None);
    let listed: Vec<Arc<str>> = block_on(store.list("coins".into(), "p".into()).try_collect()).unwrap();
    assert_eq!(listed, ["p".into()]);
}

#[test]
fn a_store_without_history_refuses_to_speak_of_it() {
    let store: Box<dyn DataStore> = Box::new(Bare::default());
    assert!(!store.capabilities().history);
    let versions = block_on(store.versions(key())).unwrap_err();
    let version = block_on(store.get_version(key(), Version::new("1"))).unwrap_err();
    for error in [versions, version] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.to_string(), "unsupported: history of coins/7");
    }
}

#[test]
fn the_short_forms_of_put_demand_what_their_names_say() {
    let bare = Arc::new(Bare::default());
    let store: Arc<dyn DataStore> = bare.clone();
    block_on(store.create(key(), Record::new("{}"))).unwrap();
    block_on(store.compare_and_swap(key(), Version::new("1"), Record::new("{}"))).unwrap();
    let expected = [Precondition::Absent, Precondition::Is(Version::new("1"))];
    assert_eq!(*bare.preconditions.lock().unwrap(), expected);
}

#[test]
fn a_record_carries_metadata_and_users_beside_its_value() {
    let record = Record::new("{}").with_metadata("w1").with_users(["7".into(), "8".into()]);
    assert_eq!((&*record.value, &*record.metadata, record.users.len()), ("{}", "w1", 2));
    let plain = Record::new("{}");
    assert_eq!((&*plain.metadata, plain.users.len()), ("", 0));
}
