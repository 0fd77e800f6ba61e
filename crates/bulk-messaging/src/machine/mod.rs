//! The pure part: everything that is decided, without clock, I/O or randomness of its own.
//!
//! Feed it with [`Machine::push`] and [`Machine::handle`], then call [`Machine::poll`] until it yields nothing, and
//! call `poll` again at [`Machine::next_wakeup`]. [`Driver`](crate::Driver) does just that; a simulator may do it
//! instead. Times come from one clock and never go back.

mod assembler;
mod cuts;
mod filler;
mod fragment;
mod heads;
mod ids;
mod in_flight;
mod lane;
mod lanes;
mod outstanding;
mod pacing;
mod packer;
mod queue;
mod receiver;
mod sender;
mod settings;
mod stream;
mod topic_queue;
mod wholes;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use transport_traits::{BusLimits, ErrorKind, Instant, Outgoing, Topic};

use self::assembler::{Assembler, Taken};
use self::fragment::{Fragment, is_marked};
pub use self::ids::{ConfirmId, FlushId, PublishId};
use self::receiver::{Bounds, Receiver, StreamId};
use self::sender::Sender;
use self::settings::Settings;
use self::stream::{Arrival, Event, Patience};
use crate::wire::{Frame, Header, escape};
use crate::{Config, ConfigError, Refusal, Stats, WireError};

/// What happens to the machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// A publish that [`Output::Publish`] asked for is over.
    Published {
        /// Which one.
        id: PublishId,
        /// How it went.
        result: Result<(), ErrorKind>,
    },
    /// One of the real topics delivered this.
    Received(Bytes),
    /// A real topic may have lost messages.
    TransportGap,
    /// Send everything queued so far without linger, and yield [`Output::Flushed`] when the bus has accepted it or
    /// refused it for good.
    Flush(FlushId),
    /// Accept nothing more, send what is queued, and yield [`Output::Drained`] when that is done or its time is over.
    Drain,
    /// Somebody subscribed to this inner topic. Counts.
    Watch(Topic),
    /// One subscription of this inner topic ended.
    Unwatch(Topic),
}

/// What the machine asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Publish this on the real topic, and report the end as [`Input::Published`].
    Publish {
        /// Names it.
        id: PublishId,
        /// The real topic.
        topic: Topic,
        /// The frame.
        body: Bytes,
    },
    /// A message for every subscription of this inner topic.
    Deliver {
        /// The inner topic.
        topic: Topic,
        /// The message.
        body: Bytes,
    },
    /// Every subscription may have missed messages here.
    Gap,
    /// What became of messages that somebody waits for.
    Confirmed {
        /// Who waits.
        ids: Vec<ConfirmId>,
        /// The outcome.
        result: Result<(), ErrorKind>,
    },
    /// The bus refused a frame for good.
    Refused {
        /// How many messages were in it.
        messages: usize,
        /// Why.
        kind: ErrorKind,
    },
    /// A frame was received that could not be read. It was dropped.
    Malformed(WireError),
    /// A flush is over.
    Flushed(FlushId),
    /// The drain is over. These messages were not accepted by the bus, in the order of their publishing; those whose
    /// publish was under way may have been sent nonetheless.
    Drained(Vec<Outgoing>),
}

impl Output {
    /// Nothing if nobody waits.
    fn confirmed(ids: Vec<ConfirmId>, result: Result<(), ErrorKind>) -> Option<Self> {
        (!ids.is_empty()).then_some(Self::Confirmed { ids, result })
    }
}

/// What is known of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Nothing.
    Any,
    /// It is one JSON value without white space around it, since we wrote it.
    Json,
}

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
            senders: config.max_senders,
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
    /// With a shorter topic a somewhat larger body fits too.
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
        stats.senders = self.receiver.senders() as u64;
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
        self.push_checked(now, message, Body::Any, confirm)
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
        self.push_checked(now, Outgoing::new(topic, escape(text)), Body::Json, confirm)
    }

    /// Accepts a message whose body is known to be such.
    pub(crate) fn push_checked(
        &mut self,
        now: Instant,
        message: Outgoing,
        body: Body,
        confirm: Option<ConfirmId>,
    ) -> Result<(), Refusal> {
        self.now = now;
        self.sender.push(now, message, body, confirm, &mut self.stats)
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
            let own = header.sender == self.settings.sender
                && header.incarnation == self.settings.config.incarnation;
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

    fn unwatch(&mut self, topic: &Topic) {
        if let Some(count) = self.watched.get_mut(topic) {
            *count -= 1;
            if *count == 0 {
                self.watched.remove(topic);
                self.assembler.forget(topic);
            }
        }
    }
}
