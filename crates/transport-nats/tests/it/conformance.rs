//! The suite that every adapter passes.

use std::sync::Arc;

use test_servers::{Nats, Proxy, Upstream};
use transport_conformance::{Buses, Stores};
use transport_nats::{NatsBus, NatsStore, Options};

use crate::support::run;

async fn on(options: Options, test: &'static str) -> Option<Stores> {
    let server = Nats::start(test, "")?;
    let open = || options.clone();
    let here = open().store(&server.url()).await.unwrap();
    let there = open().store(&server.url()).await.unwrap();
    Some(Stores::new(Arc::new(here), Arc::new(there)).keeping(server))
}

async fn stores(test: &'static str) -> Option<Stores> {
    on(Options::default(), test).await
}

async fn stores_without_history(test: &'static str) -> Option<Stores> {
    on(Options::default().history_versions(0).bucket("other_-1").in_memory(true), test).await
}

async fn buses(test: &'static str) -> Option<Buses> {
    let server = Nats::start(test, "max_payload: 65536")?;
    let proxy = Arc::new(Proxy::start(Upstream::Tcp(server.address())));
    let here = NatsBus::connect(&server.url()).await.unwrap();
    let there = NatsBus::connect(&format!("nats://{}", proxy.address())).await.unwrap();
    let cutter = proxy.clone();
    let cut = move || -> futures::future::BoxFuture<'static, ()> {
        cutter.cut();
        Box::pin(std::future::ready(()))
    };
    Some(Buses::new(Arc::new(here), Arc::new(there)).cut_by(cut).keeping((proxy, server)))
}

#[test]
fn handles_can_be_sent_and_shared() {
    fn check<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    check::<NatsStore>();
    check::<NatsBus>();
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
