//! The suite that every adapter passes, on a bus and a store with limits of all sizes.

use std::sync::Arc;

use transport_conformance::{Buses, Stores};
use transport_memory::{MemoryBus, MemoryEndpoint, MemoryStore};
use transport_mocks::ManualTimer;
use transport_traits::limits::{Content, SizeLimit};
use transport_traits::{BusLimits, StoreLimits};

use crate::support::ALONE;

async fn stores(_test: &'static str) -> Option<Stores> {
    let mut limits = StoreLimits::default();
    limits.value = Some(SizeLimit::chars(4_096));
    limits.metadata = Some(SizeLimit::chars(300));
    limits.key = Some(SizeLimit::chars(50));
    limits.store_name = Some(SizeLimit::bytes(50));
    let store = MemoryStore::new(limits, ALONE, Arc::new(ManualTimer::new()));
    Some(Stores::new(Arc::new(store.clone()), Arc::new(store.join())))
}

fn on(limits: BusLimits) -> Option<Buses> {
    let bus = MemoryBus::new(limits, ALONE, Arc::new(ManualTimer::new()));
    Some(Buses::new(Arc::new(bus.join()), Arc::new(bus.join())))
}

async fn unlimited(_test: &'static str) -> Option<Buses> {
    on(BusLimits::default())
}

async fn limited(_test: &'static str) -> Option<Buses> {
    let mut limits = BusLimits::default();
    limits.body = Some(SizeLimit::json_encoded(1_024));
    limits.topic = Some(SizeLimit::chars(80));
    limits.content = Content::Text;
    on(limits)
}

#[test]
fn handles_can_be_sent_shared_and_shown() {
    fn check<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    check::<MemoryStore>();
    check::<MemoryBus>();
    check::<MemoryEndpoint>();
}

mod store {
    transport_conformance::store_tests!(setup: super::stores, run: futures::executor::block_on);
}

mod bus_without_limits {
    transport_conformance::bus_tests!(setup: super::unlimited, run: futures::executor::block_on);
}

mod bus_of_short_texts {
    transport_conformance::bus_tests!(setup: super::limited, run: futures::executor::block_on);
}
