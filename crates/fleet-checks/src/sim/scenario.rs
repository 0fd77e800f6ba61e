//! What a fleet has to live through, as data drawn from a seed.

use std::time::Duration;

use fleet_sim::{BusFaults, Delay, StoreFaults};

/// A time of trouble. Afterwards everything works, and must come right.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Servers at the beginning.
    pub servers: usize,
    /// Records that all of them share.
    pub records: usize,
    /// How long the trouble lasts, s.
    pub seconds: u64,
    /// Deeds a second of all servers together.
    pub deeds: u32,
    /// What the bus does.
    pub bus: BusFaults,
    /// What the store does.
    pub store: StoreFaults,
    /// The chance a second that a server crashes. It starts again a few seconds later.
    pub crash: f64,
    /// The chance a second that a server stands still for up to 20 s.
    pub pause: f64,
    /// The chance a second that the fleet is cut in two, for up to 15 s, in one direction or in both.
    pub cut: f64,
    /// The chance a second that a clock jumps by up to 30 s.
    pub jump: f64,
}

impl Scenario {
    /// The swarm: every rate is drawn, and each kind of trouble is left out in about half of the seeds, since too much of
    /// one hides the rest.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x5ce0_a510);
        let mut rate = |most: f64| if rng.bool() { 0.0 } else { rng.f64() * most };
        let mut bus = BusFaults::default();
        (bus.loss, bus.duplication, bus.failure, bus.unknown) = (rate(0.2), rate(0.2), rate(0.2), rate(0.1));
        let mut store = StoreFaults::default();
        (store.unavailable, store.throttled, store.conflict) = (rate(0.3), rate(0.2), rate(0.2));
        (store.unknown_before, store.unknown_after, store.unknown_late) = (rate(0.1), rate(0.1), rate(0.1));
        let (crash, pause, cut, jump) = (rate(0.08), rate(0.05), rate(0.05), rate(0.1));
        let delay = |rng: &mut fastrand::Rng, most: u64| match rng.u32(..3) {
            0 => Delay::Fixed(Duration::from_millis(rng.u64(1..most))),
            1 => Delay::Between(Duration::from_millis(1), Duration::from_millis(rng.u64(1..2 * most))),
            _ => Delay::LongTail {
                median: Duration::from_millis(rng.u64(1..most)),
                most: Duration::from_secs(5),
            },
        };
        (bus.delay, bus.accept) = (delay(&mut rng, 400), delay(&mut rng, 200));
        store.latency = delay(&mut rng, 150);
        (store.timeout, store.lateness) =
            (Delay::Fixed(Duration::from_secs(2)), Delay::Between(Duration::ZERO, Duration::from_secs(8)));
        Self {
            servers: rng.usize(2..8),
            records: rng.usize(1..4),
            seconds: rng.u64(30..90),
            deeds: rng.u32(1..12),
            bus,
            store,
            crash,
            pause,
            cut,
            jump,
        }
    }

    /// Whether every server hears every other within a moment, so that nobody may be taken for dead who lives.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.pause == 0.0 && self.cut == 0.0
    }
}
