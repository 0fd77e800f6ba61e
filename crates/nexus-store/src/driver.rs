//! The future that feeds the machine.

use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{self, BoxFuture};
use futures::stream::{AbortHandle, FuturesUnordered, StreamExt};
use transport_traits::{DataStore, Error, Instant, Publisher, Subscriber, Subscription, Topic};

use crate::Fields;
use crate::machine::{Input, Output, RecordId, UpdateRun};
use crate::shared::Shared;
use crate::subscriptions::Subscriptions;

/// Rounds of work before the driver lets others run.
const ROUNDS: usize = 64;

/// Does a store's work: spawn it, or poll it beside your own futures.
///
/// It ends once the store is shut down, or once the last [`NexusStore`](crate::NexusStore) and
/// [`SaveData`](crate::SaveData) are dropped and everything is saved or
/// [`Config::shutdown_timeout`](crate::Config::shutdown_timeout) has passed. Dropped before, it ends all
/// calls with `Closed`, and what is not durable is lost with it.
#[must_use = "nothing is loaded or saved unless the driver is polled"]
pub struct Driver {
    shared: Arc<Shared>,
    ports: Ports,
    calls: FuturesUnordered<BoxFuture<'static, Answer>>,
    subscriptions: Subscriptions,
    /// Ends a call that is to begin the subscription of a record.
    subscribing: HashMap<RecordId, AbortHandle>,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

/// The services that a driver calls.
pub(crate) struct Ports {
    pub(crate) store: Arc<dyn DataStore>,
    pub(crate) publisher: Arc<dyn Publisher>,
    pub(crate) subscriber: Arc<dyn Subscriber>,
}

/// What a call came to.
enum Answer {
    Input(Input),
    Subscribed(RecordId, Result<Subscription, Error>),
    /// The record was closed before.
    Canceled,
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, ports: Ports) -> Self {
        Self {
            shared,
            ports,
            calls: FuturesUnordered::new(),
            subscriptions: Subscriptions::default(),
            subscribing: HashMap::new(),
            sleep: None,
        }
    }

    /// Starts whatever the machine asks for.
    fn start_work(&mut self) -> bool {
        let mut any = false;
        while let Some(output) = self.shared.next_work() {
            any = true;
            self.start(output);
        }
        any
    }

    fn start(&mut self, output: Output) {
        match output {
            Output::Get(id, key) => {
                let store = Arc::clone(&self.ports.store);
                let call = async move { Input::Got(id, store.get(key).await.map_err(Arc::new)) };
                self.call(call);
            }
            Output::Put(id, key, record, precondition) => {
                let store = Arc::clone(&self.ports.store);
                self.call(async move {
                    Input::PutDone(id, store.put(key, record, precondition).await.map_err(Arc::new))
                });
            }
            Output::Publish(id, message) => {
                let publisher = Arc::clone(&self.ports.publisher);
                let call =
                    async move { Input::Published(id, publisher.publish(message).await.map_err(Arc::new)) };
                self.call(call);
            }
            Output::Subscribe(id, topic) => self.subscribe(id, topic),
            Output::Closed(id) => {
                self.subscriptions.end(id);
                if let Some(handle) = self.subscribing.remove(&id) {
                    handle.abort();
                }
            }
            Output::RunUpdate(ticket, input) => self.run_update(ticket, Fields::new(input)),
            Output::Changed(..) | Output::Done(..) => {
                unreachable!("these are acted upon where they come out")
            }
        }
    }

    fn call(&self, call: impl Future<Output = Input> + Send + 'static) {
        self.calls.push(Box::pin(async move { Answer::Input(call.await) }));
    }

    fn subscribe(&mut self, id: RecordId, topic: Topic) {
        let subscriber = Arc::clone(&self.ports.subscriber);
        let (call, handle) = future::abortable(async move { subscriber.subscribe(topic).await });
        self.subscribing.insert(id, handle);
        self.calls.push(Box::pin(async move {
            call.await.map_or(Answer::Canceled, |result| Answer::Subscribed(id, result))
        }));
    }

    /// Runs an update's function, which is the user's: whatever it does, nothing else suffers.
    fn run_update(&self, ticket: crate::machine::Ticket, fields: Fields) {
        let Some(mut runner) = self.shared.take_runner(ticket) else {
            return self.shared.update_ran(ticket, None, UpdateRun::Aborted); // Canceled meanwhile.
        };
        let run = catch_unwind(AssertUnwindSafe(|| runner(fields)));
        self.shared.update_ran(ticket, Some(runner), run.unwrap_or(UpdateRun::Panicked));
    }

    fn take_answer(&mut self, answer: Answer) {
        let input = match answer {
            Answer::Input(input) => input,
            Answer::Canceled => return,
            Answer::Subscribed(id, result) => {
                self.subscribing.remove(&id);
                let begun = result.map(|subscription| self.subscriptions.begin(id, subscription));
                Input::Subscribed(id, begun.map_err(Arc::new))
            }
        };
        self.shared.with(|machine, now| machine.handle(now, input));
    }

    /// Takes in whatever happened. `true` if something did.
    fn take_events(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        while let Poll::Ready(Some(answer)) = self.calls.poll_next_unpin(cx) {
            self.take_answer(answer);
            any = true;
        }
        for _ in 0..ROUNDS {
            let Poll::Ready(Some(input)) = self.subscriptions.poll_next_unpin(cx) else { break };
            self.shared.with(|machine, now| machine.handle(now, input));
            any = true;
        }
        any
    }

    /// Waits for the machine's next wake-up. `true` if it is due.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(at) = self.shared.next_wakeup() else {
            self.sleep = None;
            return false;
        };
        if self.sleep.as_ref().is_none_or(|(until, _)| *until != at) {
            let timer = Arc::clone(&self.shared.timer);
            self.sleep = Some((at, Box::pin(async move { timer.sleep_until(at).await })));
        }
        let sleep = &mut self.sleep.as_mut().expect("it was just set").1;
        if sleep.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.sleep = None;
        let wall = self.shared.timer.wall_clock();
        self.shared.with(|machine, now| machine.handle(now, Input::WallClock(wall)));
        true
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.waker.register(cx.waker());
        for _ in 0..ROUNDS {
            if this.shared.is_broken() {
                return Poll::Ready(()); // Whoever waits is told when this is dropped.
            }
            let worked = this.start_work() | this.take_events(cx) | this.poll_timer(cx);
            if this.shared.is_closed() {
                return Poll::Ready(());
            }
            if !worked {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.driver_gone();
    }
}
