//! Where the strict profile cuts the stream of messages into frames, and when those leave.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use transport_traits::{Instant, Topic};

/// How often the original's loop flushes.
const INTERVAL: Duration = Duration::from_secs(1);

/// The original's buffer, as boundaries in the order of the messages.
///
/// A message that would bring the buffer over the threshold flushes it first and then begins the next one, whatever
/// its own size. A loop that began with the server flushes every second.
#[derive(Debug)]
pub(crate) struct Cuts {
    start: Instant,
    /// What groups may cost together before the buffer is flushed.
    room: usize,
    /// What those in the buffer cost, and of which topics they are.
    cost: usize,
    topics: BTreeSet<Topic>,
    /// When the loop flushes what is in the buffer; `None` while it is empty.
    due: Option<Instant>,
    /// For each frame to send: the order of the first message that is no longer part of it.
    ends: VecDeque<u64>,
}

impl Cuts {
    pub(crate) fn new(start: Instant, room: usize) -> Self {
        Self { start, room, cost: 0, topics: BTreeSet::new(), due: None, ends: VecDeque::new() }
    }

    /// A message of this order is pushed, that costs so much, and its topic so much if it is the first of it.
    pub(crate) fn push(&mut self, now: Instant, order: u64, topic: &Topic, cost: usize, topic_cost: usize) {
        // What is due at this very time still takes the message along: the loop runs after the calls.
        if self.due.is_some_and(|due| due < now) {
            self.flush(order);
        }
        let added = if self.topics.contains(topic) { cost + 1 } else { cost + topic_cost };
        if self.due.is_some() && self.cost + added > self.room {
            self.flush(order);
        }
        let first = self.topics.insert(topic.clone());
        self.cost += if first { cost + topic_cost } else { cost + 1 };
        self.due = self.due.or_else(|| Some(self.next_round(now)));
    }

    /// The loop's flush, if it is due. `next_order` is that of the next message.
    pub(crate) fn tick(&mut self, now: Instant, next_order: u64) {
        if self.due.is_some_and(|due| due <= now) {
            self.flush(next_order);
        }
    }

    /// Makes a frame of what is in the buffer, if there is anything.
    pub(crate) fn flush(&mut self, next_order: u64) {
        if self.due.take().is_some() {
            self.ends.push_back(next_order);
            self.cost = 0;
            self.topics.clear();
        }
    }

    /// Whether a frame waits to be sent.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ends.is_empty()
    }

    /// When the loop flushes next.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Takes the end of the first frame to send.
    pub(crate) fn next_end(&mut self) -> Option<u64> {
        self.ends.pop_front()
    }

    /// The first time of the loop that is not before `now`.
    fn next_round(&self, now: Instant) -> Instant {
        let rounds = now.since(self.start).as_micros().div_ceil(INTERVAL.as_micros());
        self.start + INTERVAL * u32::try_from(rounds).unwrap_or(u32::MAX)
    }
}
