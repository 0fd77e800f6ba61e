//! Frames that are sealed and not yet accepted by the bus: their bytes never change, their repetitions wait.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use transport_traits::{Instant, Topic};

use super::load::Load;
use super::pacing::part_of;
use super::packer::Blocked;

/// A frame that failed more often than this counts as having failed so often where the bus has taken another one since.
const ATTEMPTS_WHERE_OTHERS_PASS: u32 = 4;

/// A sealed frame.
#[derive(Debug)]
pub(crate) struct Sealed {
    sequence: u64,
    pub(crate) body: Bytes,
    pub(crate) load: Load,
    /// Its size, as the bus counts.
    pub(crate) cost: usize,
    /// The oldest message in it.
    oldest: u64,
    /// Its inner topics, where those matter.
    topics: Vec<Topic>,
    /// Publishes of it so far.
    attempts: u32,
    /// When to publish it next; `None` while that is under way.
    due: Option<Instant>,
}

/// Frames in the order of their sequences; there are few.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    frames: VecDeque<Sealed>,
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
        part_of(doubled.min(self.most), 1.0 - random.f64() / 2.0)
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
        self.frames.front().map(|frame| frame.sequence)
    }

    /// The oldest message in flight.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.frames.iter().map(|frame| frame.oldest).min()
    }

    /// Adds a frame whose first publish begins now. `topics` must wait for its end.
    pub(crate) fn insert(&mut self, sequence: u64, body: Bytes, cost: usize, load: Load, topics: Vec<Topic>) {
        let oldest = load.oldest().expect("a sealed frame has messages");
        for topic in &topics {
            *self.topics.entry(topic.clone()).or_default() += 1;
        }
        assert!(self.frames.back().is_none_or(|last| last.sequence < sequence), "a sequence is used once");
        self.frames.push_back(Sealed { sequence, body, load, cost, oldest, topics, attempts: 1, due: None });
    }

    /// When the next repetition is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.frames.iter().filter_map(|frame| frame.due).min()
    }

    /// Begins the repetition that is due, the first in sequence if there are several.
    pub(crate) fn repeat(&mut self, now: Instant) -> Option<(u64, Bytes)> {
        let due = |frame: &Sealed| frame.due.is_some_and(|due| due <= now);
        let frame = self.frames.iter_mut().find(|frame| due(frame))?;
        frame.due = None;
        frame.attempts = frame.attempts.saturating_add(1);
        Some((frame.sequence, frame.body.clone()))
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
        let at = self.under_way(sequence)?;
        let frame = &mut self.frames[at];
        let due = now + backoff.wait(frame.attempts, random).max(at_least);
        frame.due = Some(due);
        Some(due)
    }

    /// The bus has just taken another frame, so it works: who failed often waits no longer than after a few failures. All that
    /// is behind such a frame waits with it, and it was chance or is past that it failed. One that never passes is still
    /// repeated only every so often.
    pub(crate) fn encourage(&mut self, now: Instant, backoff: Backoff, random: &mut fastrand::Rng) {
        let waiting = self.frames.iter_mut().filter(|frame| frame.attempts > ATTEMPTS_WHERE_OTHERS_PASS);
        for frame in waiting {
            frame.attempts = ATTEMPTS_WHERE_OTHERS_PASS;
            let soon = now + backoff.wait(frame.attempts, random);
            frame.due = frame.due.map(|due| due.min(soon));
        }
    }

    /// A frame's publish is over, for better or worse; `None` if it was not under way.
    pub(crate) fn remove(&mut self, sequence: u64) -> Option<Sealed> {
        let at = self.under_way(sequence)?;
        let frame = self.frames.remove(at)?;
        self.unblock(&frame.topics);
        Some(frame)
    }

    /// Where a frame is whose publish is under way.
    fn under_way(&self, sequence: u64) -> Option<usize> {
        self.frames.iter().position(|frame| frame.sequence == sequence && frame.due.is_none())
    }

    /// Takes every frame out, with whether a publish of it was under way or may have happened.
    pub(crate) fn take_all(&mut self) -> Vec<Sealed> {
        self.topics.clear();
        std::mem::take(&mut self.frames).into()
    }

    fn unblock(&mut self, topics: &[Topic]) {
        for topic in topics {
            let count = self.topics.get_mut(topic).expect("a topic in flight is counted");
            *count -= 1;
            if *count == 0 {
                self.topics.remove(topic);
            }
        }
    }
}
