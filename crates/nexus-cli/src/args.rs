//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

/// The most players that a run may have.
pub(crate) const MAX_PLAYERS: u32 = 10_000;

/// What makes the program one server of a fleet.
pub(crate) const SERVER_COMMAND: &str = "demo-server";

/// Save data, bulk messages and pools for fleets of servers.
#[derive(Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a small fleet, break it on purpose, and check what it promised.
    ///
    /// Exits with 0 if every promise was kept, 1 if one was broken, 2 if the run could not be made.
    Demo(DemoArgs),
    /// One server of a demonstration's fleet, which the demonstration starts.
    #[command(name = SERVER_COMMAND, hide = true)]
    DemoServer,
}

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Servers in the fleet; one of them joins late, one is killed, and players hop between the others.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(4..=64))]
    pub(crate) servers: u32,

    /// Players who join, earn, spend, hop and leave.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PLAYERS)))]
    pub(crate) players: u32,

    /// How long the players play, in seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(5..=3_600))]
    pub(crate) seconds: u32,

    /// Seed of every choice that the players and servers make.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// The SQLite file to keep the save data in; a side ledger is written to FILE.ledger. Without it a
    /// temporary file is used.
    #[arg(long, value_name = "FILE", conflicts_with = "bus")]
    pub(crate) data: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) services: Option<Services>,

    /// Let the data file grow to so many pages (of 4,096 bytes) only, as on a full disk.
    #[arg(long, value_name = "PAGES", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "bus")]
    pub(crate) max_pages: Option<u32>,

    /// Print one JSON object instead of the table.
    #[arg(long)]
    pub(crate) json: bool,

    /// Run nothing: check the data file of an earlier run, which may have been killed, against its side
    /// ledger.
    #[arg(long, value_name = "FILE", exclusive = true)]
    pub(crate) verify: Option<PathBuf>,
}

/// Services outside. Each server is then a process of its own, and the one that crashes is killed with SIGKILL.
#[derive(Args, Clone)]
pub(crate) struct Services {
    /// The bus to run over: redis://, rediss://, nats://, tls:// or postgres://. Each server is then a process of its
    /// own, and the one that crashes is killed with SIGKILL.
    #[arg(long, value_name = "URL", required = false, requires = "store")]
    pub(crate) bus: String,

    /// The data store to run over: as for --bus, or sqlite:FILE.
    #[arg(long, value_name = "URL", required = false, requires = "bus")]
    pub(crate) store: String,
}

impl DemoArgs {
    /// The SQLite file that the user named, if any.
    pub(crate) fn file(&self) -> Option<&Path> {
        let named = self.services.as_ref().and_then(|services| services.store.strip_prefix("sqlite:"));
        named.map(Path::new).or(self.data.as_deref())
    }
}
