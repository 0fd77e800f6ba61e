//! The suite that every adapter passes.

use std::sync::Arc;

use test_servers::{Postgres, Proxy, Upstream};
use transport_conformance::{Buses, Stores};
use transport_postgres::{Options, PostgresBus, PostgresStore};

use crate::support::{migrated, run, schema};

async fn on(options: Options, url: &str) -> Stores {
    let here = migrated(options.clone(), url).await;
    let there = options.store(url).await.unwrap();
    Stores::new(Arc::new(here), Arc::new(there))
}

async fn stores(test: &'static str) -> Option<Stores> {
    Some(on(Options::default(), &schema(test, "").await?.1).await)
}

/// Transactions fail there because of others at the same time.
async fn stores_in_strict_isolation(test: &'static str) -> Option<Stores> {
    let (_, url) = schema(test, "-c default_transaction_isolation=serializable").await?;
    Some(on(Options::default().history_versions(0).prefix("other/*?\"[x] "), &url).await)
}

async fn buses(test: &'static str) -> Option<Buses> {
    // Channels are the whole database's.
    let (name, url) = schema(test, "").await?;
    let bus = async |url: &str| Options::default().prefix(format!("{name} ")).bus(url).await;
    let server = Postgres::shared(test)?;
    let proxy = Arc::new(Proxy::start(Upstream::Unix(server.socket())));
    let here = bus(&url).await.unwrap();
    let there = bus(&format!("postgres://postgres@{}/postgres", proxy.address())).await.unwrap();
    let cutter = proxy.clone();
    let cut = move || -> futures::future::BoxFuture<'static, ()> {
        cutter.cut();
        Box::pin(std::future::ready(()))
    };
    Some(Buses::new(Arc::new(here), Arc::new(there)).cut_by(cut).keeping(proxy))
}

#[test]
fn handles_can_be_sent_and_shared() {
    fn check<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    check::<PostgresStore>();
    check::<PostgresBus>();
}

mod store {
    transport_conformance::store_tests!(setup: super::stores, run: super::run);
}

mod store_in_strict_isolation {
    transport_conformance::store_tests!(setup: super::stores_in_strict_isolation, run: super::run);
}

mod bus {
    transport_conformance::bus_tests!(setup: super::buses, run: super::run);
}
