//! A configuration checked against the bus, with everything derived that does not change.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::limits::{Content, FleetRate, ReceiveCounting, SizeLimit};
use transport_traits::{BusLimits, Instant, TokenBucket, Topic};

use super::pacing::Buckets;
use crate::error::check_batch;
use crate::wire::{
    AROUND_HEADER, Costs, Form, HEADER_TOPIC, Header, MAX_INCARNATION, MAX_SEQUENCE, PLAIN_FIXED, Sizes,
    Tariff, check_sender, json_len, opening,
};
use crate::{Budget, Config, ConfigError, Format, Fragmentation, Profile, Refusal};

/// The largest frame where the bus has no limit or a larger one.
const DEFAULT_FRAME: usize = 1 << 20;

/// The smallest room for a body that is worth running.
const MIN_BODY: usize = 16;

/// The greatest `max_in_flight`.
pub(crate) const MAX_IN_FLIGHT: usize = 64;

/// The greatest number of lanes.
const MAX_LANES: usize = 64;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) sender: Arc<str>,
    pub(crate) incarnation: u64,
    costs: Costs,
    pub(crate) tariff: Tariff,
    /// The largest frame; in the strict profile the threshold that only a message alone exceeds.
    pub(crate) frame: SizeLimit,
    /// The largest frame of one message in the strict profile.
    alone: SizeLimit,
    /// What users of the decorator are told.
    pub(crate) limits: BusLimits,
}

impl Settings {
    pub(crate) fn new(
        config: Config,
        bus: &BusLimits,
        random: &mut fastrand::Rng,
    ) -> Result<Self, ConfigError> {
        check_ranges(&config)?;
        check_profile(&config)?;
        for topic in real_topics(&config) {
            bus.topic
                .map_or(Ok(()), |limit| limit.check("topic", topic.as_bytes()))
                .map_err(ConfigError::Topic)?;
        }
        let frame = frame_limit(&config, bus)?;
        check_range(
            "max_queued_bytes",
            config.max_queued_bytes,
            frame.max..=usize::MAX,
            "one frame or more",
        )?;
        let sender = sender(&config, random)?;
        let alone = bus.body.unwrap_or(SizeLimit::bytes(DEFAULT_FRAME));
        let (costs, limits) = (Costs::new(frame.counting), BusLimits::default());
        let tariff = tariff(config.format, frame, bus.content);
        let incarnation = config.incarnation.unwrap_or(0);
        let mut settings = Self { costs, tariff, config, sender, incarnation, frame, alone, limits };
        settings.limits = settings.own_limits(bus)?;
        Ok(settings)
    }

    /// What surely fits alone in a frame, whatever the sequence and whatever topic within its limit.
    fn own_limits(&self, bus: &BusLimits) -> Result<BusLimits, ConfigError> {
        let topic = self.config.max_topic_bytes;
        let room = match self.tariff {
            Tariff::Nexus(costs) => {
                let around = costs.frame() + self.fixed_cost(self.longest_header().as_deref());
                self.frame.max.checked_sub(around)
            }
            Tariff::Compact(sizes) => sizes.room(),
        };
        let body = room
            .and_then(|room| room.checked_sub(self.tariff.topic_at_most(topic)))
            .filter(|&body| body >= MIN_BODY)
            .ok_or_else(|| self.too_small())?;
        let mut limits = BusLimits::default();
        limits.body = Some(match self.tariff {
            Tariff::Nexus(costs) => SizeLimit { max: body + costs.frame(), counting: self.frame.counting },
            Tariff::Compact(sizes) => sizes.body_limit(body),
        });
        if let Some(bounds) = self.config.fragmentation {
            self.check_fragmentation(&bounds, body)?;
            limits.body = Some(SizeLimit::bytes(bounds.max_message_bytes));
        }
        limits.content = self.tariff.content();
        limits.topic = Some(SizeLimit::json_encoded(topic));
        limits.receive_counting = bus.receive_counting;
        Ok(limits)
    }

    /// `body` is what a body costs at most under the longest topic.
    fn check_fragmentation(&self, bounds: &Fragmentation, body: usize) -> Result<(), ConfigError> {
        if self.is_strict() {
            return Err(ConfigError::NotStrict("fragments"));
        }
        // Besides its part a fragment costs 32 at most, and a byte of a part 4: a quotation mark with both escapes.
        let part = body.checked_sub(32).filter(|&part| part >= 64).ok_or_else(|| self.too_small())? / 4;
        let config = &self.config;
        let most = (config.max_queued_bytes / 4).min(config.max_queued_messages.saturating_mul(part));
        let queue = "what the queue holds in fragments";
        check_range("max_message_bytes", bounds.max_message_bytes, 1..=most, queue)?;
        check_range("max_partial_messages", bounds.max_partial_messages, 1..=usize::MAX, "1 or more")?;
        let two = bounds.max_message_bytes.saturating_mul(2);
        check_range("max_partial_bytes", bounds.max_partial_bytes, two..=usize::MAX, "two messages or more")
    }

    fn too_small(&self) -> ConfigError {
        ConfigError::BatchTooSmall {
            max: self.frame.max,
            counting: self.frame.counting,
            topic: self.config.max_topic_bytes,
        }
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.config.profile == Profile::StrictNexus
    }

    /// Whether inner topics wait for frames in flight.
    pub(crate) fn waits(&self) -> bool {
        self.config.original_receivers && !self.is_strict()
    }

    /// The real topics, a lane each.
    pub(crate) fn real_topics(&self) -> impl Iterator<Item = Topic> {
        real_topics(&self.config)
    }

    /// The header of a frame, or of a head; the strict profile has none.
    pub(crate) fn header(&self, lane: usize, sequence: u64, pending: u64, head: bool) -> Option<Header> {
        let (sender, incarnation) = (self.sender.clone(), self.incarnation);
        let lane = u16::try_from(lane).expect("there are few lanes");
        (!self.is_strict()).then_some(Header { sender, incarnation, lane, sequence, pending, head })
    }

    /// The longest header that a frame can have.
    fn longest_header(&self) -> Option<String> {
        let lane = usize::from(self.config.lanes) - 1;
        self.header(lane, MAX_SEQUENCE, MAX_IN_FLIGHT as u64 - 1, false).map(|header| header.to_text())
    }

    /// What a frame costs beside its groups, apart from [`Costs::frame`].
    fn fixed_cost(&self, header: Option<&str>) -> usize {
        // However the bus counts, a character of a header is one: it is ASCII, and JSON escapes none of it.
        header.map_or(PLAIN_FIXED, |header| self.costs.text(AROUND_HEADER) + header.len())
    }

    /// What groups may cost together in a frame with the header of this text.
    pub(crate) fn room(&self, header: Option<&str>) -> usize {
        self.frame.max - self.costs.frame() - self.fixed_cost(header)
    }

    /// What groups may cost together in any frame.
    pub(crate) fn least_room(&self) -> usize {
        match self.tariff {
            Tariff::Nexus(_) => self.room(self.longest_header().as_deref()),
            Tariff::Compact(sizes) => sizes.room().expect("the limits were computed from it"),
        }
    }

    /// What a body may cost in a frame of its own under this topic, and how that is counted. `room` is what groups may
    /// cost in any frame, `topic_cost` what all around the topic's messages costs.
    pub(crate) fn body_limit(&self, room: usize, topic: &Topic, topic_cost: usize) -> (Tariff, usize) {
        if !self.is_strict() {
            return (self.tariff, room.saturating_sub(topic_cost));
        }
        let costs = Costs::new(self.alone.counting);
        let around = costs.frame() + PLAIN_FIXED + costs.text(&opening(topic)) + costs.text(b"]");
        (Tariff::Nexus(costs), self.alone.max.saturating_sub(around))
    }

    /// Checks the name of an inner topic, and says how long its JSON form is.
    pub(crate) fn check_topic(&self, topic: &str) -> Result<usize, Refusal> {
        let (size, limit) = (json_len(topic), self.config.max_topic_bytes);
        if topic == HEADER_TOPIC {
            return Err(Refusal::ReservedTopic);
        }
        if size > limit { Err(Refusal::Topic { size, limit }) } else { Ok(size) }
    }

    /// This server's budgets, full at `now`.
    pub(crate) fn buckets(&self, bus: &BusLimits, now: Instant) -> Result<Buckets, ConfigError> {
        let bucket = |(publishes, window)| {
            let works = publishes >= 2 && window >= Duration::from_micros(1);
            works.then(|| TokenBucket::for_share(publishes, window, now)).ok_or(ConfigError::Budget)
        };
        let (lane, shared) = match self.config.budget {
            Budget::Unlimited => (None, Vec::new()),
            Budget::AtMost { publishes, window } => (None, vec![(publishes, window)]),
            Budget::FromLimits => shares(bus)?,
        };
        let lane = lane.map(bucket).transpose()?;
        let lanes = lane.map_or(Vec::new(), |bucket| vec![bucket; usize::from(self.config.lanes)]);
        Ok(Buckets { lanes, shared: shared.into_iter().map(bucket).collect::<Result<_, _>>()? })
    }
}

/// Publishes and the window in which they are made.
type Share = (u32, Duration);

/// This server's share of what one topic may carry, and of what all may carry together.
fn shares(bus: &BusLimits) -> Result<(Option<Share>, Vec<Share>), ConfigError> {
    let receives = bus.receive_topic.is_some() || bus.receive_total.is_some();
    if receives && bus.receive_counting == ReceiveCounting::PerDelivery {
        return Err(ConfigError::NoShare);
    }
    let share = |rate: FleetRate| (rate.share(), rate.window);
    let shared = [bus.receive_total, bus.send].into_iter().flatten().map(share).collect();
    Ok((bus.receive_topic.map(share), shared))
}

/// The configured topic, and for further lanes the same with `-1`, `-2` and so on.
fn real_topics(config: &Config) -> impl Iterator<Item = Topic> {
    let name = config.topic.clone();
    (0..config.lanes).map(move |lane| if lane == 0 { name.clone() } else { format!("{name}-{lane}").into() })
}

/// The strict profile is the original's: one real topic.
fn check_profile(config: &Config) -> Result<(), ConfigError> {
    if config.profile != Profile::StrictNexus {
        return Ok(());
    }
    if config.lanes > 1 {
        return Err(ConfigError::NotStrict("lanes"));
    }
    if config.format == Format::Nexus { Ok(()) } else { Err(ConfigError::NotStrict("other format")) }
}

/// What the frames of this format cost on a bus for this content.
fn tariff(format: Format, frame: SizeLimit, content: Content) -> Tariff {
    match (format, content) {
        (Format::Nexus, _) => Tariff::Nexus(Costs::new(frame.counting)),
        (Format::Compact, Content::Binary) => Tariff::Compact(Sizes::new(Form::Binary, frame)),
        (Format::Compact, Content::Text) | (Format::CompactText, _) => {
            Tariff::Compact(Sizes::new(Form::Text, frame))
        }
    }
}

fn frame_limit(config: &Config, bus: &BusLimits) -> Result<SizeLimit, ConfigError> {
    if let Some(wanted) = config.max_batch_bytes {
        check_batch(wanted, bus.body)?;
        return Ok(wanted);
    }
    let bus = bus.body.unwrap_or(SizeLimit::bytes(DEFAULT_FRAME));
    Ok(SizeLimit { max: bus.max.min(DEFAULT_FRAME), ..bus })
}

fn sender(config: &Config, random: &mut fastrand::Rng) -> Result<Arc<str>, ConfigError> {
    match &config.sender {
        Some(name) if !check_sender(name) => Err(ConfigError::Sender(name.to_string())),
        Some(name) => Ok(name.clone()),
        None => Ok(random_name(random)),
    }
}

/// 48 random bits, six to a character.
fn random_name(random: &mut fastrand::Rng) -> Arc<str> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let name: String = (0..8).map(|_| char::from(ALPHABET[random.usize(..64)])).collect();
    name.into()
}

fn check_ranges(config: &Config) -> Result<(), ConfigError> {
    if let Some(incarnation) = config.incarnation.filter(|&incarnation| incarnation > MAX_INCARNATION) {
        return Err(ConfigError::Incarnation(incarnation));
    }
    check_range("max_in_flight", config.max_in_flight, 1..=MAX_IN_FLIGHT, "1 to 64")?;
    check_range("lanes", config.lanes.into(), 1..=MAX_LANES, "1 to 64")?;
    check_range("max_topic_bytes", config.max_topic_bytes, 3..=65_536, "3 to 65,536")?;
    let micros = |wait: Duration| usize::try_from(wait.as_micros()).unwrap_or(usize::MAX);
    let at_least_one = [
        ("retry_backoff", micros(config.retry_backoff)),
        ("max_retry_backoff", micros(config.max_retry_backoff)),
        ("max_queued_messages", config.max_queued_messages),
        ("max_senders", config.max_senders),
        ("max_held_frames", config.max_held_frames),
        ("max_held_bytes", config.max_held_bytes),
        ("max_inbox_messages", config.max_inbox_messages),
        ("max_inbox_bytes", config.max_inbox_bytes),
    ];
    at_least_one
        .into_iter()
        .try_for_each(|(name, value)| check_range(name, value, 1..=usize::MAX, "1 or more"))
}

fn check_range(
    name: &'static str,
    value: usize,
    allowed: std::ops::RangeInclusive<usize>,
    range: &'static str,
) -> Result<(), ConfigError> {
    if allowed.contains(&value) { Ok(()) } else { Err(ConfigError::OutOfRange { name, value, range }) }
}
