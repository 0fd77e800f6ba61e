//! Frames that are sealed and not yet accepted by the bus: their bytes never change, their repetitions wait.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use transport_traits::Instant;

use super::packer::{Blocked, Group, Load};

/// A sealed frame.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) body: Bytes,
    pub(crate) load: Load,
    /// Its size, as the bus counts.
    pub(crate) cost: usize,
    /// The oldest message in it.
    oldest: u64,
    /// Publishes of it so far.
    attempts: u32,
    /// When to publish it next; `None` while that is under way.
    due: Option<Instant>,
}

/// Frames by sequence.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    frames: BTreeMap<u64, Sealed>,
    /// The inner topics in them, where those matter.
    topics: Blocked,
}

/// How long to wait before a repetition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) most: Duration,
}

impl Backoff {
    /// Doubles with each attempt up to the most, less a random part of up to a half, so that servers that failed
    /// together do not come back together. Source: Brooker, *Exponential backoff and jitter*, AWS, 2015.
    fn wait(self, attempts: u32, random: &mut fastrand::Rng) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempts.saturating_sub(1).min(16));
        doubled.min(self.most).mul_f64(1.0 - random.f64() / 2.0)
    }
}

impl InFlight {
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The inner topics of all frames in flight that were counted.
    pub(crate) fn topics(&self) -> &Blocked {
        &self.topics
    }

    /// The smallest sequence in flight.
    pub(crate) fn first(&self) -> Option<u64> {
        self.frames.first_key_value().map(|(&sequence, _)| sequence)
    }

    /// The oldest message in flight.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.frames.values().map(|frame| frame.oldest).min()
    }

    /// Adds a frame whose first publish begins now.
    /// With `block` its inner topics are counted.
    pub(crate) fn insert(&mut self, sequence: u64, body: Bytes, cost: usize, load: Load, block: bool) {
        let messages = load.groups.iter().flat_map(|group| &group.messages);
        let oldest = messages.map(|message| message.order).min().expect("a sealed frame has messages");
        for group in load.groups.iter().filter(|_| block) {
            *self.topics.entry(group.topic.clone()).or_default() += 1;
        }
        let frame = Sealed { body, load, cost, oldest, attempts: 1, due: None };
        let former = self.frames.insert(sequence, frame);
        assert!(former.is_none(), "a sequence is used once");
    }

    /// When the next repetition is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.frames.values().filter_map(|frame| frame.due).min()
    }

    /// Begins the repetition that is due, the first in sequence if there are several.
    pub(crate) fn repeat(&mut self, now: Instant) -> Option<(u64, Bytes)> {
        let due = |frame: &Sealed| frame.due.is_some_and(|due| due <= now);
        let (&sequence, frame) = self.frames.iter_mut().find(|(_, frame)| due(frame))?;
        frame.due = None;
        frame.attempts = frame.attempts.saturating_add(1);
        Some((sequence, frame.body.clone()))
    }

    /// A publish has failed and will be repeated. Says when; `None` if it was not under way.
    pub(crate) fn retry(
        &mut self,
        now: Instant,
        sequence: u64,
        at_least: Duration,
        backoff: Backoff,
        random: &mut fastrand::Rng,
    ) -> Option<Instant> {
        let frame = self.frames.get_mut(&sequence).filter(|frame| frame.due.is_none())?;
        let due = now + backoff.wait(frame.attempts, random).max(at_least);
        frame.due = Some(due);
        Some(due)
    }

    /// A frame's publish is over, for better or worse; `None` if it was not under way.
    pub(crate) fn remove(&mut self, sequence: u64) -> Option<Sealed> {
        self.frames.get(&sequence).filter(|frame| frame.due.is_none())?;
        let frame = self.frames.remove(&sequence)?;
        if !self.topics.is_empty() {
            self.unblock(&frame.load.groups);
        }
        Some(frame)
    }

    /// Takes every frame out, with whether a publish of it was under way or may have happened.
    pub(crate) fn take_all(&mut self) -> Vec<Sealed> {
        self.topics.clear();
        std::mem::take(&mut self.frames).into_values().collect()
    }

    fn unblock(&mut self, groups: &[Group]) {
        for group in groups {
            let count = self.topics.get_mut(&group.topic).expect("a topic in flight is counted");
            *count -= 1;
            if *count == 0 {
                self.topics.remove(&group.topic);
            }
        }
    }
}
