//! The sending half: a queue, frames in flight, and what decides when the next publish happens.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use transport_traits::limits::json_encoded_len;
use transport_traits::{ErrorKind, Instant, Outgoing, Retry, TokenBucket, Topic};

use super::heads::Heads;
use super::in_flight::{Backoff, InFlight, Sealed};
use super::outstanding::Outstanding;
use super::pacing::Pacing;
use super::packer::{Blocked, can_pack, pack};
use super::queue::{Measured, Pushed, Queue};
use super::settings::Settings;
use super::topic_queue::Message;
use super::{ConfirmId, Output, PublishId};
use crate::wire::{HEADER_TOPIC, MAX_SEQUENCE, encode, value};
use crate::{Refusal, Stats};

#[derive(Debug)]
pub(crate) struct Sender {
    settings: Arc<Settings>,
    random: fastrand::Rng,
    /// What groups may cost in a frame whatever its sequence.
    room: usize,
    queue: Queue,
    in_flight: InFlight,
    pacing: Pacing,
    heads: Heads,
    outstanding: Outstanding,
    next_sequence: u64,
    phase: Phase,
    /// Messages that the bus refused during the drain.
    refused: Vec<(Topic, Message)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Draining { until: Instant },
    Closed,
}

impl Sender {
    pub(crate) fn new(settings: Arc<Settings>, bucket: Option<TokenBucket>, random: fastrand::Rng) -> Self {
        let config = &settings.config;
        Self {
            random,
            room: settings.least_room(),
            queue: Queue::new(settings.costs, config.max_queued_messages, config.max_queued_bytes),
            in_flight: InFlight::default(),
            pacing: Pacing::new(bucket, config.linger),
            heads: Heads::default(),
            outstanding: Outstanding::default(),
            next_sequence: 1,
            phase: Phase::Open,
            refused: Vec::new(),
            settings,
        }
    }

    /// Accepts a message into the queue.
    pub(crate) fn push(
        &mut self,
        now: Instant,
        message: Outgoing,
        confirm: Option<ConfirmId>,
        stats: &mut Stats,
    ) -> Result<(), Refusal> {
        let measured = self.measure(message, confirm)?;
        let pushed = self.queue.push(now, measured)?;
        stats.accepted += 1;
        stats.conflated += u64::from(pushed == Pushed::Conflated);
        Ok(())
    }

    /// Checks a message, and computes what it costs. The only time that its body is looked at.
    fn measure(&self, mut message: Outgoing, confirm: Option<ConfirmId>) -> Result<Measured, Refusal> {
        if self.phase != Phase::Open {
            return Err(Refusal::Closed);
        }
        self.check_topic(&message.topic)?;
        message.body = value(&message.body).map_err(|_| Refusal::NotJson)?;
        let costs = self.settings.costs;
        let cost = costs.text(&message.body);
        let limit = self.room - self.queue.topic_cost(&message.topic);
        if cost > limit {
            return Err(Refusal::Body { size: cost + costs.frame(), limit: limit + costs.frame() });
        }
        Ok(Measured { message, cost, confirm })
    }

    /// Checks the name of an inner topic.
    pub(crate) fn check_topic(&self, topic: &str) -> Result<(), Refusal> {
        let (size, limit) = (json_encoded_len(topic.as_bytes()), self.settings.config.max_topic_bytes);
        if topic == HEADER_TOPIC {
            return Err(Refusal::ReservedTopic);
        }
        if size > limit { Err(Refusal::Topic { size, limit }) } else { Ok(()) }
    }

    pub(crate) fn flush(&mut self, id: u64) {
        self.outstanding.flush(id, self.queue.next_order());
    }

    pub(crate) fn drain(&mut self, now: Instant) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining { until: now + self.settings.config.drain_timeout };
        }
    }

    /// The next publish, if there is one to begin now: a repetition, a new frame or a head.
    pub(crate) fn next_publish(&mut self, now: Instant, stats: &mut Stats) -> Option<Output> {
        let (repeat, seal, head) = (self.in_flight.next_due(), self.seal_due(now), self.head_due());
        let due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if !(due(repeat) || due(seal) || due(head)) || !self.pacing.pay(now) {
            return None;
        }
        stats.publishes += 1;
        if due(repeat) {
            stats.retried += 1;
            return self.in_flight.repeat(now).map(|(sequence, body)| self.publish(sequence, body));
        }
        if due(seal) {
            return Some(self.seal());
        }
        stats.heads += 1;
        Some(self.head(now))
    }

    /// When there is something to do next, after everything that is due at `now` was done.
    pub(crate) fn next_wakeup(&self, now: Instant) -> Option<Instant> {
        let publish =
            [self.in_flight.next_due(), self.seal_due(now), self.head_due()].into_iter().flatten().min();
        let paid = publish.zip(self.pacing.next_payment(now)).map(|(publish, paid)| publish.max(paid));
        let drained = if let Phase::Draining { until } = self.phase { Some(until) } else { None };
        [paid, drained].into_iter().flatten().min()
    }

    /// A publish is over. Appends what that settles to `outputs`.
    pub(crate) fn published(
        &mut self,
        now: Instant,
        id: PublishId,
        result: Result<(), ErrorKind>,
        stats: &mut Stats,
        outputs: &mut impl Extend<Output>,
    ) {
        let Some(sequence) = id.sequence() else { return self.heads.end() };
        match result {
            Ok(()) => {
                let Some(frame) = self.in_flight.remove(sequence) else { return };
                self.heads.restart(now);
                stats.frames += 1;
                stats.frame_bytes += frame.cost as u64;
                stats.messages += frame.load.len() as u64;
                outputs.extend(Output::confirmed(frame.load.confirms(), Ok(())));
            }
            Err(kind) if kind.retry() == Retry::Never => self.give_up(now, sequence, kind, stats, outputs),
            Err(kind) => self.retry(now, sequence, kind),
        }
    }

    fn retry(&mut self, now: Instant, sequence: u64, kind: ErrorKind) {
        let config = &self.settings.config;
        let backoff = Backoff { first: config.retry_backoff, most: config.max_retry_backoff };
        let at_least = if let Retry::Later(Some(wait)) = kind.retry() { wait } else { Duration::ZERO };
        let due = self.in_flight.retry(now, sequence, at_least, backoff, &mut self.random);
        if let (Some(due), ErrorKind::Throttled { .. }) = (due, kind) {
            self.pacing.pause(due);
        }
    }

    /// The bus will never take this frame. Its sequence stays a hole, so receivers get the gap that there is.
    fn give_up(
        &mut self,
        now: Instant,
        sequence: u64,
        kind: ErrorKind,
        stats: &mut Stats,
        outputs: &mut impl Extend<Output>,
    ) {
        let Some(Sealed { load, .. }) = self.in_flight.remove(sequence) else { return };
        self.heads.restart(now);
        stats.refused += load.len() as u64;
        outputs.extend([Output::Refused { messages: load.len(), kind }]);
        outputs.extend(Output::confirmed(load.confirms(), Err(kind)));
        if self.phase != Phase::Open {
            self.refused.extend(load.into_messages());
        }
    }

    /// Appends what is over by now to `outputs`: flushes, the drain.
    pub(crate) fn settle(&mut self, now: Instant, outputs: &mut impl Extend<Output>) {
        if let Phase::Draining { until } = self.phase
            && (self.is_idle() || until <= now)
        {
            self.finish(outputs);
        }
        let queued = self.queue.oldest().map(|message| message.order);
        let oldest = [queued, self.in_flight.oldest()].into_iter().flatten().min();
        outputs.extend(self.outstanding.flushed(oldest).map(Output::Flushed));
    }

    pub(crate) fn add_levels(&self, now: Instant, stats: &mut Stats) {
        stats.frame_limit = self.settings.frame.max as u64;
        stats.queued_messages = self.queue.len() as u64;
        stats.queued_bytes = self.queue.bytes() as u64;
        stats.in_flight = self.in_flight.len() as u64;
        stats.tokens = self.pacing.tokens(now);
    }

    /// Gives back everything that was not accepted by the bus.
    fn finish(&mut self, outputs: &mut impl Extend<Output>) {
        self.phase = Phase::Closed;
        let mut rest = std::mem::take(&mut self.refused);
        for frame in self.in_flight.take_all() {
            outputs.extend(Output::confirmed(frame.load.confirms(), Err(ErrorKind::Unknown)));
            rest.extend(frame.load.into_messages());
        }
        let unsent = self.queue.take_all();
        let waiting = unsent.iter().flat_map(|(_, message)| &message.confirms).copied().collect();
        outputs.extend(Output::confirmed(waiting, Err(ErrorKind::Closed)));
        rest.extend(unsent);
        rest.sort_unstable_by_key(|(_, message)| message.order);
        let rest = rest.into_iter().map(|(topic, message)| message.into_outgoing(topic)).collect();
        outputs.extend([Output::Drained(rest)]);
    }

    fn is_idle(&self) -> bool {
        self.queue.len() == 0 && self.in_flight.is_empty()
    }

    /// When the next frame may be sealed, were it paid for.
    fn seal_due(&self, now: Instant) -> Option<Instant> {
        let oldest = self.queue.oldest()?;
        let stuck = self.pending() >= self.settings.config.max_in_flight as u64;
        if stuck || !can_pack(&self.queue, blocked(&self.settings, &self.in_flight)) {
            return None;
        }
        let full = self.queue.cost() + self.queue.len() > self.room;
        let hurried =
            full || self.queue.has_urgent() || self.phase != Phase::Open || self.outstanding.is_flushing();
        Some(if hurried { oldest.accepted } else { oldest.accepted + self.pacing.linger(now) })
    }

    /// How far the sequence has gone beyond the oldest frame in flight. What `max_in_flight` bounds, so that it also
    /// bounds what receivers hold behind a frame that fails again and again.
    fn pending(&self) -> u64 {
        self.in_flight.first().map_or(0, |first| self.next_sequence - first)
    }

    fn head_due(&self) -> Option<Instant> {
        self.heads.due().filter(|_| self.is_idle())
    }

    fn seal(&mut self) -> Output {
        let sequence = self.next_sequence;
        assert!(sequence <= MAX_SEQUENCE, "the sequence outlasts the process");
        let pending = self.pending();
        self.next_sequence += 1;
        let header = self.settings.header(sequence, pending, false);
        let room = self.settings.room(&header);
        let blocked = blocked(&self.settings, &self.in_flight);
        let load = pack(&mut self.queue, room, sequence, blocked);
        let groups = load.groups.iter().map(|group| (&group.opening, group.bodies()));
        let body = encode(&header, groups, self.settings.frame.max.min(64 << 10));
        let cost = self.settings.frame.max - room + load.cost;
        debug_assert_eq!(cost, self.settings.frame.counting.measure(&body), "costs add up");
        self.in_flight.insert(sequence, body.clone(), cost, load);
        self.publish(sequence, body)
    }

    fn head(&mut self, now: Instant) -> Output {
        self.heads.begin(now);
        let header = self.settings.header(self.next_sequence - 1, 0, true);
        let none = std::iter::empty::<(&Bytes, std::iter::Empty<&Bytes>)>();
        let body = encode(&header, none, 64);
        Output::Publish { id: PublishId::HEAD, topic: self.settings.config.topic.clone(), body }
    }

    fn publish(&self, sequence: u64, body: Bytes) -> Output {
        Output::Publish { id: PublishId::frame(sequence), topic: self.settings.config.topic.clone(), body }
    }
}

/// The inner topics that must wait for frames in flight.
fn blocked<'a>(settings: &Settings, in_flight: &'a InFlight) -> &'a Blocked {
    static NONE: Blocked = Blocked::new();
    if settings.config.original_receivers { in_flight.topics() } else { &NONE }
}
