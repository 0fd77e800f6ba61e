//! A server's place on the bus.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use futures::future::BoxFuture;
use transport_traits::limits::Content;
use transport_traits::{
    BusLimits, Delivery, Error, ErrorKind, Outgoing, Publisher, Subscriber, Subscription, Topic,
};

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
        self.check_topic(&message.topic)?;
        self.check_body(&message.body)?;
        let now = self.medium.clock.now();
        self.server.take_send(now)?;
        self.medium.broadcast(message, now);
        Ok(())
    }

    fn subscribe_now(&self, topic: Topic) -> Result<Subscription, Error> {
        self.check_topic(&topic)?;
        let now = self.medium.clock.now();
        self.server.take_subscription(&topic, now)?;
        let queue = Arc::new(Queue::new(self.queue_capacity));
        let channel = self.medium.channel(&topic, now);
        channel.add(queue.clone());
        Ok(Box::pin(Listener { queue, channel, server: self.server.clone(), topic }))
    }

    fn check_topic(&self, topic: &str) -> Result<(), Error> {
        if topic.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "a topic without a name"));
        }
        self.medium.limits.topic.map_or(Ok(()), |limit| limit.check("topic", topic.as_bytes()))
    }

    fn check_body(&self, body: &[u8]) -> Result<(), Error> {
        self.medium.limits.body.map_or(Ok(()), |limit| limit.check("body", body))?;
        if self.medium.limits.content == Content::Text
            && let Err(error) = std::str::from_utf8(body)
        {
            return Err(Error::new(ErrorKind::Invalid, "a body that is not text").with_source(error));
        }
        Ok(())
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
