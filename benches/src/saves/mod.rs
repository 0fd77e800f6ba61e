//! Fleets that share save data, as the benchmarks of the store drive them.

mod fleet;
mod memory;
mod pair;
mod rate;
mod reads;

pub use fleet::{Fleet, Increments, Seen, increments, one_set};
pub use memory::{bytes_a_record, resident};
pub use pair::Pair;
pub use rate::{Rate, Rival};
pub use reads::{Locked, Readers, on_two_threads};

use std::future::Future;
use std::sync::Arc;

use nexus_store::{Config, NexusStore};
use tokio::runtime::{Builder, Runtime};
use transport_traits::{DataStore, Publisher, Subscriber, TokioTimer};

/// A runtime of one thread on real time, and with connections where they are built in.
///
/// # Panics
/// If the system gives it none.
#[must_use]
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime takes a little memory only")
}

/// Runs a future on a clock that jumps to the next timer whenever nothing else is left to do: delays cost no time, and
/// what happens does not depend on how fast the machine is.
///
/// # Panics
/// If the system gives it no runtime.
pub fn on_virtual_time<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime takes a little memory only").block_on(future)
}

/// A store on the present runtime, with the default delays. It is the `number`th server of its fleet.
#[must_use]
pub fn server<B: Publisher + Subscriber + 'static>(
    number: u64,
    store: Arc<dyn DataStore>,
    bus: Arc<B>,
    config: Config,
) -> NexusStore {
    let config = Config { writer: Some(1 + number), seed: Some(number), ..config };
    let timer = Arc::new(TokioTimer::new());
    let (store, driver) = NexusStore::new(store, bus.clone(), bus, timer, config);
    tokio::spawn(driver);
    store
}
