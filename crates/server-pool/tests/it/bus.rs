//! A bus in the test's own process for tests of handles and driver, and servers on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::executor::LocalPool;
use futures::future::BoxFuture;
use futures::task::LocalSpawnExt;
use parking_lot::Mutex;
use server_pool::{Config, Pools};
use transport_mocks::ManualTimer;
use transport_traits::{
    BusLimits, DataStore, Delivery, Error, ErrorKind, Outgoing, Publisher, Subscriber, Subscription, Topic,
};

/// Delivers at once to whoever listens, the sender included. Clones are the same bus.
#[derive(Clone, Default)]
pub(crate) struct Bus {
    state: Arc<Mutex<State>>,
    limits: BusLimits,
}

#[derive(Default)]
struct State {
    listeners: BTreeMap<Topic, Vec<UnboundedSender<Delivery>>>,
    published: Vec<Outgoing>,
    broken: bool,
    refuses: bool,
}

impl Bus {
    /// Everything that was published.
    pub(crate) fn published(&self) -> Vec<Outgoing> {
        self.state.lock().published.clone()
    }

    /// Makes every publish fail, or work again.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.state.lock().broken = broken;
    }

    /// Ends every subscription.
    pub(crate) fn end_subscriptions(&self) {
        self.state.lock().listeners.clear();
    }

    /// Whether it refuses subscriptions.
    pub(crate) fn set_refusing(&self, refuses: bool) {
        self.state.lock().refuses = refuses;
    }

    /// Tells every listener of a topic the same.
    pub(crate) fn deliver(&self, topic: &str, delivery: &Delivery) {
        let state = self.state.lock();
        let listeners = state.listeners.get(topic).into_iter().flatten();
        listeners.for_each(|listener| drop(listener.unbounded_send(delivery.clone())));
    }
}

impl Publisher for Bus {
    fn limits(&self) -> &BusLimits {
        &self.limits
    }

    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            if self.state.lock().broken {
                return Err(Error::new(ErrorKind::Unavailable, "publish"));
            }
            self.state.lock().published.push(message.clone());
            self.deliver(&message.topic, &Delivery::Message(message.body));
            Ok(())
        })
    }
}

impl Subscriber for Bus {
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async move {
            let (sender, receiver) = unbounded();
            if self.state.lock().refuses {
                return Err(Error::new(ErrorKind::Denied, "not for you"));
            }
            self.state.lock().listeners.entry(topic).or_default().push(sender);
            Ok(receiver.boxed())
        })
    }

    fn hears_own_echo(&self) -> bool {
        true
    }
}

/// An executor, a clock and a bus.
pub(crate) struct Stage {
    pub(crate) executor: LocalPool,
    pub(crate) timer: ManualTimer,
    pub(crate) bus: Bus,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { executor: LocalPool::new(), timer: ManualTimer::new(), bus: Bus::default() }
    }

    /// The pools of a server whose driver runs.
    pub(crate) fn server(&self, name: &str) -> Pools {
        self.server_with(Config::new(name))
    }

    pub(crate) fn server_with(&self, config: Config) -> Pools {
        let bus = Arc::new(self.bus.clone());
        let (pools, driver) = Pools::new(bus.clone(), bus, Arc::new(self.timer.clone()), config)
            .expect("the tests' configurations work");
        self.executor.spawner().spawn_local(driver).expect("the executor lives");
        pools
    }

    /// The same with a store for checkpoints.
    pub(crate) fn server_with_store(&self, name: &str, store: Arc<dyn DataStore>) -> Pools {
        let bus = Arc::new(self.bus.clone());
        let timer = Arc::new(self.timer.clone());
        let (pools, driver) = Pools::with_store(bus.clone(), bus, timer, store, Config::new(name))
            .expect("the tests' configurations work");
        self.executor.spawner().spawn_local(driver).expect("the executor lives");
        pools
    }

    /// Lets time pass in steps of 50 ms.
    pub(crate) fn run(&mut self, time: Duration) {
        self.executor.run_until_stalled();
        for _ in 0..time.as_millis() / 50 {
            self.timer.advance(Duration::from_millis(50));
            self.executor.run_until_stalled();
        }
    }

    /// Runs to the end what needs no time to pass.
    pub(crate) fn now<F: Future>(&mut self, future: F) -> F::Output {
        self.executor.run_until(future)
    }

    pub(crate) fn message(body: &str) -> Delivery {
        Delivery::Message(Bytes::copy_from_slice(body.as_bytes()))
    }
}
