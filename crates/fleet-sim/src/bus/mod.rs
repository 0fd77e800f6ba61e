//! A bus that loses, repeats, delays and splits on purpose, and keeps the limits of a real one.

mod limits;
mod links;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use transport_traits::limits::{Load, ReceiveCounting};
use transport_traits::{BusLimits, ErrorKind, Instant, Outgoing, Topic};

use crate::HostId;
use crate::chance::{Delay, happens};
use limits::Usage;
use links::Links;
pub use links::{CutId, CutKind};

/// What the bus does to messages. Chances go from 0 to 1; the default is a bus without faults that takes 10 ms.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BusFaults {
    /// The chance that a delivery to one server is lost.
    pub loss: f64,
    /// The chance that it comes twice.
    pub duplication: f64,
    /// The chance that a publish fails, surely without effect.
    pub failure: f64,
    /// The chance that a publish fails with its outcome unknown; one in two of those is delivered nonetheless.
    pub unknown: f64,
    /// From the publish to each delivery, drawn for each by itself. Where that varies, messages overtake each other, of
    /// one sender too.
    pub delay: Delay,
    /// From the publish to its answer.
    pub accept: Delay,
}

/// What happens to what is over a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverRate {
    /// The publish fails with `Throttled`.
    #[default]
    Refuse,
    /// The publish is accepted, and nobody receives it.
    Drop,
}

/// One publish, as the bus saw it.
#[derive(Clone, Debug)]
pub struct Published {
    /// When.
    pub at: Instant,
    /// By whom.
    pub from: HostId,
    /// On which topic.
    pub topic: Topic,
    /// How many bytes.
    pub bytes: usize,
    /// What the bus answered.
    pub answer: Result<(), ErrorKind>,
}

/// What the bus has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusStats {
    /// Publishes, those that failed too.
    pub publishes: u64,
    /// Publishes refused because a rate was used up, or dropped for it.
    pub over_rate: u64,
    /// Deliveries, each to one server.
    pub deliveries: u64,
    /// Deliveries lost by chance, by a cut or because receiving is over its rate.
    pub lost: u64,
}

/// A message under way.
#[derive(Debug)]
pub(crate) struct Message {
    /// Counts publishes.
    pub(crate) number: u64,
    pub(crate) topic: Topic,
    pub(crate) body: Bytes,
}

/// What comes of a publish.
pub(crate) struct Verdict {
    pub(crate) answer: Result<(), ErrorKind>,
    pub(crate) answer_at: Instant,
    pub(crate) message: Arc<Message>,
}

/// The bus of a simulation. Its fields may be changed at any time.
#[derive(Debug)]
pub struct Bus {
    /// What it allows: sizes, content, and the rates of publishing and receiving. Default: everything.
    pub limits: BusLimits,
    /// Players on each server, which rates may grow with. Default 0.
    pub players: u32,
    /// What happens to what is over a rate.
    pub over_rate: OverRate,
    /// Whether a server hears its own messages. Default: yes.
    pub echo: bool,
    /// What it does to messages.
    pub faults: BusFaults,
    /// Every publish, in order. Whoever runs for long takes it out now and then.
    pub published: Vec<Published>,
    stats: BusStats,
    links: Links,
    /// What waits at clogged links: sender, receiver, message.
    held: Vec<(HostId, HostId, Arc<Message>)>,
    subscribers: BTreeMap<Topic, BTreeSet<HostId>>,
    usage: Usage,
    rng: fastrand::Rng,
}

impl Bus {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            limits: BusLimits::default(),
            players: 0,
            over_rate: OverRate::default(),
            echo: true,
            faults: BusFaults::default(),
            published: Vec::new(),
            stats: BusStats::default(),
            links: Links::default(),
            held: Vec::new(),
            subscribers: BTreeMap::new(),
            usage: Usage::default(),
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// Cuts the way from each server of `from` to each of `to`; the way back stays. A server may be on both sides.
    pub fn cut(
        &mut self,
        from: impl IntoIterator<Item = HostId>,
        to: impl IntoIterator<Item = HostId>,
        kind: CutKind,
    ) -> CutId {
        self.links.cut(from.into_iter().collect(), to.into_iter().collect(), kind)
    }

    /// Ends a cut. What waited there is delivered, unless another cut is in the way.
    pub fn mend(&mut self, cut: CutId) {
        self.links.mend(cut);
    }

    /// Ends every cut.
    pub fn mend_all(&mut self) {
        self.links.mend_all();
    }

    /// What it has done so far.
    #[must_use]
    pub const fn stats(&self) -> BusStats {
        self.stats
    }

    pub(crate) fn subscribe(&mut self, host: HostId, topic: Topic) {
        self.subscribers.entry(topic).or_default().insert(host);
    }

    /// What a host subscribes to.
    pub(crate) fn topics(&self, host: HostId) -> Vec<Topic> {
        let subscribed = self.subscribers.iter().filter(|(_, hosts)| hosts.contains(&host));
        subscribed.map(|(topic, _)| topic.clone()).collect()
    }

    pub(crate) fn unsubscribe(&mut self, host: HostId, topic: &Topic) {
        if let Some(hosts) = self.subscribers.get_mut(topic) {
            hosts.remove(&host);
        }
    }

    /// The process on a host has ended.
    pub(crate) fn forget(&mut self, host: HostId) {
        self.subscribers.values_mut().for_each(|hosts| {
            hosts.remove(&host);
        });
    }

    /// Adds to `reached` whom it reaches, and when.
    pub(crate) fn publish(
        &mut self,
        now: Instant,
        from: HostId,
        message: Outgoing,
        servers: u32,
        reached: &mut Vec<(Instant, HostId)>,
    ) -> Verdict {
        let answer_at = now + self.faults.accept.draw(&mut self.rng);
        let load = Load { servers, players: self.players };
        let (answer, carried) = self.judge(now, from, &message, load);
        self.stats.publishes += 1;
        let (topic, bytes) = (message.topic.clone(), message.body.len());
        self.published.push(Published { at: now, from, topic, bytes, answer });
        let message =
            Arc::new(Message { number: self.stats.publishes, topic: message.topic, body: message.body });
        if carried {
            self.broadcast((now, from), &message, load, reached);
        }
        Verdict { answer, answer_at, message }
    }

    /// The answer to a publish, and whether it is carried out.
    fn judge(
        &mut self,
        now: Instant,
        from: HostId,
        message: &Outgoing,
        load: Load,
    ) -> (Result<(), ErrorKind>, bool) {
        if let Err(kind) = limits::check_form(&self.limits, message) {
            return (Err(kind), false);
        }
        if happens(&mut self.rng, self.faults.failure) {
            return (Err(ErrorKind::Unavailable), false);
        }
        let is_lost = happens(&mut self.rng, self.faults.unknown);
        if is_lost && self.rng.bool() {
            return (Err(ErrorKind::Unknown), false);
        }
        if !self.usage.take_publish(&self.limits, load, now, from, &message.topic) {
            self.stats.over_rate += 1;
            let refused = self.over_rate == OverRate::Refuse;
            return (if refused { Err(ErrorKind::Throttled { retry_after: None }) } else { Ok(()) }, false);
        }
        (if is_lost { Err(ErrorKind::Unknown) } else { Ok(()) }, true)
    }

    fn broadcast(
        &mut self,
        (now, from): (Instant, HostId),
        message: &Arc<Message>,
        load: Load,
        reached: &mut Vec<(Instant, HostId)>,
    ) {
        let Some(hosts) = self.subscribers.get(&message.topic) else { return };
        let before = reached.len();
        for &to in hosts.iter().filter(|&&to| self.echo || to != from) {
            if happens(&mut self.rng, self.faults.loss) {
                self.stats.lost += 1;
                continue;
            }
            match self.links.crossing(from, to) {
                Some(CutKind::Drop) => {
                    self.stats.lost += 1;
                    continue;
                }
                Some(CutKind::Hold) => {
                    self.held.push((from, to, message.clone()));
                    continue;
                }
                None => {}
            }
            let per_delivery = self.limits.receive_counting == ReceiveCounting::PerDelivery;
            if per_delivery && !self.usage.take_receive(&self.limits, load, now, &message.topic) {
                self.stats.lost += 1;
                continue;
            }
            let copies = 1 + u32::from(happens(&mut self.rng, self.faults.duplication));
            for _ in 0..copies {
                reached.push((now + self.faults.delay.draw(&mut self.rng), to));
            }
        }
        self.stats.deliveries += (reached.len() - before) as u64;
    }

    /// What waited at links that are clogged no more.
    pub(crate) fn take_released(&mut self, now: Instant) -> Vec<(Instant, HostId, Arc<Message>)> {
        if self.held.is_empty() {
            return Vec::new();
        }
        let links = &self.links;
        let (rest, free): (Vec<_>, Vec<_>) =
            self.held.drain(..).partition(|(from, to, _)| links.crossing(*from, *to) == Some(CutKind::Hold));
        self.held = rest;
        let passing = free.into_iter().filter(|(from, to, _)| self.links.crossing(*from, *to).is_none());
        let released: Vec<_> = passing
            .map(|(_, to, message)| (now + self.faults.delay.draw(&mut self.rng), to, message))
            .collect();
        self.stats.deliveries += released.len() as u64;
        released
    }
}
