//! What a fleet stands on: a bus in memory and one file, or services that every server process connects to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use transport_memory::MemoryBus;
use transport_sqlite::Options;
use transport_traits::limits::Load;
use transport_traits::{TokioTimer, WallTime, presets};

use super::backends;
use super::fleet::Fleet;
use super::host::{Host, Ports, Shown, TOPICS};
use super::observed::Observed;
use super::operation::OperationId;
use super::process::Process;
use super::protocol::Setup;
use super::saved::{self, SavedPlayer};
use super::server::{Inside, Server, name_of};
use crate::args::{DemoArgs, Services};
use crate::failure::Failure;

/// The window of the bus's limits.
const MINUTE: Duration = Duration::from_secs(60);

/// What the servers of a run stand on.
pub(super) struct Ground {
    /// Where in the store the records of this run are.
    pub(super) store_name: String,
    seed: u64,
    base: Base,
}

enum Base {
    /// All servers in this process.
    Here { bus: MemoryBus, store: Arc<Observed>, timer: Arc<TokioTimer>, data: PathBuf },
    /// Each server in a process of its own.
    Services(Services),
}

/// What the bus counted, and what it allows, all topics together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BusCounts {
    pub(super) used: u64,
    /// In the time of the run, or in a minute if it was shorter: a window of the limits is a minute long.
    pub(super) allowed: u64,
    pub(super) refused: u64,
    pub(super) dropped: u64,
}

impl Ground {
    /// Opens the store; `data` is the file to use where no services are named.
    pub(super) async fn open(args: &DemoArgs, data: PathBuf) -> Result<Self, Failure> {
        let base = match &args.services {
            Some(services) => {
                // Before anything is made in the store.
                drop(backends::bus(&services.bus).await?);
                backends::prepare(&services.store).await?;
                Base::Services(services.clone())
            }
            None => open_here(args, data)?,
        };
        let store_name = format!("coins-{}", WallTime::from_system_clock().as_micros());
        Ok(Self { store_name, seed: args.seed, base })
    }

    pub(super) async fn start(&self, number: usize, fleet: &Arc<Fleet>) -> Result<Arc<Server>, Failure> {
        let seed = self.seed.wrapping_mul(1_000).wrapping_add(number as u64);
        let store_name = self.store_name.clone();
        let ledger = Arc::downgrade(fleet);
        let shown: Shown = Arc::new(move |operation: OperationId| {
            // Without the fleet the run is over.
            let _over = ledger.upgrade().map(|fleet| fleet.ledger.seen(operation, number));
        });
        let inside = match &self.base {
            Base::Here { bus, store, timer, .. } => {
                let endpoint = Arc::new(bus.join());
                let ports = Ports {
                    publisher: endpoint.clone(),
                    subscriber: endpoint,
                    store: store.clone(),
                    timer: timer.clone(),
                    store_name,
                    seed,
                };
                Inside::Here(Box::new(Host::start(ports, &name_of(number), shown).await?))
            }
            Base::Services(Services { bus, store }) => {
                let setup = Setup { number, bus: bus.clone(), store: store.clone(), store_name, seed };
                Inside::Process(Box::new(Process::start(&setup, shown).await?))
            }
        };
        Ok(Arc::new(Server::new(number, inside)))
    }

    /// Ends with the text of the failure that makes the run useless.
    pub(super) async fn unusable(&self) -> Failure {
        match &self.base {
            Base::Here { store, data, .. } => {
                Failure::new(format!("{}: {}", data.display(), store.unusable().await))
            }
            // Services may be away for a while. A server that ends says so itself.
            Base::Services(_) => std::future::pending().await,
        }
    }

    /// What the bus counted, if it does.
    pub(super) fn bus_counts(&self, elapsed: Duration) -> Option<BusCounts> {
        let Base::Here { bus, .. } = &self.base else { return None };
        let (stats, allowance) = (bus.stats(), bus.allowed(elapsed.max(MINUTE)));
        Some(BusCounts {
            used: stats.total.published,
            allowed: allowance.receives_per_topic.unwrap_or(0) * TOPICS.len() as u64,
            refused: stats.refused,
            dropped: stats.total.dropped(),
        })
    }

    /// Reads and writes that the store was asked for.
    pub(super) fn store_counts(&self, fleet: &Fleet) -> (u64, u64) {
        match &self.base {
            Base::Here { store, .. } => store.counts(),
            Base::Services(_) => fleet.all().iter().fold((0, 0), |(reads, writes), server| {
                let counts = server.counts();
                (reads + counts.store_reads, writes + counts.store_writes)
            }),
        }
    }

    /// The players as the store holds them, by a connection that the servers did not use.
    pub(super) async fn saved(&self) -> Result<BTreeMap<u32, SavedPlayer>, Failure> {
        match &self.base {
            Base::Here { data, .. } => saved::read(data, &self.store_name),
            Base::Services(Services { store, .. }) => match backends::file(store) {
                Some(file) => saved::read(file.as_ref(), &self.store_name),
                None => saved::fetch(&*backends::store(store).await?, &self.store_name).await,
            },
        }
    }
}

fn open_here(args: &DemoArgs, data: PathBuf) -> Result<Base, Failure> {
    let options = args.max_pages.map_or_else(Options::default, |pages| Options::default().max_pages(pages));
    let opened = options.open(&data);
    let sqlite =
        opened.map_err(|error| Failure::because(format!("cannot use {}", data.display()), &error))?;
    let timer = Arc::new(TokioTimer::new());
    let load = Load { servers: args.servers, players: args.players / args.servers };
    let bus = MemoryBus::new(presets::ROBLOX_MESSAGING, load, timer.clone());
    Ok(Base::Here { bus, store: Arc::new(Observed::new(Arc::new(sqlite))), timer, data })
}
