//! Rates hold in every sliding window, and are not stricter than that.

use std::time::Duration;

use futures::executor::block_on;
use proptest::prelude::*;
use transport_traits::limits::{FleetRate, Throughput};
use transport_traits::{DataStore, ErrorKind, Instant, Precondition, Record, Timer};

use crate::support::{bus, kind, player, publish, read, store, subscribe};

/// The definition of a rate, by brute force.
struct Oracle {
    allowed: u64,
    window: Duration,
    taken: Vec<(Instant, u64)>,
}

impl Oracle {
    fn new(allowed: u64, window: Duration) -> Self {
        Self { allowed, window, taken: Vec::new() }
    }

    /// What was taken in the window that ends at `end`, as far as it is known now.
    fn used(&self, end: Instant) -> u64 {
        let within = |at: Instant| at <= end && at + self.window > end;
        self.taken.iter().filter(|(at, _)| within(*at)).map(|(_, amount)| amount).sum()
    }

    /// How long to wait at `now` until `amount` fits.
    fn wait(&self, now: Instant, amount: u64) -> Duration {
        let ends = self.taken.iter().map(|(at, _)| *at + self.window).filter(|end| *end > now);
        let mut then: Vec<_> = ends.chain([now]).collect();
        then.sort_unstable();
        let fits = then.into_iter().find(|end| self.used(*end) + amount <= self.allowed);
        fits.expect("it fits into an empty window").since(now)
    }

    /// Takes one from both, or, if it does not fit into both, none: how long to wait then.
    fn take_both(&mut self, other: &mut Self, now: Instant) -> Duration {
        let wait = self.wait(now, 1).max(other.wait(now, 1));
        if wait.is_zero() {
            self.taken.push((now, 1));
            other.taken.push((now, 1));
        }
        wait
    }

    fn expect(&mut self, now: Instant, amount: u64) -> Option<ErrorKind> {
        let wait = self.wait(now, amount);
        if wait > Duration::ZERO {
            return Some(ErrorKind::Throttled { retry_after: Some(wait) });
        }
        self.taken.push((now, amount));
        None
    }

    fn holds(&self) -> bool {
        self.taken.iter().all(|(end, _)| self.used(*end) <= self.allowed)
    }
}

fn pauses() -> impl Strategy<Value = Vec<Duration>> {
    // Pauses of zero, of a whole window and around it are likely.
    let micros = prop_oneof![Just(0), 0..400_u64, 900..1_100_u64, Just(1_000)];
    prop::collection::vec(micros.prop_map(Duration::from_micros), 1..80)
}

const WINDOW: Duration = Duration::from_millis(1);

const fn rate(base: u32) -> Option<FleetRate> {
    Some(FleetRate { base, per_server: 0, per_player: 0, window: WINDOW })
}

proptest! {
    #[test]
    fn a_send_rate_is_kept_to_the_request(allowed in 1..5_u32, pauses in pauses()) {
        let (bus, timer) = bus(|limits| limits.send = rate(allowed));
        let server = bus.join();
        let mut oracle = Oracle::new(allowed.into(), WINDOW);
        for pause in pauses {
            timer.advance(pause);
            let expected = oracle.expect(timer.now(), 1);
            prop_assert_eq!(kind(publish(&server, "news", "x")), expected);
        }
        prop_assert!(oracle.holds());
    }

    #[test]
    fn receive_rates_of_topics_and_in_all_are_kept_to_the_message(
        per_topic in 1..4_u32,
        total in 1..6_u32,
        pauses in pauses(),
        topics in prop::collection::vec(0..2_usize, 80),
    ) {
        let (bus, timer) = bus(|limits| {
            limits.receive_topic = rate(per_topic);
            limits.receive_total = rate(total);
        });
        let server = bus.join();
        let mut listeners = ["a", "b"].map(|topic| subscribe(&server, topic));
        let mut by_topic = [(); 2].map(|()| Oracle::new(per_topic.into(), WINDOW));
        let mut in_all = Oracle::new(total.into(), WINDOW);
        for (pause, topic) in pauses.into_iter().zip(topics) {
            timer.advance(pause);
            let fits = by_topic[topic].take_both(&mut in_all, timer.now()).is_zero();
            publish(&server, ["a", "b"][topic], "x").unwrap();
            prop_assert_eq!(read(&mut listeners[topic]), [if fits { "x" } else { "GAP" }]);
        }
        prop_assert!(in_all.holds() && by_topic.iter().all(Oracle::holds));
    }

    #[test]
    fn rates_of_a_server_and_of_the_application_hold_together(
        reads in 1..4_u32,
        requests in 1..6_u32,
        pauses in pauses(),
        servers in prop::collection::vec(0..2_usize, 80),
    ) {
        let (store, timer) = store(|limits| {
            limits.reads = rate(reads);
            limits.requests = rate(requests);
        });
        let stores = [store.clone(), store.join()];
        let mut own = [(); 2].map(|()| Oracle::new(reads.into(), WINDOW));
        let mut together = Oracle::new(requests.into(), WINDOW);
        for (pause, server) in pauses.into_iter().zip(servers) {
            timer.advance(pause);
            let wait = own[server].take_both(&mut together, timer.now());
            let expected =
                (!wait.is_zero()).then_some(ErrorKind::Throttled { retry_after: Some(wait) });
            prop_assert_eq!(kind(block_on(stores[server].get(player("ann")))), expected);
        }
        prop_assert!(together.holds() && own.iter().all(Oracle::holds));
    }

    #[test]
    fn a_keys_throughput_is_kept_to_the_byte(
        pauses in pauses(),
        sizes in prop::collection::vec(2..50_usize, 80),
    ) {
        let (store, timer) = store(|limits| {
            limits.key_writes = Some(Throughput { bytes: 100, granularity: 10, window: WINDOW });
        });
        let mut oracle = Oracle::new(100, WINDOW);
        for (pause, size) in pauses.into_iter().zip(sizes) {
            timer.advance(pause);
            let expected = oracle.expect(timer.now(), (size as u64).div_ceil(10) * 10);
            let record = Record::new(format!("{{{}}}", " ".repeat(size - 2)));
            let put = store.put(player("ann"), record, Precondition::Always);
            prop_assert_eq!(kind(block_on(put)), expected);
        }
        prop_assert!(oracle.holds());
    }
}
