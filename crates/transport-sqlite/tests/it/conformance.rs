//! The suite that every adapter passes, on two stores in one file.

use std::sync::Arc;

use transport_conformance::Stores;
use transport_sqlite::{Durability, Options, SqliteStore};
use transport_traits::StoreLimits;
use transport_traits::limits::SizeLimit;

use crate::support::Place;

fn on(history_versions: u32) -> Stores {
    let mut limits = StoreLimits::default();
    limits.value = Some(SizeLimit::bytes(1_000_000));
    limits.metadata = Some(SizeLimit::bytes(3_000));
    limits.key = Some(SizeLimit::chars(200));
    limits.store_name = Some(SizeLimit::json_encoded(100));
    // Nothing here is about the disk, which other tests are.
    let options = Options::default().limits(limits).durability(Durability::Normal);
    let options = options.history_versions(history_versions);
    let place = Place::new();
    let open = || -> Arc<SqliteStore> { Arc::new(options.clone().open(&place.path).unwrap()) };
    Stores::new(open(), open()).keeping(place)
}

async fn stores(_test: &'static str) -> Option<Stores> {
    Some(on(16))
}

async fn stores_without_history(_test: &'static str) -> Option<Stores> {
    Some(on(0))
}

mod store {
    transport_conformance::store_tests!(setup: super::stores, run: futures::executor::block_on);
}

mod store_without_history {
    transport_conformance::store_tests!(setup: super::stores_without_history, run: futures::executor::block_on);
}
