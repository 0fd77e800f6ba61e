//! The future that feeds the machine: bus and clock in, frames out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use transport_traits::{Error, ErrorKind, Instant, Outgoing, Publisher, Subscriber, Timer};

use crate::handle::Shared;
use crate::listening::Listening;
use crate::machine::{FrameId, Input, Output};
use crate::store::Store;

/// Deliveries handed to the machine at once, so that a flood leaves room for the rest.
const BATCH: usize = 64;

/// Rounds without a pause, so that a flood leaves room for other tasks.
const ROUNDS: usize = 16;

/// Does the work of the [`Pools`](crate::Pools) that it was made with. To be spawned on any executor. It ends
/// after the server has left; dropped before, the server goes silent as in a crash.
#[must_use = "nothing happens unless the driver is spawned"]
pub struct Driver {
    shared: Arc<Shared>,
    publisher: Arc<dyn Publisher>,
    timer: Arc<dyn Timer>,
    listening: Listening,
    /// Publishes and calls to the store under way.
    calls: FuturesUnordered<BoxFuture<'static, Input>>,
    store: Option<Store>,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        publisher: Arc<dyn Publisher>,
        subscriber: Arc<dyn Subscriber>,
        timer: Arc<dyn Timer>,
        store: Option<Store>,
    ) -> Self {
        Self {
            listening: Listening::new(subscriber, timer.clone()),
            shared,
            publisher,
            timer,
            calls: FuturesUnordered::new(),
            store,
            sleep: None,
        }
    }

    /// Feeds the machine once. Ready if it has closed, else whether there may be more to do at once.
    fn round(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        for (pool, subscription) in self.shared.new_subscriptions() {
            self.listening.add(pool, subscription);
        }
        let inputs = self.gather(cx);
        let (received, mut outputs, mut wakeup) = (!inputs.is_empty(), Vec::new(), None);
        let mut jobs = Vec::new();
        let wall = self.timer.wall_clock();
        let attended = self.shared.attend(|machine, now| {
            let inputs = std::iter::once(Input::WallClock(wall)).chain(inputs);
            inputs.for_each(|input| machine.handle(now, input));
            outputs.extend(std::iter::from_fn(|| machine.poll(now)));
            jobs.extend(std::iter::from_fn(|| machine.poll_store()));
            wakeup = machine.next_wakeup();
        });
        if attended.is_none() {
            return Poll::Ready(true);
        }
        let sent = !outputs.is_empty() || !jobs.is_empty();
        if let Some(store) = &self.store {
            jobs.into_iter().for_each(|job| self.calls.push(store.call(job)));
        }
        for output in outputs {
            match output {
                Output::Closed => return Poll::Ready(true),
                Output::Publish { frame, message } => self.calls.push(self.publish(frame, message)),
            }
        }
        let overslept = self.sleep_until(wakeup, cx);
        if received || sent || overslept { Poll::Ready(false) } else { Poll::Pending }
    }

    fn gather(&mut self, cx: &mut Context<'_>) -> Vec<Input> {
        let mut inputs = Vec::new();
        while let Poll::Ready(Some(input)) = self.calls.poll_next_unpin(cx) {
            inputs.push(input);
        }
        while inputs.len() < BATCH {
            let topic = |pool| self.shared.topic(pool);
            let Poll::Ready(input) = self.listening.poll_next(topic, cx) else { break };
            inputs.push(input);
        }
        inputs
    }

    fn publish(&self, frame: FrameId, message: Outgoing) -> BoxFuture<'static, Input> {
        let publisher = self.publisher.clone();
        Box::pin(async move {
            match publisher.publish(message).await {
                Ok(()) => Input::Published(frame),
                Err(error) => {
                    tracing::warn!(%error, "a frame of a pool was not published");
                    Input::Failed { frame, retry_after: retry_after(&error) }
                }
            }
        })
    }

    /// Arranges to be polled at a time. Whether that is now.
    fn sleep_until(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> bool {
        if self.sleep.as_ref().map(|(at, _)| *at) != deadline {
            self.sleep = deadline.map(|at| {
                let timer = self.timer.clone();
                (at, async move { timer.sleep_until(at).await }.boxed())
            });
        }
        let over = self.sleep.as_mut().is_some_and(|(_, sleep)| sleep.poll_unpin(cx).is_ready());
        if over {
            self.sleep = None;
        }
        over
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.driver.register(cx.waker());
        for _ in 0..ROUNDS {
            match self.round(cx) {
                Poll::Ready(true) => {
                    self.listening.clear();
                    self.shared.finish();
                    return Poll::Ready(());
                }
                Poll::Ready(false) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.finish();
    }
}

fn retry_after(error: &Error) -> Option<std::time::Duration> {
    match error.kind() {
        ErrorKind::Throttled { retry_after } => retry_after,
        _ => None,
    }
}
