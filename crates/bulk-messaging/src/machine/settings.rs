//! A configuration checked against the bus, with everything derived that does not change.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::limits::{Content, FleetRate, ReceiveCounting, SizeLimit};
use transport_traits::{BusLimits, Instant, TokenBucket};

use crate::error::check_batch;
use crate::wire::{Costs, HEADER_TOPIC, Header, MAX_INCARNATION, MAX_SEQUENCE, check_sender, opening};
use crate::{Budget, Config, ConfigError};

/// The largest frame where the bus has no limit or a larger one.
const DEFAULT_FRAME: usize = 1 << 20;

/// The smallest room for a body that is worth running.
const MIN_BODY: usize = 16;

/// The greatest `max_in_flight`.
pub(crate) const MAX_IN_FLIGHT: usize = 64;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) sender: Arc<str>,
    pub(crate) costs: Costs,
    pub(crate) frame: SizeLimit,
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
        bus.topic
            .map_or(Ok(()), |limit| limit.check("topic", config.topic.as_bytes()))
            .map_err(ConfigError::Topic)?;
        let frame = frame_limit(&config, bus)?;
        check_range(
            "max_queued_bytes",
            config.max_queued_bytes,
            frame.max..=usize::MAX,
            "one frame or more",
        )?;
        let sender = sender(&config, random)?;
        let mut settings =
            Self { costs: Costs::new(frame.counting), config, sender, frame, limits: BusLimits::default() };
        settings.limits = settings.own_limits(bus)?;
        Ok(settings)
    }

    /// What surely fits alone in a frame, whatever the sequence and whatever topic within its limit.
    fn own_limits(&self, bus: &BusLimits) -> Result<BusLimits, ConfigError> {
        let topic = self.config.max_topic_bytes;
        let around = self.costs.text(&opening("")) - self.costs.text(b"\"\"") + self.costs.text(b"]");
        let needed = self.costs.frame()
            + self.fixed_cost(&self.longest_header())
            + around
            + self.costs.topic_at_most(topic);
        let too_small =
            ConfigError::BatchTooSmall { max: self.frame.max, counting: self.frame.counting, needed };
        let body = self.frame.max.checked_sub(needed).filter(|&body| body >= MIN_BODY).ok_or(too_small)?;
        let mut limits = BusLimits::default();
        limits.body = Some(SizeLimit { max: body + self.costs.frame(), counting: self.frame.counting });
        limits.content = Content::Text;
        limits.topic = Some(SizeLimit::json_encoded(topic));
        limits.receive_counting = bus.receive_counting;
        Ok(limits)
    }

    /// The header of a frame, or of a head.
    pub(crate) fn header(&self, sequence: u64, pending: u64, head: bool) -> Header {
        let (sender, incarnation) = (self.sender.clone(), self.config.incarnation);
        Header { sender, incarnation, lane: 0, sequence, pending, head }
    }

    /// The longest header that a frame can have.
    fn longest_header(&self) -> Header {
        self.header(MAX_SEQUENCE, MAX_IN_FLIGHT as u64 - 1, false)
    }

    /// What a frame costs beside its groups, apart from [`Costs::frame`].
    fn fixed_cost(&self, header: &Header) -> usize {
        let entry = format!("{{\"{HEADER_TOPIC}\":[\"{}\"]}}", header.to_text());
        self.costs.text(entry.as_bytes())
    }

    /// What groups may cost together in a frame with this header.
    pub(crate) fn room(&self, header: &Header) -> usize {
        self.frame.max - self.costs.frame() - self.fixed_cost(header)
    }

    /// What groups may cost together in any frame.
    pub(crate) fn least_room(&self) -> usize {
        self.room(&self.longest_header())
    }

    /// This server's budget, full at `now`.
    pub(crate) fn bucket(&self, bus: &BusLimits, now: Instant) -> Result<Option<TokenBucket>, ConfigError> {
        let share = match self.config.budget {
            Budget::Unlimited => None,
            Budget::AtMost { publishes, window } => Some((publishes, window)),
            Budget::FromLimits => share(bus)?,
        };
        let Some((publishes, window)) = share else { return Ok(None) };
        if publishes < 2 || window < Duration::from_micros(1) {
            return Err(ConfigError::Budget);
        }
        Ok(Some(TokenBucket::for_share(publishes, window, now)))
    }
}

/// The share whose rate is the smallest.
fn share(bus: &BusLimits) -> Result<Option<(u32, Duration)>, ConfigError> {
    let receives = bus.receive_topic.is_some() || bus.receive_total.is_some();
    if receives && bus.receive_counting == ReceiveCounting::PerDelivery {
        return Err(ConfigError::NoShare);
    }
    let per_second = |rate: &FleetRate| f64::from(rate.share()) / rate.window.as_secs_f64();
    let rates = [bus.receive_topic, bus.receive_total, bus.send];
    let smallest = rates.into_iter().flatten().min_by(|a, b| per_second(a).total_cmp(&per_second(b)));
    Ok(smallest.map(|rate| (rate.share(), rate.window)))
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
    if config.incarnation > MAX_INCARNATION {
        return Err(ConfigError::Incarnation(config.incarnation));
    }
    check_range("max_in_flight", config.max_in_flight, 1..=MAX_IN_FLIGHT, "1 to 64")?;
    check_range("max_topic_bytes", config.max_topic_bytes, 3..=65_536, "3 to 65,536")?;
    let at_least_one = [
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
