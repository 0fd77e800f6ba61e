//! Increments a second of one record on each backend, durable as the backend has it.

use std::process::ExitCode;

use benches::{Figure, Run};
use benches_backends::increments::{Pair, figure};
use test_servers::{Nats, Postgres, Redis};
use transport_nats::NatsStore;
use transport_postgres::PostgresStore;
use transport_redis::RedisStore;
use transport_sqlite::SqliteStore;

fn main() -> ExitCode {
    let run = Run::from_args("backends", env!("CARGO_TARGET_TMPDIR"));
    let figures = [redis(&run), nats(&run), postgres(&run), sqlite(&run)];
    run.finish(&figures.into_iter().flatten().collect::<Vec<_>>())
}

fn redis(run: &Run) -> Option<Figure> {
    let server = Redis::start("backends: Redis", &[])?;
    let pair = Pair::new(RedisStore::connect(&server.url()));
    Some(figure(run, "Redis", &pair, 2_000))
}

fn nats(run: &Run) -> Option<Figure> {
    let server = Nats::start("backends: NATS", "")?;
    let pair = Pair::new(NatsStore::connect(&server.url()));
    Some(figure(run, "NATS", &pair, 1_000))
}

fn postgres(run: &Run) -> Option<Figure> {
    let server = Postgres::start("backends: PostgreSQL", &[])?;
    let url = server.url("postgres");
    let connect = async {
        PostgresStore::migrate(&url).await?;
        PostgresStore::connect(&url).await
    };
    let pair = Pair::new(connect);
    Some(figure(run, "PostgreSQL", &pair, 400))
}

fn sqlite(run: &Run) -> Option<Figure> {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("saves.sqlite");
    let pair = Pair::new(async { SqliteStore::open(file) });
    Some(figure(run, "SQLite file", &pair, 400))
}
