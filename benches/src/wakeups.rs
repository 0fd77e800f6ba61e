//! What a message waits for between its publish and the bus: wake-ups of the driver, and timers.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::Context;

use bulk_messaging::{BulkMessaging, Config, Driver};
use futures::future::BoxFuture;
use futures::task::{ArcWake, waker};
use futures::{FutureExt, StreamExt};
use transport_mocks::ManualTimer;
use transport_traits::{
    BusLimits, Error, Instant, Outgoing, Publisher, Subscriber, Subscription, Timer, Topic, WallTime, presets,
};

/// What a message waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waited {
    /// How often the driver was woken and polled before the bus got the message.
    pub wakeups: u64,
    /// How many timers were begun meanwhile.
    pub timers: u64,
}

/// Publishes messages one by one while the budget allows, and says what the slowest of them waited for. `None` if one did
/// not reach the bus without the time going on.
#[must_use]
pub fn while_the_budget_allows() -> Option<Waited> {
    let world = Arc::new(World::default());
    let config = Config::new("real");
    let (bulk, driver) = BulkMessaging::new(world.clone(), world.clone(), world.clone(), config)
        .expect("the configuration fits the bus");
    let mut driver = pin!(driver);
    // Spawned, a driver is polled once by itself.
    world.woken.store(true, Relaxed);
    world.run(driver.as_mut());
    // Half of the bucket's ten tokens: down to there the budget allows.
    let waited = (0..5).map(|number| {
        let before = world.published.load(Relaxed);
        world.timers.store(0, Relaxed);
        let accepted = bulk.publish_text("topic", &format!("message {number}")).now_or_never();
        accepted.expect("the queue has room").expect("the message fits");
        let wakeups = world.run(driver.as_mut());
        let reached = world.published.load(Relaxed) > before;
        reached.then(|| Waited { wakeups, timers: world.timers_at_publish.load(Relaxed) })
    });
    let waited: Option<Vec<Waited>> = waited.collect();
    waited?.into_iter().max_by_key(|waited| (waited.timers, waited.wakeups))
}

/// A bus that accepts everything, a clock that stands still, and the task of a driver.
#[derive(Default)]
struct World {
    clock: ManualTimer,
    timers: AtomicU64,
    published: AtomicU64,
    /// Timers begun until the last publish.
    timers_at_publish: AtomicU64,
    woken: AtomicBool,
}

impl World {
    /// Polls the driver as often as it is woken, and says how often until the last publish that it made.
    fn run(self: &Arc<Self>, mut driver: Pin<&mut Driver>) -> u64 {
        let waker = waker(self.clone());
        let mut context = Context::from_waker(&waker);
        let (mut wakeups, mut until_publish) = (0, 0);
        while self.woken.swap(false, Relaxed) {
            wakeups += 1;
            let published = self.published.load(Relaxed);
            let polled = driver.poll_unpin(&mut context);
            assert!(polled.is_pending(), "a driver with a handle goes on");
            if self.published.load(Relaxed) > published {
                until_publish = wakeups;
            }
        }
        until_publish
    }
}

impl ArcWake for World {
    fn wake_by_ref(world: &Arc<Self>) {
        world.woken.store(true, Relaxed);
    }
}

impl Publisher for World {
    fn limits(&self) -> &BusLimits {
        &presets::ROBLOX_MESSAGING
    }

    fn publish(&self, _: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        self.published.fetch_add(1, Relaxed);
        self.timers_at_publish.store(self.timers.load(Relaxed), Relaxed);
        futures::future::ready(Ok(())).boxed()
    }
}

impl Subscriber for World {
    fn subscribe(&self, _: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        futures::future::ready(Ok(futures::stream::pending().boxed())).boxed()
    }

    fn hears_own_echo(&self) -> bool {
        false
    }
}

impl Timer for World {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn wall_clock(&self) -> WallTime {
        self.clock.wall_clock()
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        self.timers.fetch_add(1, Relaxed);
        self.clock.sleep_until(deadline)
    }
}
