//! The sending half: a queue, frames in flight, and what decides when the next publish happens.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use transport_traits::limits::Content;
use transport_traits::{ErrorKind, Instant, Outgoing, Priority, Retry};

use super::cuts::Cuts;
use super::fragment::{is_marked, split};
use super::in_flight::{Backoff, Sealed};
use super::lane::{Lane, Surroundings, Task};
use super::outstanding::Outstanding;
use super::pacing::{Buckets, Pacing};
use super::packer::Load;
use super::queue::{Measured, Pushed, Queue, TopicId};
use super::settings::Settings;
use super::wholes::Wholes;
use super::{Body, ConfirmId, Output, PublishId};
use crate::wire::value;
use crate::{Refusal, Stats};

#[derive(Debug)]
pub(crate) struct Sender {
    settings: Arc<Settings>,
    random: fastrand::Rng,
    /// What groups may cost in a frame whatever its sequence.
    room: usize,
    queue: Queue,
    lanes: Vec<Lane>,
    pacing: Pacing,
    /// In the strict profile: which messages make a frame.
    cuts: Option<Cuts>,
    outstanding: Outstanding,
    phase: Phase,
    /// Messages that travel in fragments.
    wholes: Wholes,
    /// Messages that the bus refused during the drain, with their orders.
    refused: Vec<(u64, Outgoing)>,
}

/// A message that was checked and measured.
enum Prepared {
    One(Measured),
    /// In fragments, each with its cost.
    Split(Outgoing, Vec<(Bytes, usize)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Draining { until: Instant },
    Closed,
}

impl Sender {
    pub(crate) fn new(
        settings: Arc<Settings>,
        buckets: Buckets,
        random: fastrand::Rng,
        now: Instant,
    ) -> Self {
        let config = &settings.config;
        let (room, lanes) = (settings.least_room(), usize::from(config.lanes));
        Self {
            random,
            room,
            queue: Queue::new(lanes, config.max_queued_messages, config.max_queued_bytes),
            lanes: settings
                .real_topics()
                .enumerate()
                .map(|(number, topic)| Lane::new(number, topic))
                .collect(),
            pacing: Pacing::new(buckets, config.linger),
            cuts: settings.is_strict().then(|| Cuts::new(now, room)),
            outstanding: Outstanding::default(),
            phase: Phase::Open,
            wholes: Wholes::default(),
            refused: Vec::new(),
            settings,
        }
    }

    /// Accepts a message into the queue.
    pub(crate) fn push(
        &mut self,
        now: Instant,
        message: Outgoing,
        body: Body,
        confirm: Option<ConfirmId>,
        stats: &mut Stats,
    ) -> Result<(), Refusal> {
        let measured = match self.prepare(message, body, confirm)? {
            Prepared::One(measured) => measured,
            Prepared::Split(message, parts) => {
                self.push_parts(now, message, parts, confirm)?;
                stats.accepted += 1;
                stats.split += 1;
                return Ok(());
            }
        };
        let order = self.queue.next_order();
        let cut =
            self.cuts.as_ref().map(|_| (measured.message.topic.clone(), measured.cost, measured.topic_cost));
        let pushed = self.queue.push(now, measured)?;
        if let Some((cuts, (topic, cost, topic_cost))) = self.cuts.as_mut().zip(cut) {
            cuts.push(now, order, &topic, cost, topic_cost);
        }
        stats.accepted += 1;
        stats.conflated += u64::from(pushed == Pushed::Conflated);
        Ok(())
    }

    /// Checks a message, and computes what it costs. The only time that its body is looked at.
    fn prepare(
        &self,
        mut message: Outgoing,
        body: Body,
        confirm: Option<ConfirmId>,
    ) -> Result<Prepared, Refusal> {
        if self.phase != Phase::Open {
            return Err(Refusal::Closed);
        }
        let (place, topic_cost) = self.look_up(&message.topic)?;
        if body == Body::Any && self.settings.tariff.content() == Content::Text {
            message.body = value(&message.body).ok_or(Refusal::NotJson)?;
        }
        if self.settings.is_strict() {
            (message.priority, message.conflation_key) = (Priority::Normal, None);
        }
        let (tariff, limit) = self.settings.body_limit(self.room, &message.topic, topic_cost);
        let size = tariff.body(&message.body);
        if !self.settings.is_strict() && (size > limit || is_marked(&message.body)) {
            return self.prepare_parts(message, size, limit);
        }
        if size > limit {
            return Err(self.too_large(size, limit));
        }
        let cost = if self.settings.is_strict() { self.settings.tariff.body(&message.body) } else { size };
        Ok(Prepared::One(Measured { message, cost, topic_cost, place, confirm, whole: None }))
    }

    /// Splits a message that is too long for a frame, or wraps one that looks like a fragment.
    fn prepare_parts(&self, message: Outgoing, size: usize, limit: usize) -> Result<Prepared, Refusal> {
        let (tariff, config) = (self.settings.tariff, &self.settings.config);
        let most = config.fragmentation.map_or(0, |bounds| bounds.max_message_bytes);
        let may_split = message.body.len() <= most;
        if size > limit && !may_split {
            let of_frame = self.too_large(size, limit);
            let of_whole = Refusal::Body { size: message.body.len(), limit: most };
            return Err(if most > 0 { of_whole } else { of_frame });
        }
        let is_text = tariff.content() == Content::Text;
        let parts =
            split(&message.body, is_text, tariff, limit).filter(|parts| may_split || parts.len() == 1);
        let parts = parts.ok_or_else(|| self.too_large(size, limit))?;
        let measured = |part: Bytes| {
            let cost = tariff.body(&part);
            (part, cost)
        };
        self.queue.check_room(parts.len(), parts.iter().map(Bytes::len).sum())?;
        Ok(Prepared::Split(message, parts.into_iter().map(measured).collect()))
    }

    fn too_large(&self, size: usize, limit: usize) -> Refusal {
        let empty = self.settings.tariff.empty_body();
        Refusal::Body { size: size + empty, limit: limit + empty }
    }

    /// Queues the fragments of a message one behind the other. The conflation key has done its work when none can replace
    /// the unsent message that had it, since that one would come after.
    fn push_parts(
        &mut self,
        now: Instant,
        message: Outgoing,
        parts: Vec<(Bytes, usize)>,
        confirm: Option<ConfirmId>,
    ) -> Result<(), Refusal> {
        let id = self.queue.next_order();
        let count = parts.len();
        if let Some(key) = &message.conflation_key {
            self.queue.forget_key(&message.topic, key);
        }
        for (part, cost) in parts {
            let part = Outgoing::new(message.topic.clone(), part).with_priority(message.priority);
            let (place, topic_cost) = self.look_up(&part.topic)?;
            let whole = Some(id);
            let measured = Measured { message: part, cost, topic_cost, place, confirm: None, whole };
            self.queue.push(now, measured)?;
        }
        self.wholes.add(id, message, count, confirm);
        Ok(())
    }

    /// Where messages of an inner topic wait, if there are any, and what it adds to a frame beside its messages. The name of
    /// one that has none is checked.
    fn look_up(&self, topic: &str) -> Result<(Option<TopicId>, usize), Refusal> {
        match self.queue.find(topic) {
            Some(id) => Ok((Some(id), self.queue.topic(id).cost)),
            None => {
                self.settings.check_topic(topic).map(|size| (None, self.settings.tariff.topic(topic, size)))
            }
        }
    }

    pub(crate) fn flush(&mut self, id: u64) {
        self.outstanding.flush(id, self.queue.next_order());
        self.cut();
    }

    pub(crate) fn drain(&mut self, now: Instant) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining { until: now + self.settings.config.drain_timeout };
            self.cut();
        }
    }

    /// In the strict profile: what is queued leaves now.
    fn cut(&mut self) {
        if let Some(cuts) = &mut self.cuts {
            cuts.flush(self.queue.next_order());
        }
    }

    /// The next publish, if there is one to begin now: a repetition, a new frame or a head.
    pub(crate) fn next_publish(&mut self, now: Instant, stats: &mut Stats) -> Option<Output> {
        let due = self.tasks(now).filter(|&(_, due, _)| due <= now);
        let paid = due.filter(|&(.., lane)| self.pacing.next_payment(lane, now).is_some_and(|at| at <= now));
        let (task, _, lane) = paid.min()?;
        assert!(self.pacing.pay(lane, now), "what can be paid is paid");
        stats.publishes += 1;
        match task {
            Task::Repeat => {
                stats.retried += 1;
                let lane = &mut self.lanes[lane];
                lane.in_flight.repeat(now).map(|(sequence, body)| lane.publish(sequence, body))
            }
            Task::Seal { .. } => Some(self.seal(lane)),
            Task::Head => {
                stats.heads += 1;
                Some(self.lanes[lane].head(now, &self.settings))
            }
        }
    }

    /// What lanes have to do, when, and which lane.
    fn tasks(&self, now: Instant) -> impl Iterator<Item = (Task, Instant, usize)> {
        let (settings, queue, pacing, room) = (&*self.settings, &self.queue, &self.pacing, self.room);
        let hurried = self.phase != Phase::Open || self.outstanding.is_flushing();
        let around = Surroundings { settings, queue, pacing, hurried, room, cuts: self.cuts.as_ref() };
        self.lanes.iter().flat_map(move |lane| {
            let number = lane.number;
            lane.tasks(now, around).map(move |(task, due)| (task, due, number))
        })
    }

    /// When there is something to do next, after everything that is due at `now` was done.
    pub(crate) fn next_wakeup(&self, now: Instant) -> Option<Instant> {
        let paid = |(_, due, lane)| self.pacing.next_payment(lane, now).map(|paid| paid.max(due));
        let publish = self.tasks(now).filter_map(paid).min();
        let drained = if let Phase::Draining { until } = self.phase { Some(until) } else { None };
        let cut = self.cuts.as_ref().and_then(Cuts::due);
        [publish, drained, cut].into_iter().flatten().min()
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
        let Some(lane) = self.lanes.get_mut(id.lane) else { return };
        let Some(sequence) = id.sequence() else { return lane.heads.end() };
        match result {
            Ok(()) => {
                let Some(frame) = lane.in_flight.remove(sequence) else { return };
                lane.heads.restart(now);
                stats.frames += 1;
                stats.frame_bytes += frame.cost as u64;
                self.load_over(frame.load, Ok(()), stats, outputs);
            }
            Err(kind) if kind.retry() == Retry::Never || self.settings.is_strict() => {
                self.give_up(now, id, kind, stats, outputs);
            }
            Err(kind) => self.retry(now, id, kind),
        }
    }

    fn retry(&mut self, now: Instant, id: PublishId, kind: ErrorKind) {
        let config = &self.settings.config;
        let backoff = Backoff { first: config.retry_backoff, most: config.max_retry_backoff };
        let at_least = if let Retry::Later(Some(wait)) = kind.retry() { wait } else { Duration::ZERO };
        let in_flight = &mut self.lanes[id.lane].in_flight;
        let due = in_flight.retry(now, id.sequence, at_least, backoff, &mut self.random);
        if let (Some(due), ErrorKind::Throttled { .. }) = (due, kind) {
            self.pacing.pause(due);
        }
    }

    /// The bus will never take this frame. Its sequence stays a hole, so receivers get the gap that there is.
    fn give_up(
        &mut self,
        now: Instant,
        id: PublishId,
        kind: ErrorKind,
        stats: &mut Stats,
        outputs: &mut impl Extend<Output>,
    ) {
        let lane = &mut self.lanes[id.lane];
        let Some(Sealed { load, .. }) = lane.in_flight.remove(id.sequence) else { return };
        lane.heads.restart(now);
        outputs.extend([Output::Refused { messages: load.len(), kind }]);
        self.load_over(load, Err(kind), stats, outputs);
    }

    /// What was in a frame was accepted or given up. Messages in fragments are over with their last one.
    fn load_over(
        &mut self,
        load: Load,
        result: Result<(), ErrorKind>,
        stats: &mut Stats,
        outputs: &mut impl Extend<Output>,
    ) {
        outputs.extend(Output::confirmed(load.confirms(), result));
        for (topic, message) in load.into_messages() {
            let (order, over) = match message.whole {
                None => (message.order, Some((message.into_outgoing(topic), result))),
                Some(id) => (id, self.wholes.part_over(id, result).map(|whole| whole.over(outputs))),
            };
            match over {
                Some((_, Ok(()))) => stats.messages += 1,
                Some((message, Err(_))) => {
                    stats.refused += 1;
                    self.refused.extend((self.phase != Phase::Open).then_some((order, message)));
                }
                None => {}
            }
        }
    }

    /// Appends what is over by now to `outputs`: flushes, the drain.
    pub(crate) fn settle(&mut self, now: Instant, outputs: &mut impl Extend<Output>) {
        if let Some(cuts) = &mut self.cuts {
            cuts.tick(now, self.queue.next_order());
        }
        if let Phase::Draining { until } = self.phase
            && (self.is_idle() || until <= now)
        {
            self.finish(outputs);
        }
        let queued = self.queue.oldest().map(|message| message.order);
        let oldest = self.lanes.iter().filter_map(|lane| lane.in_flight.oldest()).chain(queued).min();
        outputs.extend(self.outstanding.flushed(oldest).map(Output::Flushed));
    }

    pub(crate) fn add_levels(&self, now: Instant, stats: &mut Stats) {
        stats.frame_limit = self.settings.frame.max as u64;
        stats.queued_messages = self.queue.len() as u64;
        stats.queued_bytes = self.queue.bytes() as u64;
        stats.in_flight = self.lanes.iter().map(|lane| lane.in_flight.len() as u64).sum();
        stats.tokens = self.pacing.tokens(now);
    }

    /// Gives back everything that was not accepted by the bus.
    fn finish(&mut self, outputs: &mut impl Extend<Output>) {
        self.phase = Phase::Closed;
        let mut rest = std::mem::take(&mut self.refused);
        for frame in self.lanes.iter_mut().flat_map(|lane| lane.in_flight.take_all()) {
            outputs.extend(Output::confirmed(frame.load.confirms(), Err(ErrorKind::Unknown)));
            for (topic, message) in frame.load.into_messages() {
                match message.whole {
                    Some(id) => self.wholes.touch(id),
                    None => rest.push((message.order, message.into_outgoing(topic))),
                }
            }
        }
        let unsent = self.queue.take_all();
        let waiting = unsent.iter().flat_map(|(_, message)| &message.confirms).copied().collect();
        outputs.extend(Output::confirmed(waiting, Err(ErrorKind::Closed)));
        let unsent = unsent.into_iter().filter(|(_, message)| message.whole.is_none());
        rest.extend(unsent.map(|(topic, message)| (message.order, message.into_outgoing(topic))));
        rest.extend(self.wholes.take_all().into_iter().map(|(id, whole)| (id, whole.cut_short(outputs))));
        rest.sort_unstable_by_key(|&(order, _)| order);
        let rest = rest.into_iter().map(|(_, message)| message).collect();
        outputs.extend([Output::Drained(rest)]);
    }

    fn is_idle(&self) -> bool {
        self.queue.len() == 0 && self.lanes.iter().all(|lane| lane.in_flight.is_empty())
    }

    fn seal(&mut self, lane: usize) -> Output {
        let end = self.cuts.as_mut().and_then(Cuts::next_end);
        self.lanes[lane].seal(&self.settings, &mut self.queue, end)
    }
}
