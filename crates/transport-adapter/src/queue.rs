//! What waits in one subscription: bounded, with a gap where something is missing.

use std::collections::VecDeque;
use std::fmt;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use transport_traits::Delivery;

/// Bytes of messages that wait at most, beside the bound of their number. One message always has room.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What waits in one subscription: filled by the task that receives, read by the subscriber.
pub struct Queue {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Delivery>,
    /// Of the messages that wait.
    bytes: usize,
    reader: Option<Waker>,
    /// Nothing will follow.
    ended: bool,
}

impl Queue {
    /// One that holds so many messages of 64 MiB in all, and gaps beside them. A single message may be longer.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    /// Appends a message, or a gap if there is no room.
    pub fn push(&self, body: Bytes) {
        self.change(|state| {
            let fits = state.bytes == 0 || state.bytes + body.len() <= MOST_BYTES;
            if fits && state.waiting.len() < self.capacity {
                state.bytes += body.len();
                state.waiting.push_back(Delivery::Message(body));
            } else {
                state.lose();
            }
        });
    }

    /// Says that messages may be missing from here on.
    pub fn lose(&self) {
        self.change(State::lose);
    }

    /// Says that nothing will follow what waits.
    pub fn end(&self) {
        self.change(|state| state.ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let reader = {
            let mut state = self.state.lock();
            change(&mut state);
            state.reader.take()
        };
        // Not under the lock: waking may run code of an executor's.
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// The next delivery, for the one reader there is; `None` when nothing will follow.
    pub fn poll(&self, cx: &Context<'_>) -> Poll<Option<Delivery>> {
        let mut state = self.state.lock();
        match state.waiting.pop_front() {
            Some(delivery) => {
                state.forget(&delivery);
                Poll::Ready(Some(delivery))
            }
            None if state.ended => Poll::Ready(None),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl State {
    fn forget(&mut self, read: &Delivery) {
        if let Delivery::Message(body) = read {
            self.bytes -= body.len();
        }
    }

    /// Two gaps in a row say no more than one.
    fn lose(&mut self) {
        if self.waiting.back() != Some(&Delivery::Gap) {
            self.waiting.push_back(Delivery::Gap);
            tracing::warn!(waiting = self.waiting.len(), "a subscription may miss messages");
        }
    }
}
