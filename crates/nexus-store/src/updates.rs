//! The stream of a record's changes.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use futures::Stream;
use parking_lot::Mutex;
use serde_json::Value;

use crate::machine::FieldChange;

/// What a listener gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// The visible value of a field changed.
    Changed {
        /// The field.
        field: Arc<str>,
        /// What it was; `None` if there was no such field.
        old: Option<Arc<Value>>,
        /// What it is; `None` if there is no such field any more.
        new: Option<Arc<Value>>,
    },
    /// The listener was too slow and missed so many changes. What follows is without a hole again; the
    /// latest values are in the record.
    Lagged(u64),
}

/// The changes of one field or of a whole record, from the moment of the call on: each once, in order, never
/// between equal values.
///
/// It does not keep the record open, and ends when the record is closed: some time after its last
/// [`SaveData`](crate::SaveData) was dropped, or when the store is shut down. What a slow listener has not
/// taken is bounded by [`Config::update_buffer`](crate::Config::update_buffer); then the oldest changes are
/// given up, and it gets [`Update::Lagged`].
#[must_use = "a stream does nothing unless it is polled"]
pub struct Updates {
    listener: Arc<Mutex<Listener>>,
}

#[derive(Debug)]
struct Listener {
    /// `None`: all fields.
    field: Option<Arc<str>>,
    buffer: VecDeque<FieldChange>,
    capacity: usize,
    missed: u64,
    closed: bool,
    waker: Option<Waker>,
}

impl Updates {
    fn new(field: Option<Arc<str>>, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let listener =
            Listener { field, buffer: VecDeque::new(), capacity, missed: 0, closed: false, waker: None };
        Self { listener: Arc::new(Mutex::new(listener)) }
    }
}

impl Stream for Updates {
    type Item = Update;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        let mut listener = self.listener.lock();
        if listener.missed > 0 {
            return Poll::Ready(Some(Update::Lagged(std::mem::take(&mut listener.missed))));
        }
        if let Some(FieldChange { field, old, new }) = listener.buffer.pop_front() {
            return Poll::Ready(Some(Update::Changed { field, old, new }));
        }
        if listener.closed {
            return Poll::Ready(None);
        }
        listener.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").field("listener", &*self.listener.lock()).finish()
    }
}

/// The listeners of one record.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Vec<Weak<Mutex<Listener>>>);

impl Listeners {
    pub(crate) fn add(&mut self, field: Option<Arc<str>>, capacity: usize) -> Updates {
        self.0.retain(|listener| listener.strong_count() > 0);
        let updates = Updates::new(field, capacity);
        self.0.push(Arc::downgrade(&updates.listener));
        updates
    }

    /// Hands changes to whoever wants them; `false`: nobody listens any more. The wakers are for the caller to
    /// wake, without its locks.
    pub(crate) fn tell(&mut self, changes: &[FieldChange], wakers: &mut Vec<Waker>) -> bool {
        self.0.retain(|listener| {
            let Some(listener) = listener.upgrade() else { return false };
            let mut listener = listener.lock();
            let mut news = false;
            for change in changes {
                news |= listener.take(change);
            }
            if news {
                wakers.extend(listener.waker.take());
            }
            true
        });
        !self.0.is_empty()
    }

    pub(crate) fn close(self, wakers: &mut Vec<Waker>) {
        for listener in self.0.iter().filter_map(Weak::upgrade) {
            let mut listener = listener.lock();
            listener.closed = true;
            wakers.extend(listener.waker.take());
        }
    }
}

impl Listener {
    fn take(&mut self, change: &FieldChange) -> bool {
        if self.field.as_ref().is_some_and(|field| *field != change.field) {
            return false;
        }
        if self.buffer.len() == self.capacity {
            self.buffer.pop_front();
            self.missed += 1;
        }
        self.buffer.push_back(change.clone());
        true
    }
}
