//! The subscriptions of the pools. Where one ends another is made, or its pool would be deaf for the rest of its life.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered, SelectAll};
use transport_traits::{Delivery, Subscriber, Subscription, Timer, Topic};

use crate::machine::{Input, PoolId};

/// Before the first try to subscribe anew. It doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Between two tries, also of a topic that the bus refuses: who may hear it can change.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub(crate) struct Listening {
    subscriber: Arc<dyn Subscriber>,
    timer: Arc<dyn Timer>,
    deliveries: SelectAll<BoxStream<'static, Input>>,
    renewals: FuturesUnordered<BoxFuture<'static, (PoolId, Subscription)>>,
}

impl Listening {
    pub(crate) fn new(subscriber: Arc<dyn Subscriber>, timer: Arc<dyn Timer>) -> Self {
        Self { subscriber, timer, deliveries: SelectAll::new(), renewals: FuturesUnordered::new() }
    }

    pub(crate) fn add(&mut self, pool: PoolId, subscription: Subscription) {
        let inputs = subscription.map(move |delivery| input(pool, delivery));
        let end = futures::stream::iter([Input::Ended { pool }]);
        self.deliveries.push(inputs.chain(end).boxed());
    }

    /// What was heard next. After an end and what came between there is a gap.
    pub(crate) fn poll_next(&mut self, topic: impl Fn(PoolId) -> Topic, cx: &mut Context<'_>) -> Poll<Input> {
        if let Poll::Ready(Some((pool, subscription))) = self.renewals.poll_next_unpin(cx) {
            self.add(pool, subscription);
            return Poll::Ready(Input::Gap { pool });
        }
        let Poll::Ready(Some(input)) = self.deliveries.poll_next_unpin(cx) else { return Poll::Pending };
        if let Input::Ended { pool } = input {
            self.renewals.push(self.renew(pool, topic(pool)));
        }
        Poll::Ready(input)
    }

    /// Ends all subscriptions.
    pub(crate) fn clear(&mut self) {
        self.deliveries.clear();
        self.renewals.clear();
    }

    fn renew(&self, pool: PoolId, topic: Topic) -> BoxFuture<'static, (PoolId, Subscription)> {
        let (subscriber, timer) = (self.subscriber.clone(), self.timer.clone());
        Box::pin(async move {
            let mut wait = FIRST_WAIT;
            loop {
                timer.sleep_until(timer.now() + wait).await;
                match subscriber.subscribe(topic.clone()).await {
                    Ok(subscription) => return (pool, subscription),
                    Err(error) => {
                        tracing::warn!(%error, %topic, "a pool's topic cannot be subscribed to anew")
                    }
                }
                wait = (2 * wait).min(LONGEST_WAIT);
            }
        })
    }
}

fn input(pool: PoolId, delivery: Delivery) -> Input {
    match delivery {
        Delivery::Message(body) => Input::Received { pool, body },
        Delivery::Gap => Input::Gap { pool },
    }
}
