//! Which versions the servers have, by their own word.

use benches::saves::runtime;
use redis::{Client, InfoDict};
use tokio_postgres::NoTls;

const ANSWERS: &str = "the server answers";

/// Of a Redis server.
///
/// # Panics
/// If it does not answer.
#[must_use]
pub fn redis(url: &str) -> String {
    runtime().block_on(async {
        let client = Client::open(url).expect("the URL is a server's own");
        let mut connection = client.get_multiplexed_async_connection().await.expect(ANSWERS);
        let info: InfoDict =
            redis::cmd("INFO").arg("server").query_async(&mut connection).await.expect(ANSWERS);
        info.get("redis_version").expect("every Redis server says it")
    })
}

/// Of a NATS server.
///
/// # Panics
/// If it does not answer.
#[must_use]
pub fn nats(url: &str) -> String {
    runtime().block_on(async { async_nats::connect(url).await.expect(ANSWERS).server_info().version })
}

/// Of a PostgreSQL server: its first word, since distributions add their own to it.
///
/// # Panics
/// If it does not answer.
#[must_use]
pub fn postgres(url: &str) -> String {
    runtime().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect(ANSWERS);
        tokio::spawn(connection);
        let row = client.query_one("SHOW server_version", &[]).await.expect(ANSWERS);
        let version: &str = row.get(0);
        version.split(' ').next().unwrap_or_default().to_owned()
    })
}
