//! The simulated bus as a port.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures::Stream;
use futures::future::BoxFuture;
use transport_traits::{
    BusLimits, Delivery, Error, ErrorKind, Outgoing, Publisher, StoreLimits, Subscriber, Subscription, Topic,
};

use super::calls::Answer;
use super::desk::Desk;
use super::lock;
use crate::{Action, Event};

/// The bus of a simulation, as one process has it. A subscription that is not read keeps everything.
#[derive(Debug)]
pub struct SimBus {
    desk: Arc<Mutex<Desk>>,
    limits: Arc<(BusLimits, StoreLimits)>,
    echo: bool,
}

impl SimBus {
    pub(super) const fn new(
        desk: Arc<Mutex<Desk>>,
        limits: Arc<(BusLimits, StoreLimits)>,
        echo: bool,
    ) -> Self {
        Self { desk, limits, echo }
    }

    fn check(&self, topic: &Topic) -> Result<(), Error> {
        if topic.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "a topic is not empty"));
        }
        self.limits.0.topic.map_or(Ok(()), |limit| limit.check("topic", topic.as_bytes()))
    }
}

impl Publisher for SimBus {
    fn limits(&self) -> &BusLimits {
        &self.limits.0
    }

    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            self.check(&message.topic)?;
            match Answer::of(&self.desk, |id| Action::Publish(id, message)).await {
                Event::Published(_, result) => result,
                other => unreachable!("a publish is answered as one, and not by {other:?}"),
            }
        })
    }
}

impl Subscriber for SimBus {
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async move {
            self.check(&topic)?;
            let id = lock(&self.desk).subscribe(&topic);
            let subscription: Subscription = Box::pin(Inbox { desk: self.desk.clone(), topic, id });
            give_way().await; // The subscription is in place when the call returns.
            Ok(subscription)
        })
    }

    fn hears_own_echo(&self) -> bool {
        self.echo
    }
}

/// Lets the process carry out what was asked for, as it does before any task goes on.
async fn give_way() {
    let mut has_waited = false;
    let wait = |context: &mut Context<'_>| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    };
    poll_fn(wait).await;
}

struct Inbox {
    desk: Arc<Mutex<Desk>>,
    topic: Topic,
    id: u64,
}

impl Stream for Inbox {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let delivery = lock(&self.desk).receive(&self.topic, self.id, context.waker());
        delivery.map_or(Poll::Pending, |delivery| Poll::Ready(Some(delivery)))
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        lock(&self.desk).unsubscribe(&self.topic, self.id);
    }
}
