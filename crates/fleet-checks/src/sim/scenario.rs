//! What a fleet has to live through.

use std::collections::BTreeMap;
use std::time::Duration;

use bulk_messaging::Format;
use fleet_sim::{BusFaults, Delay, StoreFaults};

/// A time of trouble. Afterwards everything works, and must come right.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scenario {
    /// Servers at the beginning.
    pub servers: usize,
    /// Records that all of them share.
    pub records: usize,
    /// How long the trouble lasts, s.
    pub seconds: u64,
    /// For how long at its end nobody does anything, s: whatever is lost then is followed by nothing that would tell.
    pub lull: u64,
    /// Deeds a second of all servers together.
    pub deeds: u32,
    /// How long numbered messages are made, bytes.
    pub message_bytes: usize,
    /// What the bus does.
    pub bus: BusFaults,
    /// What the store does.
    pub store: StoreFaults,
    /// The chance a second that the store is away, for up to 45 s.
    pub outage: f64,
    /// The chance a second that a server crashes. Two of three start again within a minute.
    pub crash: f64,
    /// The chance a second that a server leaves in good order. It starts again as after a crash.
    pub leave: f64,
    /// The chance a second that a server stands still.
    pub pause: f64,
    /// For how long at most.
    pub pause_most: Duration,
    /// The chance a second that the fleet is cut in two, for up to 15 s, in one direction or in both.
    pub cut: f64,
    /// The chance a second that a clock jumps by up to 30 s.
    pub jump: f64,
    /// The chance a second that the bus carries nothing at all, for up to 45 s.
    pub silence: f64,
    /// The chance a second that a server's connection to the bus breaks and is made anew.
    pub reconnect: f64,
    /// How long save data may be wrong where nobody lives who could tell, since a server wrote and crashed before it said so:
    /// how often records are looked at in any case.
    pub revalidate: Duration,
    /// Writers that a record remembers in its metadata.
    pub writers: usize,
    /// Over how many real topics messages are spread.
    pub lanes: u16,
    /// How frames are written.
    pub format: Format,
    /// Messages that are too long for a frame are split, and not refused.
    pub split: bool,
    /// Servers have a pool. Its heartbeats follow all that is said, and tell where something is missing.
    pub pools: bool,
    /// Servers read and write checkpoints of their pool.
    pub checkpoints: bool,
    /// What the bus has no budget for is lost without a word, and not refused.
    pub drops: bool,
}

impl Scenario {
    /// The scenario of these numbers, by the names that scripts have for them.
    pub(super) fn new(drawn: &BTreeMap<&str, f64>) -> Self {
        let amount = |name: &str| drawn[name];
        let delay = |time: &str, shape: &str| delay(amount(time), amount(shape));
        let mut bus = BusFaults::default();
        (bus.delay, bus.accept) = (delay("delay_ms", "delay_shape"), delay("accept_ms", "accept_shape"));
        (bus.loss, bus.duplication) = (amount("loss"), amount("duplication"));
        (bus.failure, bus.unknown) = (amount("failure"), amount("unknown"));
        let mut store = StoreFaults::default();
        (store.unavailable, store.throttled) = (amount("unavailable"), amount("throttled"));
        (store.conflict, store.unknown_before) = (amount("conflict"), amount("unknown_before"));
        (store.unknown_after, store.unknown_late) = (amount("unknown_after"), amount("unknown_late"));
        store.latency = delay("latency_ms", "latency_shape");
        store.timeout = Delay::Fixed(Duration::from_secs(2));
        store.lateness = Delay::Between(Duration::ZERO, Duration::from_secs(8));
        Self {
            servers: (amount("servers") as usize).max(1),
            records: (amount("records") as usize).max(1),
            seconds: amount("seconds") as u64,
            lull: amount("lull_s") as u64,
            deeds: (amount("deeds") as u32).max(1),
            message_bytes: amount("message_bytes") as usize,
            bus,
            store,
            outage: amount("outage"),
            crash: amount("crash"),
            leave: amount("leave"),
            pause: amount("pause"),
            pause_most: Duration::from_secs_f64(amount("pause_s")),
            cut: amount("cut"),
            jump: amount("jump"),
            silence: amount("silence"),
            revalidate: Duration::from_secs_f64(amount("revalidate_s").max(1.0)),
            reconnect: amount("reconnect"),
            writers: (amount("writers") as usize).max(1),
            lanes: (amount("lanes") as u16).clamp(1, 64),
            format: [Format::Nexus, Format::Compact, Format::CompactText][(amount("format") as usize).min(2)],
            split: amount("split") >= 0.5,
            pools: amount("pools") >= 0.5,
            checkpoints: amount("checkpoints") >= 0.5,
            drops: amount("drops") >= 0.5,
        }
    }

    /// Whether every server hears every other within a moment, so that nobody may be taken for dead who lives.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.pause == 0.0 && self.cut == 0.0
    }

    /// Whether every message that the bus has taken comes to every server, and none so late that it counts as lost, and every
    /// server hears all of every other's life.
    #[must_use]
    pub fn is_lossless(&self) -> bool {
        let ends = self.crash + self.leave;
        let is_even = matches!(self.bus.delay, Delay::Fixed(_));
        is_even && self.is_connected() && self.bus.loss + self.silence + self.reconnect + ends == 0.0
    }
}

/// Shape 0 is always the same, 1 is anything up to twice as long, 2 has a long tail up to 5 s.
fn delay(millis: f64, shape: f64) -> Delay {
    let time = Duration::from_secs_f64(millis / 1_000.0);
    match shape as u32 {
        0 => Delay::Fixed(time),
        1 => Delay::Between(Duration::from_millis(1), 2 * time),
        _ => Delay::LongTail { median: time, most: Duration::from_secs(5) },
    }
}
