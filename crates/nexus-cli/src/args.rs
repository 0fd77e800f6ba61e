//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The most players that a run may have.
pub(crate) const MAX_PLAYERS: u32 = 10_000;

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
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,

    /// Let the data file grow to so many pages (of 4,096 bytes) only, as on a full disk.
    #[arg(long, value_name = "PAGES", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_pages: Option<u32>,

    /// Print one JSON object instead of the table.
    #[arg(long)]
    pub(crate) json: bool,

    /// Run nothing: check the data file of an earlier run, which may have been killed, against its side
    /// ledger.
    #[arg(long, value_name = "FILE", exclusive = true)]
    pub(crate) verify: Option<PathBuf>,
}
