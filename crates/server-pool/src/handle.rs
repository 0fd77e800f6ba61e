//! The pools of a server as its users hold them, and what handles and driver share.

use std::sync::Arc;
use std::task::{Poll, Waker};

use futures::task::AtomicWaker;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use transport_traits::{DataStore, Instant, Publisher, Subscriber, Subscription, Timer, Topic};

use crate::config::Config;
use crate::driver::Driver;
use crate::error::{ConfigError, OpenError};
use crate::machine::{Input, Machine, PoolId};
use crate::pool::Pool;
use crate::stats::Stats;
use crate::store::Store;
use crate::table::{Sink, Table};

/// What the topic of a pool is called: this, and the pool's name.
const TOPIC_PREFIX: &str = "POOL_";

/// The pools of one server. Clones are the same. When the last clone and the last [`Pool`] are gone the
/// server leaves, as after [`close`](Self::close).
#[derive(Clone)]
pub struct Pools {
    handle: Arc<Handle>,
}

/// What keeps the pools open.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    subscriber: Arc<dyn Subscriber>,
}

/// What handles and driver share.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) driver: AtomicWaker,
    timer: Arc<dyn Timer>,
    event_capacity: usize,
}

struct State {
    machine: Machine,
    /// By id.
    pools: Vec<Opened>,
    /// Subscriptions that the driver has not taken over yet.
    subscriptions: Vec<(PoolId, Subscription)>,
    closed: bool,
    closing: Vec<Waker>,
}

struct Opened {
    topic: Topic,
    sink: Arc<dyn Sink>,
}

/// A pool that is open.
type Found<T> = (PoolId, Arc<Table<T>>);

impl Pools {
    /// Pools over a bus, and the driver that does the work: the caller spawns it. Dropping the driver before
    /// its end is a crash, as the other servers see it.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(
        publisher: Arc<dyn Publisher>,
        subscriber: Arc<dyn Subscriber>,
        timer: Arc<dyn Timer>,
        config: Config,
    ) -> Result<(Self, Driver), ConfigError> {
        Self::build(publisher, subscriber, timer, None, config)
    }

    /// The same with a data store, in which a checkpoint of each pool is kept: whoever opens the pool reads most
    /// of it there and asks over the bus only for the rest, which spares the bus on every join.
    ///
    /// A checkpoint is a few records of at most 512 KiB, sixteen at most, in the store `server-pool` under the
    /// pool's topic, `#` and a number. One of the living servers writes it, every third of the timeout. It is a
    /// hint: what the servers say themselves goes before it, a server in it that is not heard lives only as
    /// long as it had left when it was written, and a store that fails, or that holds nonsense, costs a join
    /// two seconds at most. (One that takes longer than these two seconds, or a pool larger than 8 MiB, costs the bus
    /// what it would without.)
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn with_store(
        publisher: Arc<dyn Publisher>,
        subscriber: Arc<dyn Subscriber>,
        timer: Arc<dyn Timer>,
        store: Arc<dyn DataStore>,
        config: Config,
    ) -> Result<(Self, Driver), ConfigError> {
        Self::build(publisher, subscriber, timer, Some(store), config)
    }

    fn build(
        publisher: Arc<dyn Publisher>,
        subscriber: Arc<dyn Subscriber>,
        timer: Arc<dyn Timer>,
        store: Option<Arc<dyn DataStore>>,
        config: Config,
    ) -> Result<(Self, Driver), ConfigError> {
        let event_capacity = config.event_capacity;
        let (now, wall, echo) = (timer.now(), timer.wall_clock(), subscriber.hears_own_echo());
        let mut machine = Machine::new(now, wall, config, publisher.limits(), echo)?;
        if let Some(store) = &store {
            // Half of what a value may have, since quotes may count twice.
            machine.use_checkpoints(store.limits().value.map_or(usize::MAX, |limit| limit.max / 2));
        }
        let state = State {
            machine,
            pools: Vec::new(),
            subscriptions: Vec::new(),
            closed: false,
            closing: Vec::new(),
        };
        let driver = AtomicWaker::new();
        let shared =
            Arc::new(Shared { state: Mutex::new(state), driver, timer: timer.clone(), event_capacity });
        let topics = shared.clone();
        let store = store.map(|store| Store::new(store, Arc::new(move |id| topics.topic(id))));
        let driver = Driver::new(shared.clone(), publisher, subscriber.clone(), timer, store);
        Ok((Self { handle: Arc::new(Handle { shared, subscriber }) }, driver))
    }

    /// Opens the pool of this name, whose topic on the bus is `POOL_` and the name. Opened twice, it is the
    /// same pool. It stays open until the pools are closed. Cancelling opens nothing.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open<T>(&self, name: &str) -> Result<Pool<T>, OpenError>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let shared = &self.handle.shared;
        let topic: Topic = format!("{TOPIC_PREFIX}{name}").into();
        let open = |(id, table)| Pool::new(self.handle.clone(), table, id);
        if let Some(found) = shared.find(&topic)? {
            return Ok(open(found));
        }
        let subscription = self.handle.subscriber.subscribe(topic.clone()).await?;
        shared.open(topic, subscription).map(open)
    }

    /// Leaves all pools: the others remove this server's entries at once. Ends when that is said twice, since a
    /// publisher with queues may let it overtake earlier frames, or could not be said in three tries. A publisher that does
    /// not answer, as one with a full queue, holds it up without limit: set a limit of your own, and save data beside it
    /// and not after it. Needs the driver. Cancelling it does not stop the leave.
    pub async fn close(&self) {
        let shared = &self.handle.shared;
        shared.begin_close();
        std::future::poll_fn(|cx| {
            let mut state = shared.state.lock();
            if state.closed {
                return Poll::Ready(());
            }
            if !state.closing.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.closing.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    /// What happened so far, and how things stand.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let state = self.handle.shared.state.lock();
        let undecodable = state.pools.iter().map(|pool| pool.sink.undecodable()).sum();
        Stats { undecodable, ..state.machine.stats() }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.begin_close();
    }
}

impl Shared {
    /// Calls the machine, hands what changed to the tables before anybody else can call it, and wakes whom
    /// that concerns. `None` after the end.
    pub(crate) fn with_machine<R>(&self, call: impl FnOnce(&mut Machine, Instant) -> R) -> Option<R> {
        let result = self.attend(call);
        self.driver.wake();
        result
    }

    /// The same for the driver, which need not be woken.
    pub(crate) fn attend<R>(&self, call: impl FnOnce(&mut Machine, Instant) -> R) -> Option<R> {
        let mut wakers = Vec::new();
        let mut state = self.state.lock();
        if state.closed {
            return None;
        }
        // Should the machine or a value's decoding panic, what is half done is an end: nobody calls it again, least of
        // all the drop of a handle while that panic unwinds.
        state.closed = true;
        let result = call(&mut state.machine, self.timer.now());
        while let Some((id, notice)) = state.machine.poll_notice() {
            state.pools[id.0].sink.take(notice, &mut wakers);
        }
        state.closed = false;
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        Some(result)
    }

    /// Subscriptions that are new since the last call.
    pub(crate) fn new_subscriptions(&self) -> Vec<(PoolId, Subscription)> {
        std::mem::take(&mut self.state.lock().subscriptions)
    }

    /// The driver has ended, in whichever way.
    pub(crate) fn finish(&self) {
        let mut wakers = Vec::new();
        let mut state = self.state.lock();
        state.closed = true;
        wakers.append(&mut state.closing);
        state.pools.iter().for_each(|pool| pool.sink.close(&mut wakers));
        let unused = std::mem::take(&mut state.subscriptions);
        drop(state);
        drop(unused);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn topic(&self, id: PoolId) -> Topic {
        self.state.lock().pools[id.0].topic.clone()
    }

    fn begin_close(&self) {
        self.with_machine(|machine, now| machine.handle(now, Input::Close));
    }

    fn find<T: Send + Sync + 'static>(&self, topic: &str) -> Result<Option<Found<T>>, OpenError> {
        self.state.lock().find(topic)
    }

    /// Opens a pool, unless somebody else has done it meanwhile.
    fn open<T>(&self, topic: Topic, subscription: Subscription) -> Result<Found<T>, OpenError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let mut state = self.state.lock();
        if let Some(found) = state.find(&topic)? {
            return Ok(found);
        }
        let id = state.machine.open(self.timer.now(), topic.clone());
        let table = Arc::new(Table::new(self.event_capacity));
        state.pools.push(Opened { topic, sink: table.clone() });
        state.subscriptions.push((id, subscription));
        drop(state);
        self.driver.wake();
        Ok((id, table))
    }
}

impl State {
    fn find<T: Send + Sync + 'static>(&self, topic: &str) -> Result<Option<Found<T>>, OpenError> {
        if self.closed || self.machine.is_closing() {
            return Err(OpenError::Closed);
        }
        let Some(index) = self.pools.iter().position(|pool| *pool.topic == *topic) else { return Ok(None) };
        let table = self.pools[index].sink.clone().into_any().downcast().map_err(|_| OpenError::Type)?;
        Ok(Some((PoolId(index), table)))
    }
}
