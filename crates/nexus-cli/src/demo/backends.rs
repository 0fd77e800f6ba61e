//! Buses and data stores by URL.

use std::sync::Arc;

use transport_nats::{NatsBus, NatsStore};
use transport_postgres::{PostgresBus, PostgresStore};
use transport_redis::{RedisBus, RedisStore};
use transport_sqlite::SqliteStore;
use transport_traits::{DataStore, Error, Publisher, Subscriber};

use crate::failure::Failure;

type BothEnds = (Arc<dyn Publisher>, Arc<dyn Subscriber>);

/// A kind of service that a URL can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Redis,
    Nats,
    Postgres,
    Sqlite,
}

/// What `url` names; `what` says in the failure what it is the URL of.
fn service(what: &str, url: &str) -> Result<Service, Failure> {
    let scheme = url.split(':').next().unwrap_or_default();
    Ok(match scheme {
        "redis" | "rediss" | "redis+unix" => Service::Redis,
        "nats" | "tls" => Service::Nats,
        "postgres" | "postgresql" => Service::Postgres,
        "sqlite" => Service::Sqlite,
        // Not the URL, in which a password may stand.
        _ => {
            return Err(Failure::new(format!(
                "the URL of the {what} begins with none of redis:, nats:, postgres: and sqlite:; a fleet in one \
                 process is what runs without --bus and --store"
            )));
        }
    })
}

/// The file of `sqlite:FILE`, if that is what the URL is.
pub(super) fn file(url: &str) -> Option<&str> {
    url.strip_prefix("sqlite:")
}

/// Makes ready what a store needs before servers use it.
pub(super) async fn prepare(url: &str) -> Result<(), Failure> {
    if service("store", url)? == Service::Postgres {
        PostgresStore::migrate(url).await.map_err(|error| unusable("store", &error))?;
    }
    store(url).await.map(drop)
}

pub(super) async fn store(url: &str) -> Result<Arc<dyn DataStore>, Failure> {
    let unusable = |error| unusable("store", &error);
    Ok(match service("store", url)? {
        Service::Redis => Arc::new(RedisStore::connect(url).await.map_err(unusable)?),
        Service::Nats => Arc::new(NatsStore::connect(url).await.map_err(unusable)?),
        Service::Postgres => Arc::new(PostgresStore::connect(url).await.map_err(unusable)?),
        Service::Sqlite => {
            let file = file(url).unwrap_or_default();
            let opened = SqliteStore::open(file);
            Arc::new(opened.map_err(|error| Failure::because(format!("cannot use {file}"), &error))?)
        }
    })
}

pub(super) async fn bus(url: &str) -> Result<BothEnds, Failure> {
    let bus = match service("bus", url)? {
        Service::Redis => RedisBus::connect(url).await.map(both),
        Service::Nats => NatsBus::connect(url).await.map(both),
        Service::Postgres => PostgresBus::connect(url).await.map(both),
        Service::Sqlite => return Err(Failure::new("SQLite is no bus; name Redis, NATS or Postgres")),
    };
    bus.map_err(|error| unusable("bus", &error))
}

fn both<B: Publisher + Subscriber + 'static>(bus: B) -> BothEnds {
    let bus = Arc::new(bus);
    (bus.clone(), bus)
}

fn unusable(what: &str, error: &Error) -> Failure {
    Failure::because(format!("cannot use the {what}"), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_services_and_what_names_none_is_refused_unshown() {
        let named = ["rediss://h", "redis+unix:///s", "tls://h", "postgresql://h", "sqlite:a b"];
        let services = named.map(|url| service("bus", url).unwrap());
        use Service::{Nats, Postgres, Redis, Sqlite};
        assert_eq!(services, [Redis, Redis, Nats, Postgres, Sqlite]);
        for url in ["", "memory", "mysql://secret@h", "secret"] {
            let why = service("bus", url).unwrap_err().to_string();
            assert!(why.contains("the bus") && !why.contains("secret"), "{url}: {why}");
        }
    }
}
