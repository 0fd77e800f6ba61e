//! Increments a second of one record: save data beside a compare-and-swap an increment, over the same store.

use std::rc::Rc;
use std::sync::Arc;

use tokio::runtime::Runtime;
use transport_traits::{DataStore, RecordKey};

use super::{Rate, Rival, runtime};
use crate::measure::interleaved;
use crate::{Figure, Run, compare};

/// Increments of ours in a round; the rival makes as many as take about as long.
const OURS: usize = 100_000;

/// Timed rounds of a full run.
const ROUNDS: usize = 24;

/// Two records in one store: ours and the rival's. Everything of the two runs on one thread.
pub struct Pair {
    ours: Rate,
    rival: Rival,
}

impl Pair {
    /// Connects to a store that is new, and opens both records.
    ///
    /// # Panics
    /// If there is no connection, or the store takes no records.
    #[must_use]
    pub fn new<S, E>(connect: impl Future<Output = Result<S, E>>) -> Self
    where
        S: DataStore + 'static,
        E: std::fmt::Debug,
    {
        let runtime: Rc<Runtime> = Rc::new(runtime());
        let store: Arc<dyn DataStore> = Arc::new(runtime.block_on(connect).expect("the store answers"));
        let key = |name| RecordKey::new("players", name);
        let ours = Rate::new(&runtime, store.clone(), key("ours"));
        Self { ours, rival: Rival::new(&runtime, store, key("rival")) }
    }

    /// Makes increments, all durable at the end.
    ///
    /// # Panics
    /// If the store does not take them.
    pub fn run(&self, ours: u64, rivals: u64) {
        self.ours.run(ours);
        self.rival.run(rivals);
    }

    /// What the two records hold.
    ///
    /// # Panics
    /// If the store does not answer.
    #[must_use]
    pub fn values(&self) -> [Option<u64>; 2] {
        [self.ours.value(), self.rival.value()]
    }

    /// Durable increments a second of ours beside the rival's, who makes `rivals` a round. The records must be new.
    ///
    /// # Panics
    /// If an increment is lost or doubled.
    #[must_use]
    pub fn increments_a_second(&self, run: &Run, store: &str, rivals: usize) -> Figure {
        let counts = [OURS, rivals].map(|count| run.items(count));
        let [ours, rivals] = counts.map(|count| count as u64);
        let rounds = run.rounds(ROUNDS);
        let samples = interleaved(rounds, &mut [&mut || self.ours.run(ours), &mut || self.rival.run(rivals)]);
        let all = |count| Some((rounds as u64 + 1) * count);
        assert_eq!(self.values(), [all(ours), all(rivals)], "no increment is lost or doubled");
        let name = format!("increments a second, durable, {store}, beside awaited compare-and-swap");
        compare::rates(name, &samples, [0, 1], counts)
    }
}
