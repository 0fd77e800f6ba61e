//! The cases for buses, and what they are run on.

mod delivery;
mod dropped;
mod refusals;
mod subscriptions;

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use transport_traits::{Delivery, Publisher, PublisherExt, Subscriber, Subscription};

use crate::support::{Case, find, ok};
use crate::watchdog::within_patience;

/// All of them.
pub const CASES: &[Case<Buses>] = crate::__bus_cases!(__array());

/// Both halves of a bus.
pub trait Bus: Publisher + Subscriber {}

impl<B: Publisher + Subscriber + ?Sized> Bus for B {}

/// Breaks the connection on which a server receives.
type Cut = Box<dyn Fn() -> BoxFuture<'static, ()>>;

/// A bus that carries nothing yet, as two servers see it.
pub struct Buses {
    here: Arc<dyn Bus>,
    there: Arc<dyn Bus>,
    cut: Option<Cut>,
    _kept: Box<dyn Any>,
}

impl Buses {
    /// Two servers on one bus.
    pub fn new(here: Arc<dyn Bus>, there: Arc<dyn Bus>) -> Self {
        Self { here, there, cut: None, _kept: Box::new(()) }
    }

    /// The same, with a way to break the connection on which the second server receives, which then comes back by
    /// itself. Leave it out where there is no connection that could break.
    #[must_use]
    pub fn cut_by(self, cut: impl Fn() -> BoxFuture<'static, ()> + 'static) -> Self {
        Self { cut: Some(Box::new(cut)), ..self }
    }

    /// The same, dropping `kept` after the test, and after the two servers: a server program, a folder.
    #[must_use]
    pub fn keeping(self, kept: impl Any) -> Self {
        Self { _kept: Box::new(kept), ..self }
    }

    /// Publishes on the first server.
    async fn send(&self, topic: &str, body: impl Into<Bytes>) {
        send(&*self.here, topic, body).await;
    }

    /// Subscribes on the second server.
    async fn listen(&self, topic: &str) -> Subscription {
        listen(&*self.there, topic).await
    }
}

/// Runs the case of this name on what `setup` gives, or nothing if that is `None`.
///
/// # Panics
/// If the case fails, does not end within a minute, or does not exist.
pub async fn check_bus(case: &'static str, setup: impl Future<Output = Option<Buses>>) {
    let run = find(CASES, case).run;
    if let Some(buses) = setup.await {
        within_patience(case, run(&buses)).await;
    }
}

async fn send(bus: &dyn Bus, topic: &str, body: impl Into<Bytes>) {
    ok(bus.send(topic, body).await, format_args!("publishing on {topic:?}"));
}

async fn listen(bus: &dyn Bus, topic: &str) -> Subscription {
    ok(bus.subscribe(topic.into()).await, format_args!("subscribing to {topic:?}"))
}

async fn next(subscription: &mut Subscription) -> Delivery {
    subscription.next().await.expect("a subscription does not end by itself")
}

/// Reads a message, where nothing may be missing.
async fn read(subscription: &mut Subscription) -> Bytes {
    match next(subscription).await {
        Delivery::Message(body) => body,
        Delivery::Gap => panic!("a gap, although nothing happened that could lose a message"),
    }
}

/// What comes before the message `end`, as text.
async fn read_until(subscription: &mut Subscription, end: &str) -> Vec<String> {
    let mut before = Vec::new();
    loop {
        let body = String::from_utf8_lossy(&read(subscription).await).into_owned();
        if body == end {
            return before;
        }
        before.push(body);
    }
}
