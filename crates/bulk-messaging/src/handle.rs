//! What users hold: a publisher and a subscriber of inner topics.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use futures::channel::oneshot;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use transport_traits::{
    BusLimits, Error, ErrorKind, Outgoing, Publisher, Subscriber, Subscription, Timer, Topic,
};

use crate::driver::Driver;
use crate::entrance::Entrance;
use crate::error::closed;
use crate::inbox::InboxStream;
use crate::links::Links;
use crate::machine::{FlushId, Known, Machine};
use crate::shared::Shared;
use crate::wire::{MAX_INCARNATION, escape};
use crate::{Config, ConfigError, Refusal, Stats};

/// Bulk messaging over a bus: publishes and subscribes inner topics, carried by one real topic. Clones share
/// everything.
#[derive(Clone)]
pub struct BulkMessaging {
    alive: Arc<Alive>,
    limits: BusLimits,
    hears_own_echo: bool,
}

impl fmt::Debug for BulkMessaging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkMessaging").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Tells the driver when the last handle is dropped.
struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Withdraws a flush for which nobody waits any more.
struct Withdraw<'a> {
    shared: &'a Shared,
    flush: FlushId,
}

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        self.shared.withdraw(self.flush);
    }
}

impl BulkMessaging {
    /// Bulk messaging over this bus, and the driver that does the work: spawn it.
    ///
    /// Nothing is subscribed to until the first inner topic is.
    ///
    /// # Errors
    /// [`ConfigError`] where configuration and limits do not go together.
    pub fn new(
        publisher: Arc<dyn Publisher>,
        subscriber: Arc<dyn Subscriber>,
        timer: Arc<dyn Timer>,
        mut config: Config,
    ) -> Result<(Self, Driver), ConfigError> {
        if config.sender.is_some() {
            config.incarnation.get_or_insert_with(|| new_life(&*timer));
        }
        let machine = Machine::new(config.clone(), publisher.limits(), timer.now())?;
        let limits = machine.limits().clone();
        let hears_own_echo = subscriber.hears_own_echo();
        let links = Links::new(&subscriber, &timer, machine.real_topics());
        let shared = Shared::new(machine, timer, &config);
        let driver = Driver::new(shared.clone(), publisher, links);
        Ok((Self { alive: Arc::new(Alive(shared)), limits, hears_own_echo }, driver))
    }

    /// Publishes a text: the message is the JSON string of it. A future dropped while it waits for room publishes nothing.
    ///
    /// # Errors
    /// As [`publish`](Publisher::publish) of this type.
    pub fn publish_text(&self, topic: impl Into<Topic>, text: &str) -> BoxFuture<'_, Result<(), Error>> {
        self.enter(Outgoing::new(topic, escape(text)), Known::Json, None).boxed()
    }

    /// Publishes a message and waits until the bus has accepted its frame. A message that was replaced by a later one
    /// with its conflation key shares that one's fate.
    ///
    /// Dropping the future after the first poll does not take the message back. That the bus has accepted the frame does not say
    /// that every receiver gets it: see [`retry_hole_timeout`](Config::retry_hole_timeout).
    ///
    /// # Errors
    /// Those of [`publish`](Publisher::publish); then the error with which the bus refused the frame for good; `Closed` if
    /// a drain ended before the message left, `Unknown` if it ended with the publish under way.
    pub fn publish_confirmed(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        let (sender, receiver) = oneshot::channel();
        async move {
            self.enter(message, Known::Nothing, Some(sender)).await?;
            let outcome = receiver.await.unwrap_or(Err(ErrorKind::Unknown));
            outcome.map_err(|kind| Error::new(kind, "publishing the message's frame"))
        }
        .boxed()
    }

    /// Sends everything published so far without linger, and waits until the bus has accepted it or refused it for
    /// good. Returns at once when bulk messaging is closed.
    ///
    /// While the bus cannot be reached it waits: give it a time limit of your own. Dropping the future withdraws the flush:
    /// nothing of it stays behind, and what is not sent yet is sent as if there had been none.
    pub async fn flush(&self) {
        if let Some((flush, flushed)) = self.shared().flush() {
            let _on_drop = Withdraw { shared: self.shared(), flush };
            // An error says that the driver is gone, and with it every chance to flush.
            let _gone = flushed.await;
        }
    }

    /// Accepts nothing more, sends what is queued, and gives back what could not be sent within
    /// [`drain_timeout`](Config::drain_timeout), in the order of publishing.
    ///
    /// What was under way when the time was over is given back too, though it may have been sent. Subscriptions go on.
    /// Of several callers one gets the messages. A future dropped early leaves them to the next caller.
    pub async fn drain(&self) -> Vec<Outgoing> {
        if let Some(drained) = self.shared().drain() {
            // An error says that the driver is gone: what it left is there all the same.
            let _gone = drained.await;
        }
        std::mem::take(&mut self.shared().lock().leftover)
    }

    /// What went through, and how much waits.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let state = self.shared().lock();
        let mut stats = state.machine.stats(self.shared().timer.now());
        stats.lagged = state.inboxes.lagged;
        stats
    }

    async fn enter(
        &self,
        message: Outgoing,
        known: Known,
        confirm: Option<oneshot::Sender<Result<(), ErrorKind>>>,
    ) -> Result<(), Error> {
        let mut entrance = Entrance::new(self.shared(), message, known, confirm);
        poll_fn(|cx| entrance.poll(cx)).await
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.alive.0
    }
}

/// An incarnation that no earlier life of a sender had, unless that began in the same millisecond of a clock set back.
fn new_life(timer: &dyn Timer) -> u64 {
    (timer.wall_clock().as_micros() / 1_000).min(MAX_INCARNATION)
}

impl Publisher for BulkMessaging {
    /// What surely fits: a body within the limit fits into a frame of its own under any inner topic within the limit,
    /// counted as the limit says: as the bus counts, or in bytes in the text form of `Compact`; with fragmentation, any
    /// body up to its bound. Under a shorter topic a somewhat larger body is taken too. The exception is a body that
    /// [looks like a fragment](crate#fragments), which has a little less room. No rates: the queue keeps the bus's.
    fn limits(&self) -> &BusLimits {
        &self.limits
    }

    /// Accepts a message: it is ready when the message is in the queue, not when it is sent. In the format `Nexus` the body is one JSON value;
    /// it arrives as it is, without white space around it.
    ///
    /// Every 64 KiB of bodies one publish gives way before it is ready, so that a driver on the same thread has its turn. A
    /// future dropped then, or while it waits for room, publishes nothing.
    ///
    /// # Errors
    /// `TooLarge` and `Invalid` (not JSON, or the inner topic `~`), `Unavailable` where the queue is full and
    /// [`OnFull::Fail`](crate::OnFull::Fail) is set, `Closed`.
    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        self.enter(message, Known::Nothing, None).boxed()
    }
}

impl Subscriber for BulkMessaging {
    /// Subscribes to an inner topic. The first subscription makes those of the real topics.
    ///
    /// It ends when the driver does, or when the bus ends a real subscription for good. A future dropped before it is ready
    /// subscribes to nothing.
    ///
    /// # Errors
    /// `TooLarge` or `Invalid` for the inner topic's name, those of the real subscription, `Closed`.
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        async move {
            let shared = self.shared();
            shared.lock().machine.check_topic(&topic).map_err(Refusal::into_error)?;
            let subscription = InboxStream::new(shared.clone(), topic);
            if let Some(connected) = shared.connect()? {
                connected.await.unwrap_or_else(|_| Err(closed()))?;
            }
            Ok(subscription.boxed())
        }
        .boxed()
    }

    fn hears_own_echo(&self) -> bool {
        self.hears_own_echo
    }
}
