//! The port to a bus: best-effort broadcast by topic.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::Error;
use crate::limits::BusLimits;

/// The name of a channel on a bus. Any text but the empty one, which is refused as
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid); adapters encode it reversibly where a service restricts it.
pub type Topic = Arc<str>;

/// How urgent a message is to a publisher that queues. Plain buses ignore it.
///
/// Priorities are ordered as they are sent: of two the more urgent one is the lesser, so `min` and not `max` finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Before everything else.
    Urgent,
    /// The usual.
    #[default]
    Normal,
    /// After everything else, but never starved.
    Background,
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing {
    /// Where to.
    pub topic: Topic,
    /// The bytes that receivers get, unchanged.
    pub body: Bytes,
    /// How urgent it is, where the publisher queues.
    pub priority: Priority,
    /// Where the publisher queues: an unsent message of the same topic and key is replaced by this one,
    /// which takes its place in the queue. `None` replaces nothing.
    pub conflation_key: Option<Arc<str>>,
}

impl Outgoing {
    /// A message of normal priority that replaces nothing.
    pub fn new(topic: impl Into<Topic>, body: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), body: body.into(), priority: Priority::default(), conflation_key: None }
    }

    /// The same message with another priority.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// The same message, replacing an unsent one of the same topic and key.
    #[must_use]
    pub fn with_conflation_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.conflation_key = Some(key.into());
        self
    }
}

/// What a subscription yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A message of the topic.
    Message(Bytes),
    /// Messages may have been lost here: a reconnect, a slow-consumer drop, a hole in a sequence. It
    /// comes after the subscription is whole again, so what is read from elsewhere afterwards misses
    /// nothing.
    Gap,
}

/// The deliveries of one subscription. Dropping it unsubscribes.
///
/// A broken connection does not end it: the adapter makes a new one by itself, and then yields [`Delivery::Gap`]. It ends
/// (`None`) only where nothing would ever come again: what receives for it is gone, such as a task whose runtime was shut
/// down or a driver that was dropped, or the service has refused for good to take it up again. So an end is a gap that
/// stays open. Whoever finds one may subscribe anew, after a pause, since what ended this one may end the next at once; what
/// was missed meanwhile has to be read from elsewhere, as behind any gap.
pub type Subscription = BoxStream<'static, Delivery>;

/// The sending half of a bus.
///
/// Publishing is best-effort broadcast: a message reaches each subscriber of its topic once, more than
/// once or not at all, and messages of different senders in any order.
pub trait Publisher: Send + Sync {
    /// What the bus allows. Constant for the life of the publisher.
    fn limits(&self) -> &BusLimits;

    /// Hands a message to the bus.
    ///
    /// `Ok` means that the bus accepted it, not that anybody received it. Nothing happens before the
    /// first poll. A future dropped after that leaves it unknown whether the message is sent.
    /// Adapters bound how long it takes, and end with `Unknown` when no answer came: who limits how much is
    /// under way sends nothing else while it waits.
    ///
    /// # Errors
    /// Every [`ErrorKind`](crate::ErrorKind) but `Conflict` and `Malformed`. After `Unknown` a repeated
    /// publish may deliver the message twice.
    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>>;
}

/// The receiving half of a bus. Some services (Roblox Open Cloud) have none.
pub trait Subscriber: Send + Sync {
    /// Subscribes to a topic. When the future is ready the subscription is in place: whatever is
    /// published from then on is delivered or reported as [`Delivery::Gap`].
    ///
    /// # Errors
    /// `TooLarge` or `Invalid` for the topic's name, `Throttled`, `Denied`, `Unavailable`, `Closed`.
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Result<Subscription, Error>>;

    /// Whether a sender that subscribes to the topic it publishes on receives its own messages.
    fn hears_own_echo(&self) -> bool;
}
