//! Both ways of counting up store every increment, on each backend.

use benches::saves::Pair;
use test_servers::{Nats, Postgres, Redis};
use transport_nats::NatsStore;
use transport_postgres::PostgresStore;
use transport_redis::RedisStore;

fn check(pair: &Pair) {
    for _ in 0..2 {
        pair.run(1_000, 10);
    }
    assert_eq!(pair.values(), [Some(2_000), Some(20)]);
}

#[test]
fn no_increment_is_lost_on_redis() {
    let Some(server) = Redis::start("increments::no_increment_is_lost_on_redis", &[]) else { return };
    check(&Pair::new(RedisStore::connect(&server.url())));
}

#[test]
fn no_increment_is_lost_on_nats() {
    let Some(server) = Nats::start("increments::no_increment_is_lost_on_nats", "") else { return };
    check(&Pair::new(NatsStore::connect(&server.url())));
}

#[test]
fn no_increment_is_lost_on_postgres() {
    let Some(server) = Postgres::shared("increments::no_increment_is_lost_on_postgres") else { return };
    let url = server.url("postgres");
    check(&Pair::new(async {
        PostgresStore::migrate(&url).await?;
        PostgresStore::connect(&url).await
    }));
}
