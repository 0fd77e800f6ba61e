//! The suite that every adapter passes, on two stores in one file.

use std::sync::Arc;

use transport_conformance::Stores;
use transport_sqlite::{Durability, Options, SqliteStore};
use transport_traits::StoreLimits;
use transport_traits::limits::SizeLimit;

use crate::support::Place;

async fn stores(_test: &'static str) -> Option<Stores> {
    let mut limits = StoreLimits::default();
    limits.value = Some(SizeLimit::bytes(1_000_000));
    limits.metadata = Some(SizeLimit::bytes(3_000));
    limits.key = Some(SizeLimit::chars(200));
    limits.store_name = Some(SizeLimit::json_encoded(100));
    // Nothing here is about the disk, which other tests are.
    let options = Options::default().limits(limits).durability(Durability::Normal);
    let place = Place::new();
    let open = || -> Arc<SqliteStore> { Arc::new(options.clone().open(&place.path).unwrap()) };
    Some(Stores::new(open(), open()).keeping(place))
}

transport_conformance::store_tests!(setup: stores, run: futures::executor::block_on);
