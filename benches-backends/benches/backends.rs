//! Increments a second of one record on each server, durable as the server has it. Those into a file are in the topic `store`.

use std::process::ExitCode;

use benches::saves::Pair;
use benches::{Figure, Goal, Run};
use benches_backends::versions;
use test_servers::{Nats, Postgres, Redis};
use transport_nats::NatsStore;
use transport_postgres::PostgresStore;
use transport_redis::RedisStore;

fn main() -> ExitCode {
    let mut run = Run::from_args("backends", env!("CARGO_TARGET_TMPDIR"));
    let figures = [redis(&mut run), nats(&mut run), postgres(&mut run)];
    run.finish(&figures.into_iter().flatten().collect::<Vec<_>>())
}

fn redis(run: &mut Run) -> Option<Figure> {
    let server = Redis::start("backends: Redis", &[])?;
    run.note_version("redis-server", versions::redis(&server.url()));
    Some(figure(run, "Redis", &Pair::new(RedisStore::connect(&server.url())), 2_000))
}

fn nats(run: &mut Run) -> Option<Figure> {
    let server = Nats::start("backends: NATS", "")?;
    run.note_version("nats-server", versions::nats(&server.url()));
    Some(figure(run, "NATS", &Pair::new(NatsStore::connect(&server.url())), 1_000))
}

fn postgres(run: &mut Run) -> Option<Figure> {
    let server = Postgres::start("backends: PostgreSQL", &[])?;
    let url = server.url("postgres");
    run.note_version("postgres", versions::postgres(&url));
    let connect = async {
        PostgresStore::migrate(&url).await?;
        PostgresStore::connect(&url).await
    };
    Some(figure(run, "PostgreSQL", &Pair::new(connect), 400))
}

fn figure(run: &Run, store: &str, pair: &Pair, rivals: usize) -> Figure {
    pair.increments_a_second(run, store, rivals).goal(Goal::TimesAsFast(50.0))
}
