//! The suite that every adapter passes.

use std::sync::Arc;

use test_servers::Redis;
use transport_conformance::{Buses, Stores};
use transport_redis::{Options, RedisBus, RedisStore};

use crate::support::{ask, run};

async fn on(options: Options, test: &'static str) -> Option<Stores> {
    let server = Redis::start(test, &[])?;
    let open = || options.clone();
    let here = open().store(&server.url()).await.unwrap();
    let there = open().store(&server.url()).await.unwrap();
    Some(Stores::new(Arc::new(here), Arc::new(there)).keeping(server))
}

async fn stores(test: &'static str) -> Option<Stores> {
    on(Options::default(), test).await
}

async fn stores_without_history(test: &'static str) -> Option<Stores> {
    on(Options::default().history_versions(0).prefix("other/*?[x]"), test).await
}

async fn buses(test: &'static str) -> Option<Buses> {
    let server = Redis::start(test, &[])?;
    let url = server.url();
    let here = RedisBus::connect(&url).await.unwrap();
    let there = RedisBus::connect(&url).await.unwrap();
    let cut = move || -> futures::future::BoxFuture<'static, ()> {
        let url = url.clone();
        Box::pin(async move {
            let _killed: u64 = ask(&url, &["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        })
    };
    Some(Buses::new(Arc::new(here), Arc::new(there)).cut_by(cut).keeping(server))
}

#[test]
fn handles_can_be_sent_and_shared() {
    fn check<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    check::<RedisStore>();
    check::<RedisBus>();
}

mod store {
    transport_conformance::store_tests!(setup: super::stores, run: super::run);
}

mod store_without_history {
    transport_conformance::store_tests!(setup: super::stores_without_history, run: super::run);
}

mod bus {
    transport_conformance::bus_tests!(setup: super::buses, run: super::run);
}
