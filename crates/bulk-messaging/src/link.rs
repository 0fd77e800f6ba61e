//! The subscription of a real topic: made when first wanted, made again when it ends.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use transport_traits::{Delivery, Error, Retry, Subscriber, Subscription, Timer, Topic};

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub(crate) struct Link {
    subscriber: Arc<dyn Subscriber>,
    timer: Arc<dyn Timer>,
    topic: Topic,
    state: State,
    /// It was in place before: inner subscriptions count on it.
    established: bool,
    wait: Duration,
}

enum State {
    Idle,
    Connecting(BoxFuture<'static, Result<Subscription, Error>>),
    Up(Subscription),
    Waiting(BoxFuture<'static, ()>),
}

/// What happened to the subscription.
pub(crate) enum Event {
    /// It is in place. `again` if it was before: messages may have been lost meanwhile.
    Up { again: bool },
    /// It could not be made. `ended` if inner subscriptions counted on it and it will not be tried again.
    Failed { error: Error, ended: bool },
    /// It ended, and will be made again.
    Lost,
    /// It delivered something.
    Delivery(Delivery),
}

impl Link {
    pub(crate) fn new(subscriber: Arc<dyn Subscriber>, timer: Arc<dyn Timer>, topic: Topic) -> Self {
        Self { subscriber, timer, topic, state: State::Idle, established: false, wait: FIRST_WAIT }
    }

    /// The next event. `wanted` says whether somebody waits for the subscription.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, wanted: bool) -> Poll<Event> {
        loop {
            match &mut self.state {
                State::Idle if wanted => self.state = State::Connecting(self.connect()),
                State::Idle => return Poll::Pending,
                State::Connecting(connecting) => {
                    let connected = ready!(connecting.poll_unpin(cx));
                    return Poll::Ready(self.connected(connected));
                }
                State::Up(subscription) => {
                    let Some(delivery) = ready!(subscription.poll_next_unpin(cx)) else {
                        self.wait();
                        return Poll::Ready(Event::Lost);
                    };
                    return Poll::Ready(Event::Delivery(delivery));
                }
                State::Waiting(waiting) => {
                    ready!(waiting.poll_unpin(cx));
                    self.state = State::Connecting(self.connect());
                }
            }
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    fn connected(&mut self, connected: Result<Subscription, Error>) -> Event {
        match connected {
            Ok(subscription) => {
                self.state = State::Up(subscription);
                self.wait = FIRST_WAIT;
                Event::Up { again: std::mem::replace(&mut self.established, true) }
            }
            Err(error) if self.established && error.retry() != Retry::Never => {
                self.wait();
                Event::Failed { error, ended: false }
            }
            Err(error) => {
                self.state = State::Idle;
                Event::Failed { error, ended: std::mem::take(&mut self.established) }
            }
        }
    }

    fn connect(&self) -> BoxFuture<'static, Result<Subscription, Error>> {
        let (subscriber, topic) = (self.subscriber.clone(), self.topic.clone());
        async move { subscriber.subscribe(topic).await }.boxed()
    }

    /// Waits twice as long as before.
    fn wait(&mut self) {
        let until = self.timer.now() + self.wait;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        let timer = self.timer.clone();
        self.state = State::Waiting(async move { timer.sleep_until(until).await }.boxed());
    }
}
