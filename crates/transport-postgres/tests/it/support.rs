//! What several tests use.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use test_servers::{Postgres, Proxy, Upstream};
use tokio_postgres::{NoTls, SimpleQueryMessage};
use transport_postgres::{Options, PostgresStore};
use transport_traits::{DataStore, Delivery, Record, RecordKey, Subscription};

/// For tests in which it passes: short, and long enough for what shall not fail on a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// What the server answers another client: the first column of the rows.
pub(crate) async fn ask(url: &str, statements: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let answer =
        client.simple_query(statements).await.unwrap_or_else(|error| panic!("{statements}: {error:?}"));
    drop(client);
    driver.await.unwrap().unwrap();
    let cell = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    };
    answer.into_iter().filter_map(cell).collect()
}

/// A schema of a test's own on the server that most tests share: its name, and the URL by which the sessions are in it,
/// with more settings of theirs.
pub(crate) async fn schema(test: &str, settings: &str) -> Option<(String, String)> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let url = Postgres::shared(test)?.url("postgres");
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    ask(&url, &format!("CREATE SCHEMA {name}")).await;
    let url = format!("{url}&options=-c search_path={name} {settings}");
    Some((name, url))
}

/// A store where there are no tables yet.
pub(crate) async fn migrated(options: Options, url: &str) -> PostgresStore {
    options.clone().migrate(url).await.unwrap();
    options.store(url).await.unwrap()
}

pub(crate) fn key(name: &str) -> RecordKey {
    RecordKey::new("players", name)
}

pub(crate) fn number(n: u64) -> Record {
    Record::new(format!(r#"{{"n":{n}}}"#))
}

/// What [`number`] wrote.
pub(crate) async fn number_of(store: &PostgresStore, name: &str) -> u64 {
    let stored = store.get(key(name)).await.unwrap().unwrap();
    serde_json::from_str::<serde_json::Value>(&stored.record.value).unwrap()["n"].as_u64().unwrap()
}

/// The same sessions as by `url`, through a proxy.
pub(crate) fn through(test: &str, url: &str) -> (Proxy, String) {
    let proxy = Proxy::start(Upstream::Unix(Postgres::shared(test).unwrap().socket()));
    let (_, options) = url.split_once("&options").unwrap();
    let url = format!("postgres://postgres@{}/postgres?options{options}", proxy.address());
    (proxy, url)
}

/// Reads this message, where nothing may be missing.
pub(crate) async fn expect(subscription: &mut Subscription, body: &'static str) {
    assert_eq!(subscription.next().await, Some(Delivery::Message(body.into())));
}
