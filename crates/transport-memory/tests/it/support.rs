//! What several tests use.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use futures::{FutureExt, StreamExt};
use transport_memory::{MemoryBus, MemoryEndpoint, MemoryStore};
use transport_mocks::ManualTimer;
use transport_traits::limits::{FleetRate, Load};
use transport_traits::{
    BusLimits, Delivery, Error, ErrorKind, PublisherExt, RecordKey, StoreLimits, Subscriber, Subscription,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// One server without players: rates are their base.
pub(crate) const ALONE: Load = Load { servers: 0, players: 0 };

pub(crate) const fn a_second(base: u32) -> Option<FleetRate> {
    Some(FleetRate::per_second(base))
}

/// A bus of one rate or another, and its clock.
pub(crate) fn bus(set: impl FnOnce(&mut BusLimits)) -> (MemoryBus, ManualTimer) {
    let timer = ManualTimer::new();
    let mut limits = BusLimits::default();
    set(&mut limits);
    (MemoryBus::new(limits, ALONE, Arc::new(timer.clone())), timer)
}

/// A store of one limit or another, and its clock.
pub(crate) fn store(set: impl FnOnce(&mut StoreLimits)) -> (MemoryStore, ManualTimer) {
    let timer = ManualTimer::new();
    let mut limits = StoreLimits::default();
    set(&mut limits);
    (MemoryStore::new(limits, ALONE, Arc::new(timer.clone())), timer)
}

pub(crate) fn subscribe(server: &MemoryEndpoint, topic: &str) -> Subscription {
    block_on(server.subscribe(topic.into())).unwrap()
}

pub(crate) fn publish(server: &MemoryEndpoint, topic: &str, body: impl AsRef<[u8]>) -> Result<(), Error> {
    block_on(server.send(topic, body.as_ref().to_vec()))
}

/// Whatever is there to read now, in the form of [`text`].
pub(crate) fn read(subscription: &mut Subscription) -> Vec<String> {
    std::iter::from_fn(|| subscription.next().now_or_never())
        .map(|delivery| text(&delivery.expect("subscriptions never end")))
        .collect()
}

/// A message's text, or `GAP`.
pub(crate) fn text(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Message(body) => String::from_utf8_lossy(body).into_owned(),
        Delivery::Gap => "GAP".to_owned(),
    }
}

pub(crate) fn kind<T>(result: Result<T, Error>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

pub(crate) const fn throttled_for(wait: Duration) -> Option<ErrorKind> {
    Some(ErrorKind::Throttled { retry_after: Some(wait) })
}

pub(crate) fn player(name: &str) -> RecordKey {
    RecordKey::new("players", name)
}
