//! The ports as mockall mocks: each call is expected, and answered with a future of the test's choice.
#![allow(missing_docs, reason = "mockall writes these items")]

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use transport_traits::{
    BusLimits, Capabilities, DataStore, Error, Outgoing, Precondition, Publisher, Record, RecordKey,
    StoreLimits, Stored, Subscriber, Subscription, Topic, Version, VersionInfo,
};

mockall::mock! {
    pub Publisher {}
    impl Publisher for Publisher {
        fn limits(&self) -> &BusLimits;
        fn publish<'a>(&'a self, message: Outgoing) -> BoxFuture<'a, Result<(), Error>>;
    }
}

mockall::mock! {
    pub Subscriber {}
    impl Subscriber for Subscriber {
        fn subscribe<'a>(&'a self, topic: Topic) -> BoxFuture<'a, Result<Subscription, Error>>;
        fn hears_own_echo(&self) -> bool;
    }
}

mockall::mock! {
    pub DataStore {}
    impl DataStore for DataStore {
        fn limits(&self) -> &StoreLimits;
        fn capabilities(&self) -> Capabilities;
        fn get<'a>(&'a self, key: RecordKey) -> BoxFuture<'a, Result<Option<Stored>, Error>>;
        fn put<'a>(&'a self, key: RecordKey, record: Record, precondition: Precondition)
            -> BoxFuture<'a, Result<Version, Error>>;
        fn delete<'a>(&'a self, key: RecordKey, precondition: Precondition)
            -> BoxFuture<'a, Result<(), Error>>;
        fn list<'a>(&'a self, store: Arc<str>, prefix: Arc<str>)
            -> BoxStream<'a, Result<Arc<str>, Error>>;
        fn versions<'a>(&'a self, key: RecordKey)
            -> BoxFuture<'a, Result<Vec<VersionInfo>, Error>>;
        fn get_version<'a>(&'a self, key: RecordKey, version: Version)
            -> BoxFuture<'a, Result<Option<Stored>, Error>>;
    }
}
