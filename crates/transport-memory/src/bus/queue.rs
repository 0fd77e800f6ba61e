//! The bounded queue between a topic and one subscriber.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use transport_traits::Delivery;

/// What one subscriber has not read yet: at most `capacity` deliveries, and a `Gap` behind them.
pub(super) struct Queue {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    deliveries: VecDeque<Delivery>,
    /// Of the reader that found the queue empty.
    reader: Option<Waker>,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    /// Queues a message; false if the queue is full and the message is [lost](Self::lose) instead.
    pub(super) fn push(&self, body: Bytes) -> bool {
        let mut state = self.state.lock();
        if state.deliveries.len() >= self.capacity {
            return false;
        }
        state.deliveries.push_back(Delivery::Message(body));
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        true
    }

    /// Marks the end of the queue as a place where messages were lost. Losses with nothing between them
    /// are one `Gap`; true if this loss is the first of them.
    pub(super) fn lose(&self) -> bool {
        let mut state = self.state.lock();
        if state.deliveries.back() == Some(&Delivery::Gap) {
            return false;
        }
        state.deliveries.push_back(Delivery::Gap);
        debug_assert!(state.deliveries.len() <= self.capacity + 1, "one gap at most is over the capacity");
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        true
    }

    /// Takes the oldest delivery, or keeps the task's waker for the next one.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Delivery> {
        let mut state = self.state.lock();
        if let Some(delivery) = state.deliveries.pop_front() {
            return Poll::Ready(delivery);
        }
        let before = state.reader.replace(cx.waker().clone());
        drop(state);
        // Dropping a waker may run code of an executor's, so that too happens without the lock.
        drop(before);
        Poll::Pending
    }
}

fn wake(reader: Option<Waker>) {
    if let Some(waker) = reader {
        waker.wake();
    }
}
