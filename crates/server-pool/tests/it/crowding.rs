//! More pools than heartbeats fit the bus's rates: whoever opens one too many is warned.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use server_pool::Config;
use server_pool::machine::Machine;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use transport_traits::limits::presets;
use transport_traits::{BusLimits, Instant, WallTime};

/// Counts warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn event(&self, _: &Event<'_>) {
        let _ = self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// How often a server was warned when so many pools are open, for each number of them.
fn warnings(limits: &BusLimits, pools: usize) -> Vec<usize> {
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || {
        let now = Instant::ZERO;
        let mut machine =
            Machine::new(now, WallTime::default(), Config::new("s"), limits, true).expect("it works");
        let mut open = |number: usize| {
            machine.open(now, format!("p{number}").into());
            warnings.0.load(Ordering::Relaxed)
        };
        (1..=pools).map(&mut open).collect()
    })
}

#[test]
fn the_first_pool_too_many_for_four_heartbeats_a_timeout_is_warned_of_once() {
    // 200 frames a minute, so 100 in a timeout of 30 s, so four for each of 25 pools.
    let warned = warnings(&presets::ROBLOX_MESSAGING, 27);
    assert_eq!(warned[..25], [0; 25]);
    assert_eq!(warned[25..], [1, 1]);
}

#[test]
fn a_bus_without_rates_has_room_for_any_number_of_pools() {
    assert_eq!(warnings(&BusLimits::default(), 200).last(), Some(&0));
}
