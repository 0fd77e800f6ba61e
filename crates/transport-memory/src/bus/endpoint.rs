//! A server's place on the bus.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use futures::future::BoxFuture;
use transport_adapter::check;
use transport_traits::{BusLimits, Delivery, Error, Outgoing, Publisher, Subscriber, Subscription, Topic};

use super::channel::Channel;
use super::medium::Medium;
use super::queue::Queue;
use super::server::Server;

/// One server on a [`MemoryBus`](crate::MemoryBus), with a send rate and subscriptions of its own. Clones
/// are the same server.
///
/// Its futures are ready at the first poll. Its subscriptions outlive it and never end.
///
/// # Errors
/// Of `publish`: `Invalid` (an empty topic; a body that is not UTF-8 where the bus carries text), `TooLarge`
/// (topic, body), `Throttled` with the time until there is room. Of `subscribe`: the same for the topic,
/// `Throttled`, and `Unavailable` if the server's number of topics is reached.
#[derive(Clone)]
pub struct MemoryEndpoint {
    medium: Arc<Medium>,
    server: Arc<Server>,
    queue_capacity: usize,
}

impl MemoryEndpoint {
    pub(super) fn new(medium: Arc<Medium>, queue_capacity: usize) -> Self {
        let server = Arc::new(Server::new(&medium.limits, medium.load));
        Self { medium, server, queue_capacity }
    }

    fn publish_now(&self, message: &Outgoing) -> Result<(), Error> {
        check::name("topic", self.medium.limits.topic, &message.topic)?;
        check::body(&self.medium.limits, &message.body)?;
        let now = self.medium.clock.now();
        self.server.take_send(now)?;
        self.medium.broadcast(message, now);
        Ok(())
    }

    fn subscribe_now(&self, topic: Topic) -> Result<Subscription, Error> {
        check::name("topic", self.medium.limits.topic, &topic)?;
        let now = self.medium.clock.now();
        self.server.take_subscription(&topic, now)?;
        let queue = Arc::new(Queue::new(self.queue_capacity));
        let channel = self.medium.channel(&topic, now);
        channel.add(queue.clone());
        Ok(Box::pin(Listener { queue, channel, server: self.server.clone(), topic }))
    }
}

impl Publisher for MemoryEndpoint {
    fn limits(&self) -> &BusLimits {
        &self.medium.limits
    }

    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let published = self.publish_now(&message);
            if published.is_err() {
                self.medium.count_refused();
            }
            published
        })
    }
}

impl Subscriber for MemoryEndpoint {
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async move { self.subscribe_now(topic) })
    }

    fn hears_own_echo(&self) -> bool {
        true
    }
}

impl fmt::Debug for MemoryEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryEndpoint").field("limits", &self.medium.limits).finish_non_exhaustive()
    }
}

/// One subscription; dropping it unsubscribes.
struct Listener {
    queue: Arc<Queue>,
    channel: Arc<Channel>,
    server: Arc<Server>,
    topic: Topic,
}

impl Stream for Listener {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        self.queue.poll(cx).map(Some)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.channel.remove(&self.queue);
        self.server.release_subscription(&self.topic);
    }
}
