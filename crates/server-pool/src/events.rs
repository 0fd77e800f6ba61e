//! Entries, and the stream of what happens to them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::Stream;
use parking_lot::Mutex;

use crate::machine::Reason;

/// An entry of a pool.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// The key: one entry in the whole pool has it.
    pub key: Arc<str>,
    /// The value.
    pub value: Arc<T>,
    /// The server that contributed it last.
    pub owner: Arc<str>,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), value: self.value.clone(), owner: self.owner.clone() }
    }
}

/// What happened to a pool, own contributions included.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<T> {
    /// A key that had no entry has one.
    Added(Entry<T>),
    /// An entry has another value, another owner or both.
    Changed {
        /// The entry now.
        entry: Entry<T>,
        /// The entry before.
        previous: Entry<T>,
        /// Why. If its owner's claim ended and an earlier claim shows again, why it ended.
        reason: Reason,
    },
    /// A key has no entry any more.
    Removed {
        /// The entry before.
        entry: Entry<T>,
        /// Why.
        reason: Reason,
    },
    /// The reader was too slow and events were dropped. A [snapshot](crate::Pool::snapshot) taken now holds
    /// all of them; events that follow may tell what it holds already.
    Lagged {
        /// How many were dropped.
        missed: u64,
    },
}

impl<T> Clone for Event<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Added(entry) => Self::Added(entry.clone()),
            Self::Changed { entry, previous, reason } => {
                Self::Changed { entry: entry.clone(), previous: previous.clone(), reason: *reason }
            }
            Self::Removed { entry, reason } => Self::Removed { entry: entry.clone(), reason: *reason },
            Self::Lagged { missed } => Self::Lagged { missed: *missed },
        }
    }
}

/// The events of a pool from a moment on, in order. What one frame changed is told in the order in which its server
/// sent it, and what goes with a server by key. It ends when the pools are closed. It does not keep them open.
#[must_use = "events wait in memory until they are read"]
pub struct Events<T>(Arc<Queue<T>>);

impl<T> Events<T> {
    pub(crate) const fn new(queue: Arc<Queue<T>>) -> Self {
        Self(queue)
    }
}

impl<T> Stream for Events<T> {
    type Item = Event<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        let mut state = self.0.state.lock();
        if state.missed > 0 {
            let missed = std::mem::take(&mut state.missed);
            return Poll::Ready(Some(Event::Lagged { missed }));
        }
        if let Some(event) = state.events.pop_front() {
            return Poll::Ready(Some(event));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Events on their way to one reader.
pub(crate) struct Queue<T> {
    capacity: usize,
    state: Mutex<QueueState<T>>,
}

struct QueueState<T> {
    events: VecDeque<Event<T>>,
    /// Dropped before those in the queue.
    missed: u64,
    closed: bool,
    waker: Option<Waker>,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let state = QueueState { events: VecDeque::new(), missed: 0, closed: false, waker: None };
        Self { capacity, state: Mutex::new(state) }
    }

    /// Adds an event, or drops all that wait if there are too many. Whom to wake goes into `wakers`.
    pub(crate) fn push(&self, event: Event<T>, wakers: &mut Vec<Waker>) {
        let mut state = self.state.lock();
        if state.events.len() >= self.capacity {
            state.missed += state.events.len() as u64 + 1;
            state.events.clear();
        } else {
            state.events.push_back(event);
        }
        wakers.extend(state.waker.take());
    }

    /// No event comes any more.
    pub(crate) fn close(&self, wakers: &mut Vec<Waker>) {
        let mut state = self.state.lock();
        state.closed = true;
        wakers.extend(state.waker.take());
    }
}
