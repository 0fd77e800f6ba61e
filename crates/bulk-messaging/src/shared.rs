//! What handles, subscriptions and the driver share.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use futures::channel::oneshot;
use parking_lot::{Mutex, MutexGuard};
use tracing::{error, warn};
use transport_traits::{Error, ErrorKind, Outgoing, Timer, Topic};

use crate::error::closed;
use crate::inbox::Inboxes;
use crate::machine::{ConfirmId, FlushId, Input, Machine, Output};
use crate::tally::Tally;
use crate::{Config, OnFull};

#[cfg(test)]
mod tests;

/// Everything behind one lock, which nobody holds while waiting.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) on_full: OnFull,
}

pub(crate) struct State {
    pub(crate) machine: Machine,
    pub(crate) inboxes: Inboxes,
    pub(crate) confirms: HashMap<ConfirmId, oneshot::Sender<Result<(), ErrorKind>>>,
    flushes: HashMap<FlushId, oneshot::Sender<()>>,
    refused: Tally,
    malformed: Tally,
    /// Who waits for the end of the drain.
    drains: Vec<oneshot::Sender<()>>,
    /// Who waits for the real subscription.
    connects: Vec<oneshot::Sender<Result<(), Error>>>,
    pub(crate) connected: bool,
    /// Who waits for room in the queue or gives way, in the order of coming.
    pub(crate) room: BTreeMap<u64, Waker>,
    /// Bytes accepted since a publisher last gave way.
    pub(crate) accepted: usize,
    next_id: u64,
    pub(crate) driver: Option<Waker>,
    /// What the drain gave back and nobody has taken yet.
    pub(crate) leftover: Vec<Outgoing>,
    pub(crate) drained: bool,
    /// The last handle is gone.
    pub(crate) abandoned: bool,
    /// The driver is gone.
    pub(crate) closed: bool,
}

impl Shared {
    pub(crate) fn new(machine: Machine, timer: Arc<dyn Timer>, config: &Config) -> Arc<Self> {
        let state = State {
            machine,
            inboxes: Inboxes::new(config.max_inbox_messages, config.max_inbox_bytes),
            confirms: HashMap::new(),
            flushes: HashMap::new(),
            refused: Tally::default(),
            malformed: Tally::default(),
            drains: Vec::new(),
            connects: Vec::new(),
            connected: false,
            room: BTreeMap::new(),
            accepted: 0,
            next_id: 0,
            driver: None,
            leftover: Vec::new(),
            drained: false,
            abandoned: false,
            closed: false,
        };
        Arc::new(Self { state: Mutex::new(state), timer, on_full: config.on_full })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Registers an inbox for a topic.
    pub(crate) fn watch(&self, topic: Topic) -> u64 {
        let mut state = self.lock();
        self.handle(&mut state, Input::Watch(topic.clone()));
        state.inboxes.open(topic)
    }

    /// Asks nobody for the time: subscriptions are dropped while a thread panics, too.
    pub(crate) fn unwatch(&self, topic: &Topic) {
        self.lock().machine.unwatch(topic);
    }

    /// Asks the driver for the real subscription; `None` if it is in place.
    pub(crate) fn connect(&self) -> Result<Option<oneshot::Receiver<Result<(), Error>>>, Error> {
        let mut state = self.lock();
        if state.closed {
            return Err(closed());
        }
        if state.connected {
            return Ok(None);
        }
        let (sender, receiver) = oneshot::channel();
        state.connects.retain(|waiting| !waiting.is_canceled());
        state.connects.push(sender);
        wake(state);
        Ok(Some(receiver))
    }

    /// Begins a flush; `None` if nothing will be sent any more.
    pub(crate) fn flush(&self) -> Option<(FlushId, oneshot::Receiver<()>)> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        let (id, (sender, receiver)) = (state.next_id(), oneshot::channel());
        self.handle(&mut state, Input::Flush(id));
        state.flushes.insert(id, sender);
        wake(state);
        Some((id, receiver))
    }

    /// Nobody waits for a flush any more, which may be over. Asks nobody for the time, as [`unwatch`](Self::unwatch).
    pub(crate) fn withdraw(&self, flush: FlushId) {
        let mut state = self.lock();
        if state.flushes.remove(&flush).is_some() {
            state.machine.withdraw(flush);
        }
    }

    /// Begins the drain; `None` if it is over.
    pub(crate) fn drain(&self) -> Option<oneshot::Receiver<()>> {
        let mut state = self.lock();
        if state.drained {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        state.drains.retain(|waiting| !waiting.is_canceled());
        state.drains.push(sender);
        self.handle(&mut state, Input::Drain);
        wake(state);
        Some(receiver)
    }

    /// The last handle was dropped, perhaps while a thread panics: the driver begins the drain.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        wake(state);
    }

    /// The driver is gone: everybody who waits is told, and what was not sent is kept for a drain.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        if !state.drained {
            // Whatever panicked in the driver may panic here again, and that while the first panic unwinds.
            let given_up = catch_unwind(AssertUnwindSafe(|| self.give_up(&mut state)));
            state.drained = true;
            if given_up.is_err() {
                error!("the driver has panicked, and what was not sent is lost");
            }
        }
        state.connected = false;
        state.confirms.clear();
        state.flushes.clear();
        state.drains.clear();
        state.connects.clear();
        state.inboxes.end_all();
        let mut wakers = state.inboxes.take_wakers();
        wakers.extend(std::mem::take(&mut state.room).into_values());
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ends the drain whatever is left, as if its time were over.
    fn give_up(&self, state: &mut State) {
        let now = self.timer.now();
        state.machine.handle(now, Input::Drain);
        let over = now + state.machine.drain_timeout();
        while let Some(output) = state.machine.poll(over) {
            state.settle(output);
        }
    }

    fn handle(&self, state: &mut State, input: Input) {
        if !state.closed {
            let now = self.timer.now();
            state.machine.handle(now, input);
        }
    }
}

impl State {
    /// Hands what the machine yields to whoever waits for it. Publishes are the driver's own.
    pub(crate) fn settle(&mut self, output: Output) {
        match output {
            Output::Publish { .. } => {}
            Output::Deliver { topic, body } => self.inboxes.deliver(&topic, &body),
            Output::Gap => self.inboxes.gap(),
            Output::Confirmed { ids, result } => {
                ids.into_iter()
                    .filter_map(|id| self.confirms.remove(&id))
                    .for_each(|waiting| tell(waiting, result));
            }
            Output::Refused { messages, kind } => {
                if let Some(count) = self.refused.count() {
                    warn!(count, messages, %kind, "the bus refused a frame for good");
                }
            }
            Output::Malformed(error) => {
                if let Some(count) = self.malformed.count() {
                    warn!(count, %error, "what could not be read was dropped");
                }
            }
            Output::Flushed(id) => self.flushes.remove(&id).into_iter().for_each(|waiting| tell(waiting, ())),
            Output::Drained(rest) => {
                self.leftover = rest;
                self.drained = true;
                self.drains.drain(..).for_each(|waiting| tell(waiting, ()));
            }
        }
    }

    /// Tells everybody who waits for the real subscription how that went.
    pub(crate) fn tell_connected(&mut self, result: Result<(), ErrorKind>) {
        for waiting in self.connects.drain(..) {
            tell(waiting, result.map_err(|kind| Error::new(kind, "subscribing to the real topic")));
        }
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Whether somebody waits for the real subscription.
    pub(crate) fn wants_connection(&self) -> bool {
        !self.connects.is_empty()
    }

    /// Who is first in the line for room.
    pub(crate) fn first_in_line(&self) -> Option<Waker> {
        self.room.first_key_value().map(|(_, waker)| waker.clone())
    }
}

/// Somebody waits. Before the collection grows, those who have stopped waiting leave it; it doubles, so that each pays a
/// constant for that.
pub(crate) fn remember<T>(
    waiting: &mut HashMap<u64, oneshot::Sender<T>>,
    id: u64,
    sender: oneshot::Sender<T>,
) {
    if waiting.len() == waiting.capacity() {
        waiting.retain(|_, sender| !sender.is_canceled());
        waiting.reserve(waiting.len() + 1);
    }
    waiting.insert(id, sender);
}

/// Tells somebody who may have stopped waiting.
fn tell<T>(waiting: oneshot::Sender<T>, news: T) {
    let _unheard = waiting.send(news);
}

/// Releases the lock and wakes the driver, if it sleeps.
pub(crate) fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.driver.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
