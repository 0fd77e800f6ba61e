//! The pure part: everything that is decided, without clock, I/O or randomness of its own.
//!
//! Feed it with [`Machine::push`] and [`Machine::handle`], then call [`Machine::poll`] until it yields nothing, and
//! call `poll` again at [`Machine::next_wakeup`]. [`Driver`](crate::Driver) does just that; a simulator may do it
//! instead. Times come from one clock and never go back.

mod arena;
mod assembler;
mod cuts;
mod entries;
mod filler;
mod fragment;
mod heads;
mod ids;
mod in_flight;
mod io;
mod keys;
mod lane;
mod lanes;
mod line;
mod load;
mod outstanding;
mod pacing;
mod packer;
mod parcel;
mod picks;
mod queue;
mod receiver;
mod sender;
mod settings;
mod stream;
mod topic_queue;
mod topics;
mod wholes;
mod window;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use transport_traits::{BusLimits, Instant, Outgoing, Topic};

use self::assembler::{Assembler, Taken};
use self::fragment::{Fragment, is_marked};
pub use self::ids::{ConfirmId, FlushId, PublishId};
pub use self::io::{Input, Output};
pub(crate) use self::parcel::Known;
use self::parcel::{Body, Parcel};
use self::receiver::{Bounds, Receiver, StreamId};
use self::sender::Sender;
use self::settings::Settings;
use self::stream::{Arrival, Event, Patience};
use crate::wire::{Frame, Header};
use crate::{Config, ConfigError, Refusal, Stats, WireError};

/// The state of one server's bulk messaging.
#[derive(Debug)]
pub struct Machine {
    settings: Arc<Settings>,
    sender: Sender,
    receiver: Receiver,
    assembler: Assembler,
    /// Subscribed inner topics, and how often.
    watched: BTreeMap<Topic, usize>,
    outputs: VecDeque<Output>,
    stats: Stats,
    now: Instant,
}

impl Machine {
    /// A machine for a bus with these limits.
    ///
    /// # Errors
    /// [`ConfigError`] where configuration and limits do not go together.
    pub fn new(config: Config, bus: &BusLimits, now: Instant) -> Result<Self, ConfigError> {
        let mut random = config.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let settings = Arc::new(Settings::new(config, bus, &mut random)?);
        let buckets = settings.buckets(bus, now)?;
        let config = &settings.config;
        let bounds = Bounds {
            streams: config.max_senders.saturating_mul(config.lanes.into()),
            held_frames: config.max_held_frames,
            held_bytes: config.max_held_bytes,
        };
        let patience = Patience { settled: config.hole_timeout, pending: config.retry_hole_timeout };
        Ok(Self {
            receiver: Receiver::new(bounds, patience),
            assembler: Assembler::new(settings.config.fragmentation),
            sender: Sender::new(settings.clone(), buckets, random, now),
            settings,
            watched: BTreeMap::new(),
            outputs: VecDeque::new(),
            stats: Stats::default(),
            now,
        })
    }

    /// What surely fits: a body within these limits fits into a frame of its own under any inner topic within them.
    /// With a shorter topic a somewhat larger body fits too. The exception is one that
    /// [looks like a fragment](crate#fragments): its wrapping may be too much.
    #[must_use]
    pub fn limits(&self) -> &BusLimits {
        &self.settings.limits
    }

    /// The real topics, a lane each: publishes go to them, and what they deliver is for [`Input::Received`].
    pub fn real_topics(&self) -> impl Iterator<Item = Topic> {
        self.settings.real_topics()
    }

    /// The sender's name in the headers.
    #[must_use]
    pub fn sender(&self) -> &str {
        &self.settings.sender
    }

    /// How long a drain takes at most.
    pub(crate) fn drain_timeout(&self) -> Duration {
        self.settings.config.drain_timeout
    }

    /// Counters and levels.
    #[must_use]
    pub fn stats(&self, now: Instant) -> Stats {
        let mut stats = self.stats;
        self.sender.add_levels(now, &mut stats);
        stats.streams = self.receiver.streams() as u64;
        stats.held_frames = self.receiver.held_frames() as u64;
        stats
    }

    /// Accepts a message into the queue. `confirm` is named in an [`Output::Confirmed`] later.
    ///
    /// Costs O(length of the body), plus O(log n) for n inner topics with unsent messages.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub fn push(
        &mut self,
        now: Instant,
        message: Outgoing,
        confirm: Option<ConfirmId>,
    ) -> Result<(), Refusal> {
        let Outgoing { topic, body, priority, conflation_key: key, .. } = message;
        let body = Body::Bytes(&body, Known::Nothing);
        self.push_parcel(now, Parcel { topic, body, priority, key }, confirm)
    }

    /// The same for a text: the message is the JSON string of it, which needs no check.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_text(
        &mut self,
        now: Instant,
        topic: Topic,
        text: &str,
        confirm: Option<ConfirmId>,
    ) -> Result<(), Refusal> {
        self.push_parcel(now, Parcel::text(topic, text), confirm)
    }

    /// Accepts a message of whose body something may be known.
    pub(crate) fn push_known(
        &mut self,
        now: Instant,
        message: &Outgoing,
        known: Known,
        confirm: Option<ConfirmId>,
    ) -> Result<(), Refusal> {
        self.push_parcel(now, Parcel::of(message, known), confirm)
    }

    fn push_parcel(
        &mut self,
        now: Instant,
        parcel: Parcel<'_>,
        confirm: Option<ConfirmId>,
    ) -> Result<(), Refusal> {
        self.now = now;
        self.sender.push(now, parcel, confirm, &mut self.stats)
    }

    /// Checks the name of an inner topic.
    ///
    /// # Errors
    /// [`Refusal::Topic`], [`Refusal::ReservedTopic`].
    pub fn check_topic(&self, topic: &str) -> Result<(), Refusal> {
        self.settings.check_topic(topic).map(|_| ())
    }

    /// Something happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.now = now;
        match input {
            Input::Published { id, result } => {
                self.sender.published(now, id, result, &mut self.stats, &mut self.outputs);
            }
            Input::Received(bytes) => self.receive(now, bytes),
            Input::TransportGap => self.gap(),
            Input::Flush(id) => self.sender.flush(id),
            Input::Withdraw(id) => self.withdraw(id),
            Input::Drain => self.sender.drain(now),
            Input::Watch(topic) => *self.watched.entry(topic).or_default() += 1,
            Input::Unwatch(topic) => self.unwatch(&topic),
        }
    }

    /// The next thing to do at `now`; `None` if there is nothing more.
    pub fn poll(&mut self, now: Instant) -> Option<Output> {
        self.now = now;
        if self.outputs.is_empty() {
            let mut events = Vec::new();
            self.receiver.expire(now, &mut events);
            self.yield_events(events);
            let lost = self.assembler.expire(now);
            self.lose(lost);
            self.sender.settle(now, &mut self.outputs);
        }
        self.outputs.pop_front().or_else(|| self.sender.next_publish(now, &mut self.stats))
    }

    /// When to poll again if nothing happens before. Valid after [`poll`](Self::poll) yielded nothing.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        let receiving = [self.receiver.deadline(), self.assembler.deadline()];
        receiving.into_iter().chain([self.sender.next_wakeup(self.now)]).flatten().min()
    }

    fn receive(&mut self, now: Instant, bytes: Bytes) {
        let frame = match Frame::decode(bytes) {
            Ok(frame) => frame,
            Err(error) => {
                self.stats.malformed += 1;
                self.outputs.push_back(Output::Malformed(error));
                return;
            }
        };
        let Some(header) = frame.header.clone() else {
            self.stats.received_frames += 1;
            self.stats.foreign_frames += 1;
            return self.deliver(None, &frame);
        };
        let mut events = Vec::new();
        let arrival = self.receiver.receive(now, &header, frame, &mut events);
        self.count(&header, arrival);
        self.yield_events(events);
    }

    fn count(&mut self, header: &Header, arrival: Arrival) {
        if arrival == Arrival::Duplicate {
            self.stats.duplicates += 1;
        } else if !header.head {
            let own =
                header.sender == self.settings.sender && header.incarnation == self.settings.incarnation;
            self.stats.received_frames += 1;
            self.stats.own_frames += u64::from(own);
        }
    }

    fn yield_events(&mut self, events: Vec<(StreamId, Event)>) {
        for (stream, event) in events {
            match event {
                Event::Frame(frame) => self.deliver(Some(&stream), &frame),
                Event::Gap => {
                    self.stats.lost_partials += self.assembler.broken(&stream);
                    self.gap();
                }
            }
        }
    }

    /// Hands out a frame's messages. `stream` is `None` for a frame without a header.
    fn deliver(&mut self, stream: Option<&StreamId>, frame: &Frame) {
        for entry in frame.entries() {
            let Some((topic, _)) = self.watched.get_key_value(frame.topic(entry)) else { continue };
            let topic = topic.clone();
            for &span in frame.spans(entry) {
                let body = frame.message(span);
                match stream.filter(|_| is_marked(&body)) {
                    Some(stream) => self.assemble(stream, &topic, &body),
                    None => self.deliver_message(topic.clone(), body),
                }
            }
        }
    }

    fn deliver_message(&mut self, topic: Topic, body: Bytes) {
        self.stats.delivered += 1;
        self.outputs.push_back(Output::Deliver { topic, body });
    }

    fn assemble(&mut self, stream: &StreamId, topic: &Topic, message: &Bytes) {
        let Some(fragment) = Fragment::parse(message) else {
            self.stats.malformed += 1;
            return self.outputs.push_back(Output::Malformed(WireError::Fragment));
        };
        let split = fragment.count > 1;
        match self.assembler.take(self.now, stream, topic, fragment) {
            Taken::Whole(body) => {
                self.stats.reassembled += u64::from(split);
                self.deliver_message(topic.clone(), body);
            }
            Taken::Lost => self.lose(1),
            Taken::Begun | Taken::Orphan => {}
        }
    }

    /// So many messages will not come: subscribers are told.
    fn lose(&mut self, messages: u64) {
        if messages > 0 {
            self.stats.lost_partials += messages;
            self.gap();
        }
    }

    /// Any inner topic may have been in what is missing, so all of them are told. Gaps in a row are one.
    fn gap(&mut self) {
        self.stats.gaps += 1;
        if self.outputs.back() != Some(&Output::Gap) {
            self.outputs.push_back(Output::Gap);
        }
    }

    /// Nobody waits for this flush any more.
    pub(crate) fn withdraw(&mut self, flush: FlushId) {
        self.sender.withdraw(flush);
    }

    /// One subscription of this inner topic ended.
    pub(crate) fn unwatch(&mut self, topic: &Topic) {
        if let Some(count) = self.watched.get_mut(topic) {
            *count -= 1;
            if *count == 0 {
                self.watched.remove(topic);
                self.assembler.forget(topic);
            }
        }
    }
}
