//! Increments a second: save data over an adapter, beside a compare-and-swap an increment over the same adapter.

use std::rc::Rc;
use std::sync::Arc;

use benches::measure::interleaved;
use benches::saves::{Rate, Rival, runtime};
use benches::{Figure, Goal, Run};
use tokio::runtime::Runtime;
use transport_traits::{DataStore, RecordKey};

/// Increments of ours in a round; the rival makes as many as take about as long.
const OURS: usize = 100_000;

/// Two records in one store: ours and the rival's. Everything of the two runs on one thread.
pub struct Pair {
    ours: Rate,
    rival: Rival,
}

impl Pair {
    /// Connects, and opens both records.
    ///
    /// # Panics
    /// If the server does not answer.
    #[must_use]
    pub fn new<S, E>(connect: impl Future<Output = Result<S, E>>) -> Self
    where
        S: DataStore + 'static,
        E: std::fmt::Debug,
    {
        let runtime: Rc<Runtime> = Rc::new(runtime());
        let store: Arc<dyn DataStore> = Arc::new(runtime.block_on(connect).expect("the server answers"));
        let key = |name| RecordKey::new("players", name);
        let ours = Rate::on(&runtime, store.clone(), key("ours"));
        Self { ours, rival: Rival::on(&runtime, store, key("rival")) }
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
}

/// Increments a second of ours beside the rival's, who makes `rivals` a round.
///
/// # Panics
/// If an increment is lost or doubled.
#[must_use]
pub fn figure(run: &Run, name: &str, pair: &Pair, rivals: usize) -> Figure {
    let [ours, rivals] = [OURS, rivals].map(|count| run.items(count) as u64);
    let rounds = run.rounds(24);
    let samples = interleaved(rounds, &mut [&mut || pair.ours.run(ours), &mut || pair.rival.run(rivals)]);
    let all = |count| Some((rounds as u64 + 1) * count);
    assert_eq!(pair.values(), [all(ours), all(rivals)], "no increment is lost or doubled");
    let a_second = |subject, count| count as f64 / samples.median(subject) * 1e9;
    Figure::new(
        format!("increments a second, {name}, beside awaited compare-and-swap"),
        "",
        a_second(0, ours),
    )
    .beside(a_second(1, rivals))
    .ratio(samples.times(1, 0) * ours as f64 / rivals as f64)
    .spread(samples.spread(1, 0))
    .goal(Goal::TimesAsFast(50.0))
}
