//! Handles and drivers over a bus in memory, on one thread and a clock turned by hand.

use std::sync::Arc;
use std::time::Duration;

use bulk_messaging::{BulkMessaging, Config, Driver};
use futures::channel::mpsc;
use futures::executor::LocalPool;
use futures::future::BoxFuture;
use futures::task::LocalSpawnExt;
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use transport_mocks::ManualTimer;
use transport_traits::{
    BusLimits, Delivery, Error, ErrorKind, Outgoing, Publisher, Subscriber, Subscription, Topic, presets,
};

/// A bus that delivers at once, and fails as it is told.
#[derive(Default)]
pub(crate) struct Bus {
    limits: BusLimits,
    subscribers: Mutex<Vec<(Topic, mpsc::UnboundedSender<Delivery>)>>,
    pub(crate) published: Mutex<Vec<Outgoing>>,
    /// What the next publishes fail with, last first.
    pub(crate) publish_errors: Mutex<Vec<ErrorKind>>,
    /// What the next subscribes fail with, last first.
    pub(crate) subscribe_errors: Mutex<Vec<ErrorKind>>,
    /// Publishes never end.
    pub(crate) stuck: Mutex<bool>,
}

impl Bus {
    /// Delivers on every real topic.
    pub(crate) fn send(&self, delivery: &Delivery) {
        self.send_to(|_| true, delivery);
    }

    fn send_to(&self, which: impl Fn(&Topic) -> bool, delivery: &Delivery) {
        let send = |subscriber: &mpsc::UnboundedSender<Delivery>| subscriber.unbounded_send(delivery.clone());
        self.subscribers.lock().retain(|(topic, subscriber)| !which(topic) || send(subscriber).is_ok());
    }

    /// Ends all subscriptions.
    pub(crate) fn end(&self) {
        self.subscribers.lock().clear();
    }

    pub(crate) fn subscriptions(&self) -> usize {
        self.subscribers.lock().len()
    }
}

impl Publisher for Bus {
    fn limits(&self) -> &BusLimits {
        &self.limits
    }

    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            if *self.stuck.lock() {
                return futures::future::pending().await;
            }
            if let Some(kind) = self.publish_errors.lock().pop() {
                return Err(Error::new(kind, "told to"));
            }
            self.send_to(|topic| *topic == message.topic, &Delivery::Message(message.body.clone()));
            self.published.lock().push(message);
            Ok(())
        }
        .boxed()
    }
}

impl Subscriber for Bus {
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        async move {
            assert!(topic.starts_with("real"), "{topic}");
            if let Some(kind) = self.subscribe_errors.lock().pop() {
                return Err(Error::new(kind, "told to"));
            }
            let (sender, receiver) = mpsc::unbounded();
            self.subscribers.lock().push((topic, sender));
            Ok(receiver.boxed())
        }
        .boxed()
    }

    fn hears_own_echo(&self) -> bool {
        true
    }
}

pub(crate) struct Fleet {
    pub(crate) bus: Arc<Bus>,
    pub(crate) timer: ManualTimer,
    pub(crate) pool: LocalPool,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let bus = Bus { limits: presets::ROBLOX_MESSAGING, ..Bus::default() };
        Self { bus: Arc::new(bus), timer: ManualTimer::new(), pool: LocalPool::new() }
    }

    /// A handle whose driver is not spawned yet.
    pub(crate) fn build(&self, change: impl FnOnce(&mut Config)) -> (BulkMessaging, Driver) {
        let mut config = Config::new("real");
        change(&mut config);
        BulkMessaging::new(self.bus.clone(), self.bus.clone(), Arc::new(self.timer.clone()), config)
            .expect("a fitting configuration")
    }

    pub(crate) fn join(&mut self, change: impl FnOnce(&mut Config)) -> BulkMessaging {
        let (bulk, driver) = self.build(change);
        self.spawn(driver);
        bulk
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.pool.spawner().spawn_local(task).expect("the pool lives");
    }

    /// Spawns a task and tells what it returned, once it has.
    pub(crate) fn start<T: 'static>(
        &self,
        task: impl Future<Output = T> + 'static,
    ) -> Box<dyn FnMut() -> Option<T>> {
        let result = Arc::new(Mutex::new(None));
        let slot = result.clone();
        self.spawn(async move { *slot.lock() = Some(task.await) });
        Box::new(move || result.lock().take())
    }

    pub(crate) fn settle(&mut self) {
        self.pool.run_until_stalled();
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        // In steps, so that what is due in between happens at its time.
        let step = Duration::from_millis(50);
        for _ in 0..by.as_millis() / step.as_millis() {
            self.settle();
            self.timer.advance(step);
        }
        self.settle();
    }

    /// What a subscription yields without waiting.
    pub(crate) fn read(&mut self, subscription: &mut Subscription) -> Vec<String> {
        self.settle();
        let mut read = Vec::new();
        while let Some(Some(delivery)) = subscription.next().now_or_never() {
            read.push(match delivery {
                Delivery::Message(body) => String::from_utf8_lossy(&body).into_owned(),
                Delivery::Gap => "gap".to_owned(),
            });
        }
        read
    }

    pub(crate) fn subscribe(&mut self, bulk: &BulkMessaging, topic: &str) -> Result<Subscription, Error> {
        let (bulk, topic) = (bulk.clone(), Topic::from(topic));
        let mut subscribed = self.start(async move { bulk.subscribe(topic).await });
        self.settle();
        subscribed().expect("subscribing does not wait")
    }
}
