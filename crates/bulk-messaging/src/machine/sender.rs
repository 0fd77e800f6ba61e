//! The sending half: a queue, frames in flight, and what decides when the next publish happens.

mod intake;

use std::sync::Arc;
use std::time::Duration;

use transport_traits::{ErrorKind, Instant, Outgoing, Retry};

use super::cuts::Cuts;
use super::in_flight::{Backoff, Sealed};
use super::lane::{Lane, Surroundings, Task};
use super::outstanding::Outstanding;
use super::pacing::{Buckets, Pacing};
use super::packer::is_by_age;
use super::queue::Queue;
use super::settings::Settings;
use super::wholes::{WholeId, Wholes};
use super::{Output, PublishId};
use crate::Stats;

/// A service that asks for more is not believed: it may be wrong, and meanwhile nothing would be sent.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

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
    /// Publishes so far.
    publishes: u64,
    /// Messages that travel in fragments.
    wholes: Wholes,
    /// Messages that the bus refused during the drain, with their orders.
    refused: Vec<(u64, Outgoing)>,
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
            publishes: 0,
            wholes: Wholes::default(),
            refused: Vec::new(),
            settings,
        }
    }

    pub(crate) fn flush(&mut self, id: u64) {
        self.outstanding.flush(id, self.queue.next_order());
        self.cut();
    }

    pub(crate) fn withdraw(&mut self, flush: u64) {
        self.outstanding.withdraw(flush);
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

    /// The next publish, if there is one to begin now: a repetition, a new frame or a head. Of every four publishes one goes
    /// by what has been due for longest, so that no lane waits for ever while another one is busy.
    pub(crate) fn next_publish(&mut self, now: Instant, stats: &mut Stats) -> Option<Output> {
        let due = self.tasks(now).filter(|&(_, due, _)| due <= now);
        let paid = due.filter(|&(.., lane)| self.pacing.next_payment(lane, now).is_some_and(|at| at <= now));
        let fair = is_by_age(self.publishes + 1);
        let (task, _, lane) = paid.min_by_key(|&(task, due, lane)| (fair.then_some(due), task, due, lane))?;
        assert!(self.pacing.pay(lane, now), "what can be paid is paid");
        self.publishes += 1;
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
        stats.failed += u64::from(result.is_err());
        let Some(lane) = self.lanes.get_mut(id.lane) else { return };
        let Some(sequence) = id.sequence() else { return lane.heads.end() };
        match result {
            Ok(()) => {
                let Some(frame) = lane.in_flight.remove(sequence) else { return };
                lane.heads.restart(now);
                stats.frames += 1;
                stats.frame_bytes += frame.cost as u64;
                self.over(frame, Ok(()), stats, outputs);
                let backoff = self.backoff();
                let random = &mut self.random;
                self.lanes.iter_mut().for_each(|lane| lane.in_flight.encourage(now, backoff, random));
            }
            Err(kind) if kind.retry() == Retry::Never || self.settings.is_strict() => {
                self.give_up(now, id, kind, stats, outputs);
            }
            Err(kind) => self.retry(now, id, kind),
        }
    }

    fn backoff(&self) -> Backoff {
        let config = &self.settings.config;
        Backoff { first: config.retry_backoff, most: config.max_retry_backoff }
    }

    fn retry(&mut self, now: Instant, id: PublishId, kind: ErrorKind) {
        let backoff = self.backoff();
        let asked = if let Retry::Later(asked) = kind.retry() { asked } else { None };
        let at_least = asked.map_or(Duration::ZERO, |wait| wait.min(MAX_RETRY_AFTER));
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
        let Some(frame) = lane.in_flight.remove(id.sequence) else { return };
        lane.heads.restart(now);
        outputs.extend([Output::Refused { messages: frame.load.len(), kind }]);
        self.over(frame, Err(kind), stats, outputs);
    }

    /// What was in a frame was accepted or given up.
    fn over(
        &mut self,
        frame: Sealed,
        result: Result<(), ErrorKind>,
        stats: &mut Stats,
        outputs: &mut impl Extend<Output>,
    ) {
        let Sealed { load, body, .. } = frame;
        outputs.extend(Output::confirmed(load.confirms(), result));
        let mut messages = load.len();
        for id in load.wholes() {
            messages -= 1;
            self.part_over(id, result, stats, outputs);
        }
        match result {
            Ok(()) => stats.messages += messages as u64,
            Err(_) => stats.refused += messages as u64,
        }
        if result.is_err() && self.phase != Phase::Open {
            self.refused.extend(load.recover(&body));
        }
    }

    /// The publish of a fragment is over, and with the last one that of its message.
    fn part_over(
        &mut self,
        id: WholeId,
        result: Result<(), ErrorKind>,
        stats: &mut Stats,
        outputs: &mut impl Extend<Output>,
    ) {
        let Some(whole) = self.wholes.part_over(id, result) else { return };
        let (message, result) = whole.over(outputs);
        match result {
            Ok(()) => stats.messages += 1,
            Err(_) => {
                stats.refused += 1;
                self.refused.extend((self.phase != Phase::Open).then_some((id, message)));
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
            frame.load.wholes().for_each(|id| self.wholes.touch(id));
            rest.extend(frame.load.recover(&frame.body));
        }
        let (unsent, waiting) = self.queue.take_all();
        outputs.extend(Output::confirmed(waiting, Err(ErrorKind::Closed)));
        rest.extend(unsent);
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
