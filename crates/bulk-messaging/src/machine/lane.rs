//! One real topic as the sender sees it: its sequence, its frames in flight, its heads.

use bytes::Bytes;
use transport_traits::{Instant, Topic};

use super::cuts::Cuts;
use super::filler::{Folding, fill};
use super::heads::Heads;
use super::in_flight::InFlight;
use super::pacing::Pacing;
use super::packer::{Blocked, can_pack, is_by_age, pack, pack_until};
use super::picks::Picks;
use super::queue::Queue;
use super::settings::Settings;
use super::{Output, PublishId};
use crate::wire::{Header, MAX_SEQUENCE, Sizes, Tariff, encode, encode_plain};

#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) number: usize,
    /// The real topic.
    pub(crate) topic: Topic,
    pub(crate) in_flight: InFlight,
    pub(crate) heads: Heads,
    folding: Folding,
    next_sequence: u64,
}

/// What a lane can do next, in the order in which lanes take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Publish a frame once more.
    Repeat,
    /// Seal a frame of at least this class; of every four frames of a lane one counts as the most urgent.
    Seal { class: usize },
    /// Repeat the head sequence.
    Head,
}

/// Everything else that decides when a lane has something to do.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) queue: &'a Queue,
    pub(crate) pacing: &'a Pacing,
    /// A flush or the drain is under way.
    pub(crate) hurried: bool,
    /// The least room for groups in a frame.
    pub(crate) room: usize,
    /// In the strict profile: which messages make a frame.
    pub(crate) cuts: Option<&'a Cuts>,
}

impl Lane {
    pub(crate) fn new(number: usize, topic: Topic) -> Self {
        let (in_flight, heads) = (InFlight::default(), Heads::default());
        Self { number, topic, in_flight, heads, folding: Folding::default(), next_sequence: 1 }
    }

    /// How far the sequence has gone beyond the oldest frame in flight. What `max_in_flight` bounds, so that it also
    /// bounds what receivers hold behind a frame that fails again and again.
    pub(crate) fn pending(&self) -> u64 {
        self.in_flight.first().map_or(0, |first| self.next_sequence - first)
    }

    /// The inner topics that must wait for frames in flight.
    pub(crate) fn blocked(&self, settings: &Settings) -> &Blocked {
        static NONE: Blocked = Blocked::new();
        if settings.waits() { self.in_flight.topics() } else { &NONE }
    }

    pub(crate) fn is_stuck(&self, settings: &Settings) -> bool {
        self.pending() >= settings.config.max_in_flight as u64
    }

    /// What there is to do and when, were it paid for.
    pub(crate) fn tasks(
        &self,
        now: Instant,
        around: Surroundings<'_>,
    ) -> impl Iterator<Item = (Task, Instant)> + use<> {
        let class = around.queue.class(self.number).unwrap_or(0);
        let class = if is_by_age(self.next_sequence) { 0 } else { class };
        let repeat = self.in_flight.next_due().map(|due| (Task::Repeat, due));
        let seal = self.seal_due(now, around).map(|due| (Task::Seal { class }, due));
        let head = self.head_due(around).map(|due| (Task::Head, due));
        [repeat, seal, head].into_iter().flatten()
    }

    /// When the next frame may be sealed.
    fn seal_due(&self, now: Instant, around: Surroundings<'_>) -> Option<Instant> {
        let Surroundings { settings, queue, pacing, hurried, room, cuts } = around;
        let oldest = queue.oldest_in(self.number)?;
        if self.is_stuck(settings) || !can_pack(queue, self.number, self.blocked(settings)) {
            return None;
        }
        if let Some(cuts) = cuts {
            return cuts.is_ready().then_some(oldest.accepted);
        }
        let full = self.folding.cost(queue.cost(self.number)) > room;
        let hurried = hurried || full || queue.class(self.number) == Some(0);
        Some(if hurried { oldest.accepted } else { oldest.accepted + pacing.linger(self.number, now) })
    }

    fn head_due(&self, around: Surroundings<'_>) -> Option<Instant> {
        let idle = self.in_flight.is_empty() && around.queue.oldest_in(self.number).is_none();
        self.heads.due().filter(|_| idle && !around.settings.is_strict())
    }

    /// Fills a frame and begins its publish. In the strict profile it has the messages up to `end`.
    pub(crate) fn seal(&mut self, settings: &Settings, queue: &mut Queue, end: Option<u64>) -> Output {
        let (sequence, pending) = (self.next_sequence, self.pending());
        assert!(sequence <= MAX_SEQUENCE, "the sequence outlasts the process");
        self.next_sequence += 1;
        let header = settings.header(self.number, sequence, pending, false);
        if let (Tariff::Compact(sizes), Some(header)) = (settings.tariff, &header) {
            return self.seal_compact(settings, queue, sizes, header);
        }
        let header = header.map(|header| header.to_text());
        let room = settings.room(header.as_deref());
        let (picks, cost) = match end {
            Some(end) => pack_until(queue, sequence, end),
            None => pack(queue, self.number, room, sequence, self.blocked(settings)),
        };
        let cost = settings.frame.max - room + cost;
        let groups = picks.groups().iter().map(|&pick| (&*queue.topic(pick.topic).topic, queue.bodies(pick)));
        let body = match &header {
            Some(header) => encode(header, groups, cost),
            None => encode_plain(groups, cost),
        };
        debug_assert_eq!(cost, settings.frame.counting.measure(&body), "costs add up");
        self.sealed(settings, queue, sequence, body, cost, &picks)
    }

    /// The same where only the frame itself knows whether a message fits.
    fn seal_compact(
        &mut self,
        settings: &Settings,
        queue: &mut Queue,
        sizes: Sizes,
        header: &Header,
    ) -> Output {
        let mut draft = sizes.draft(header);
        let (picks, bodies) = fill(queue, self.number, &mut draft, header.sequence, self.blocked(settings));
        let body = draft.finish();
        let cost = settings.frame.counting.measure(&body);
        assert!(cost <= settings.frame.max, "a frame is never over its limit");
        self.folding.learn(cost, bodies);
        self.sealed(settings, queue, header.sequence, body, cost, &picks)
    }

    /// Begins the publish of a frame that has taken these messages.
    fn sealed(
        &mut self,
        settings: &Settings,
        queue: &mut Queue,
        sequence: u64,
        body: Bytes,
        cost: usize,
        picks: &Picks,
    ) -> Output {
        let topics = picks.groups().iter().filter(|_| settings.waits());
        let topics = topics.map(|pick| queue.topic(pick.topic).topic.clone()).collect();
        let load = queue.release(picks);
        self.in_flight.insert(sequence, body.clone(), cost, load, topics);
        self.publish(sequence, body)
    }

    /// Begins the publish of a head.
    pub(crate) fn head(&mut self, now: Instant, settings: &Settings) -> Output {
        self.heads.begin(now);
        let header = settings.header(self.number, self.next_sequence - 1, 0, true);
        let header = header.expect("the strict profile has no heads");
        let body = match settings.tariff {
            Tariff::Nexus(_) => {
                encode(&header.to_text(), std::iter::empty::<(&str, std::iter::Empty<&[u8]>)>(), 64)
            }
            Tariff::Compact(sizes) => sizes.head(&header),
        };
        Output::Publish { id: PublishId::head(self.number), topic: self.topic.clone(), body }
    }

    pub(crate) fn publish(&self, sequence: u64, body: Bytes) -> Output {
        Output::Publish { id: PublishId::frame(self.number, sequence), topic: self.topic.clone(), body }
    }
}
