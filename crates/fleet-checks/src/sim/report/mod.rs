//! Ours beside the original, at the rates at which the original was recorded: the figures of `docs/weaknesses.md`.

mod pools;
mod saves;
mod scale;

use std::fmt::Write as _;
use std::time::Duration;

use fleet_sim::{Delay, HostId, Sim};
use transport_traits::{RecordKey, presets};

use super::{Parts, Server};
pub use scale::{Crowd, Scale, scale};

/// How long the bus took when the original was recorded.
const BUS_DELAY: Duration = Duration::from_millis(250);

const POOL: &str = "players";

/// A row: the number and slug of a weakness, what was measured of the original, and of ours.
struct Row {
    weakness: (u32, &'static str),
    original: &'static str,
    ours: String,
}

/// The table as text. It takes some seconds.
#[must_use]
pub fn report() -> String {
    let mut text =
        String::from("| weakness | the original, as recorded | ours, simulated |\n|---|---|---|\n");
    for Row { weakness: (number, slug), original, ours } in saves::rows().into_iter().chain(pools::rows()) {
        writeln!(text, "| {number} (`{slug}`) | {original} | {ours} |")
            .expect("a string takes what is written");
    }
    text
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A fleet without faults, on the bus of the records.
fn sim(seed: u64) -> Sim<Server> {
    let mut sim = Sim::new(seed);
    sim.bus.limits = presets::ROBLOX_MESSAGING;
    sim.bus.faults.delay = Delay::Fixed(BUS_DELAY);
    sim
}

/// Starts a server with a pool, and with these records open, on a host of its own.
fn launch(sim: &mut Sim<Server>, keys: &[RecordKey]) -> HostId {
    launch_as(sim, keys, |config| config)
}

fn launch_as(
    sim: &mut Sim<Server>,
    keys: &[RecordKey],
    pools: impl FnOnce(server_pool::Config) -> server_pool::Config,
) -> HostId {
    let host = sim.add_host();
    let seed = sim.rng.u64(..);
    let mut bulk = bulk_messaging::Config::new("bulk");
    (bulk.seed, bulk.format) = (Some(seed), bulk_messaging::Format::Compact);
    let pools = pools(server_pool::Config::new(host.to_string()).with_seed(seed ^ 1));
    let mut parts = Parts::new(bulk, pools, vec![POOL.into()]);
    let writer = Some(u64::from(host.0) + 1);
    let saves = nexus_store::Config { writer, seed: Some(seed ^ 2), ..Default::default() };
    if !keys.is_empty() {
        parts.saves = Some((saves, keys.to_vec(), sim.store.limits.clone()));
    }
    let limits = sim.bus.limits.clone();
    sim.start(host, |now| Server::new(now, parts, &limits));
    host
}

/// A contribution to the pool.
fn put(sim: &mut Sim<Server>, host: HostId, key: &str, value: u64) {
    let done = sim.act(host, |server, now| {
        let pool = server.pools.id(POOL);
        server.pools.call(now).contribute(now.instant, pool, key, value.to_string().as_str().into()).is_ok()
    });
    assert_eq!(done, Some(true), "small entries fit");
}

fn percent(part: f64, of: f64) -> String {
    format!("{:.2} %", 100.0 * part / of)
}
