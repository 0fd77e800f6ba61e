//! The future that carries out what the machine decides.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tracing::warn;
use transport_traits::{Delivery, Error, ErrorKind, Instant, Outgoing, Publisher};

use crate::link;
use crate::links::Links;
use crate::machine::{Input, Output, PublishId};
use crate::shared::{Shared, State};
use crate::tally::Tally;

/// Events handled before outputs are looked at, and rounds before others get the thread.
const BATCH: usize = 64;

/// Bytes of received frames after which outputs are looked at, for a byte of a mad frame becomes many of outputs; and
/// after which others get the thread: consumers that share it read what has come before there is more.
const BATCH_BYTES: usize = 64 << 10;

type Publishing = BoxFuture<'static, (PublishId, Result<(), Error>)>;

/// Carries everything out. Spawn it, or nothing happens.
///
/// It ends when the last handle is dropped and what was queued is sent, or the drain's time is over. Dropping it
/// earlier closes the handles: publishes fail with `Closed`, subscriptions end, and
/// [`drain`](crate::BulkMessaging::drain) gives back what was not sent.
#[must_use = "nothing is sent or received unless the driver is spawned"]
pub struct Driver {
    shared: Arc<Shared>,
    publisher: Arc<dyn Publisher>,
    publishing: FuturesUnordered<Publishing>,
    links: Links,
    /// Publishes that failed.
    failed: Tally,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, publisher: Arc<dyn Publisher>, links: Links) -> Self {
        let (publishing, failed) = (FuturesUnordered::new(), Tally::default());
        Self { shared, publisher, publishing, links, failed, sleep: None }
    }

    /// Takes in what has happened outside. Says how many bytes were received; `None` if nothing has happened.
    fn gather(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        let mut inputs = Vec::new();
        while inputs.len() < BATCH
            && let Poll::Ready(Some((id, result))) = self.publishing.poll_next_unpin(cx)
        {
            let result = result.map_err(|error| self.publish_failed(&error));
            inputs.push(Input::Published { id, result });
        }
        let wanted = self.shared.lock().wants_connection();
        let (mut events, mut bytes) = (0, 0);
        while events < BATCH
            && bytes < BATCH_BYTES
            && let Poll::Ready(event) = self.links.poll(cx, wanted)
        {
            events += 1;
            if let link::Event::Delivery(Delivery::Message(body)) = &event {
                bytes += body.len();
            }
            inputs.extend(self.link_event(event));
        }
        let happened = events > 0 || !inputs.is_empty();
        if !inputs.is_empty() {
            let state = &mut *self.shared.lock();
            let now = self.shared.timer.now();
            inputs.into_iter().for_each(|input| state.machine.handle(now, input));
        }
        happened.then_some(bytes)
    }

    fn publish_failed(&mut self, error: &Error) -> ErrorKind {
        if let Some(count) = self.failed.count() {
            warn!(count, %error, "publishing a frame failed");
        }
        error.kind()
    }

    fn link_event(&self, event: link::Event) -> Option<Input> {
        let mut state = self.shared.lock();
        match event {
            link::Event::Delivery(Delivery::Message(body)) => Some(Input::Received(body)),
            link::Event::Delivery(Delivery::Gap) => Some(Input::TransportGap),
            link::Event::Up { again } => {
                state.connected = self.links.are_up();
                if state.connected {
                    state.tell_connected(Ok(()));
                }
                again.then_some(Input::TransportGap)
            }
            link::Event::Failed { error, ended } => {
                warn!(%error, "subscribing to a real topic failed");
                state.tell_connected(Err(error.kind()));
                if ended {
                    state.inboxes.end_all();
                }
                None
            }
            link::Event::Lost => {
                warn!("the subscription of a real topic ended");
                state.connected = false;
                None
            }
        }
    }

    /// Carries out what the machine wants; says when it wants to be asked again, and whether it is all over.
    fn act(&mut self, cx: &Context<'_>) -> (Option<Instant>, bool) {
        let shared = self.shared.clone();
        let mut guard = shared.lock();
        let state = &mut *guard;
        state.driver = Some(cx.waker().clone());
        let now = shared.timer.now();
        if state.abandoned {
            state.machine.handle(now, Input::Drain);
        }
        while let Some(output) = state.machine.poll(now) {
            match output {
                Output::Publish { id, topic, body } => self.publish(id, Outgoing::new(topic, body)),
                output => state.settle(output),
            }
        }
        let wakeup = state.machine.next_wakeup();
        let over = state.abandoned && state.drained;
        let mut wakers = state.inboxes.take_wakers();
        wakers.extend(state.first_in_line());
        drop(guard);
        wakers.into_iter().for_each(Waker::wake);
        (wakeup, over)
    }

    fn publish(&self, id: PublishId, message: Outgoing) {
        let publisher = self.publisher.clone();
        self.publishing.push(async move { (id, publisher.publish(message).await) }.boxed());
    }

    /// Whether the time has come, or the driver will be woken then.
    fn woken_at(&mut self, cx: &mut Context<'_>, wakeup: Option<Instant>) -> bool {
        let Some(wakeup) = wakeup else {
            self.sleep = None;
            return false;
        };
        if self.sleep.as_ref().is_none_or(|(until, _)| *until != wakeup) {
            let timer = self.shared.timer.clone();
            self.sleep = Some((wakeup, async move { timer.sleep_until(wakeup).await }.boxed()));
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
        let mut received = 0;
        for _ in 0..BATCH {
            let (wakeup, over) = self.act(cx);
            if over {
                report_rest(&self.shared.lock());
                return Poll::Ready(());
            }
            if received >= BATCH_BYTES {
                break;
            }
            match self.gather(cx) {
                Some(bytes) => received += bytes,
                None if self.woken_at(cx, wakeup) => {}
                None => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("publishing", &self.publishing.len()).finish_non_exhaustive()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.close();
    }
}

fn report_rest(state: &State) {
    if !state.leftover.is_empty() {
        warn!(messages = state.leftover.len(), "messages could not be sent before the end");
    }
}
