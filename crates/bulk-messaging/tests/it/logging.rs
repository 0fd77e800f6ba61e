//! What is said in the log, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use transport_traits::{Delivery, ErrorKind, PublisherExt};

use crate::fleet::Fleet;

/// Counts warnings.
#[derive(Clone, Default)]
struct Log(Arc<AtomicU64>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.fetch_add(u64::from(*event.metadata().level() == Level::WARN), Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The warnings while this runs.
fn warnings(run: impl FnOnce()) -> u64 {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), run);
    log.0.load(Ordering::Relaxed)
}

#[test]
fn a_flood_of_unreadable_frames_is_counted_and_does_not_flood_the_log() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|_| ());
    let _heard = fleet.subscribe(&bulk, "t").expect("subscribed");
    let warned = warnings(|| {
        for _ in 0..1_000 {
            fleet.bus.send(&Delivery::Message("no frame".into()));
        }
        fleet.settle();
    });
    assert_eq!((bulk.stats().malformed, warned), (1_000, 10));
}

#[test]
fn an_outage_is_counted_and_does_not_flood_the_log() {
    for (kind, warned_of) in [(ErrorKind::Unavailable, 7), (ErrorKind::Denied, 14)] {
        let mut fleet = Fleet::new();
        let bulk = fleet.join(|config| config.budget = bulk_messaging::Budget::Unlimited);
        fleet.bus.publish_errors.lock().extend([kind; 100]);
        let warned = warnings(|| {
            while !fleet.bus.publish_errors.lock().is_empty() {
                bulk.send("t", "1").now_or_never().expect("room").expect("accepted");
                fleet.advance(Duration::from_secs(1));
            }
        });
        assert_eq!((bulk.stats().failed, warned), (100, warned_of), "{kind}");
    }
}
