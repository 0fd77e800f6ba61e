//! One topic: who listens to it, and what it may still receive.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use transport_traits::Instant;

use super::queue::Queue;
use super::stats::Counters;
use crate::window::Window;

/// The subscribers of a topic, in the order in which they subscribed.
type Subscribers = Arc<[Arc<Queue>]>;

/// A topic that somebody subscribed to or published on.
pub(super) struct Channel {
    /// Copied when it changes, so that a publish walks it without a lock.
    subscribers: Mutex<Subscribers>,
    /// What `receive_topic` allows.
    pub(super) window: Option<Mutex<Window>>,
    pub(super) counters: Counters,
}

impl Channel {
    pub(super) fn new(window: Option<Window>) -> Self {
        Self { subscribers: Mutex::default(), window: window.map(Mutex::new), counters: Counters::default() }
    }

    pub(super) fn subscribers(&self) -> Subscribers {
        self.subscribers.lock().clone()
    }

    pub(super) fn add(&self, queue: Arc<Queue>) {
        self.change(|subscribers| subscribers.iter().cloned().chain([queue]).collect());
    }

    pub(super) fn remove(&self, queue: &Arc<Queue>) {
        self.change(|subscribers| {
            subscribers.iter().filter(|other| !Arc::ptr_eq(other, queue)).cloned().collect()
        });
    }

    fn change(&self, next: impl FnOnce(&Subscribers) -> Subscribers) {
        let mut subscribers = self.subscribers.lock();
        let next = next(&subscribers);
        let before = std::mem::replace(&mut *subscribers, next);
        drop(subscribers);
        // The last owner of a queue drops its waker, which may run code of an executor's: not under the lock.
        drop(before);
    }

    /// Hands `body` to the first `admitted` of the subscribers; the others miss it.
    pub(super) fn deliver(&self, topic: &str, body: &Bytes, subscribers: &Subscribers, admitted: usize) {
        let (lucky, over_limit) = subscribers.split_at(admitted);
        let mut overflowed = 0;
        let mut new_gaps = 0;
        for queue in lucky {
            if !queue.push(body.clone()) {
                overflowed += 1;
                new_gaps += u64::from(queue.lose());
            }
        }
        for queue in over_limit {
            new_gaps += u64::from(queue.lose());
        }
        self.counters.count(lucky.len() as u64 - overflowed, overflowed, over_limit.len() as u64);
        if new_gaps > 0 {
            tracing::warn!(topic, subscribers = new_gaps, "the bus began to drop messages for subscribers");
        }
    }

    /// Whether forgetting the topic at `now` would let nobody exceed its limit.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.window.as_ref().is_none_or(|window| window.lock().is_idle(now))
    }
}
