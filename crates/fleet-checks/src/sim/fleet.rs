//! A fleet under test: its servers, and all that is known of them from outside.

use std::collections::{BTreeMap, BTreeSet};

use fleet_sim::{CutId, HostId, OverRate, Sim, TraceEntry};
use transport_traits::{Instant, RecordKey, presets};

use super::check::{self, Budgets};
use super::excuses::Excuses;
use super::ledger::Ledger;
use super::owners::Hops;
use super::run::{CHAT, POOL};
use super::seats::Seats;
use super::staleness::{Contributions, Rises};
use super::updates::Transfers;
use super::views::Views;
use super::{Parts, Planted, Scenario, Server};

/// The most bytes of a shard of a checkpoint: little, so that there are several.
const SHARD: usize = 1_000;

pub(super) struct Fleet<'a> {
    pub(super) sim: Sim<Server>,
    pub(super) scenario: &'a Scenario,
    pub(super) planted: Option<Planted>,
    pub(super) keys: Vec<RecordKey>,
    pub(super) lives: u64,
    /// Which life runs on a host.
    pub(super) life: BTreeMap<HostId, u64>,
    pub(super) ledger: Ledger,
    pub(super) transfers: Transfers,
    pub(super) seats: Seats,
    pub(super) rises: Rises,
    pub(super) contributed: Contributions,
    pub(super) budgets: Budgets,
    /// Since when a host is without a process.
    pub(super) gone: BTreeMap<HostId, Instant>,
    /// Who was told to leave, and has not yet.
    pub(super) leaving: BTreeSet<HostId>,
    pub(super) restarts: Vec<(Instant, HostId)>,
    pub(super) mends: Vec<(Instant, CutId)>,
    /// When servers crashed or were told to leave.
    pub(super) ended: Vec<Instant>,
    pub(super) excuses: Excuses,
    /// When the bus last refused somebody, or dropped what he said, because its rate was used up, as it is for a minute where
    /// the fleet has become smaller; and how often it has.
    pub(super) throttled: Option<(Instant, u64)>,
    /// Until when the last frames of a host without a process may have waited behind a hole.
    pub(super) held_up: BTreeMap<HostId, Instant>,
    /// The lives that ended while their frames may have waited so for longer than messages are under way, and when they
    /// ended.
    pub(super) held_lives: BTreeMap<u64, Instant>,
    /// How many numbered messages each life said.
    pub(super) said: BTreeMap<u64, u64>,
    /// Of how many gaps each server was told while all of them started.
    pub(super) first_gaps: BTreeMap<HostId, u64>,
    pub(super) hops: Hops,
    pub(super) views: Views,
    /// Since when each process runs or ran last.
    pub(super) started: BTreeMap<HostId, Instant>,
    /// When trouble ended, or last somebody stood still or was about to leave afterwards.
    pub(super) unsettled: Instant,
    /// When the calm time began.
    pub(super) calm_since: Instant,
    /// Until when the bus carries nothing.
    pub(super) silence: Option<Instant>,
    /// Until when the store is away.
    pub(super) outage: Option<Instant>,
    pub(super) violations: Vec<(&'static str, String)>,
    /// The latest happenings when the first violation was found, if they are kept.
    pub(super) trace: Vec<TraceEntry>,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(seed: u64, scenario: &'a Scenario, planted: Option<Planted>) -> Self {
        let mut sim = Sim::new(seed);
        sim.bus.limits = presets::ROBLOX_MESSAGING;
        sim.bus.over_rate = if scenario.drops { OverRate::Drop } else { OverRate::Refuse };
        (sim.bus.faults, sim.store.faults) = (scenario.bus.clone(), scenario.store.clone());
        let mut fleet = Self {
            sim,
            scenario,
            planted,
            keys: (0..scenario.records).map(|key| RecordKey::new("players", key.to_string())).collect(),
            lives: 0,
            life: BTreeMap::new(),
            ledger: Ledger::default(),
            transfers: Transfers::default(),
            seats: Seats::default(),
            rises: Rises::default(),
            contributed: BTreeMap::new(),
            budgets: Budgets::default(),
            gone: BTreeMap::new(),
            leaving: BTreeSet::new(),
            restarts: Vec::new(),
            mends: Vec::new(),
            ended: Vec::new(),
            excuses: Excuses::default(),
            throttled: None,
            held_up: BTreeMap::new(),
            held_lives: BTreeMap::new(),
            said: BTreeMap::new(),
            first_gaps: BTreeMap::new(),
            hops: Hops::default(),
            views: Views::default(),
            started: BTreeMap::new(),
            unsettled: Instant::ZERO,
            calm_since: Instant::ZERO,
            silence: None,
            outage: None,
            violations: Vec::new(),
            trace: Vec::new(),
        };
        for _ in 0..scenario.servers {
            let host = fleet.sim.add_host();
            fleet.start(host);
        }
        fleet
    }

    pub(super) fn start(&mut self, host: HostId) {
        self.check_budgets();
        self.budgets.started(host);
        self.lives += 1;
        let parts = self.parts(host);
        let limits = self.sim.bus.limits.clone();
        self.note(format!("{host} starts life {}", self.lives));
        self.sim.start(host, |now| Server::new(now, parts, &limits));
        self.life.insert(host, self.lives);
        self.started.insert(host, self.sim.now());
        self.gone.remove(&host);
        self.held_up.remove(&host);
        self.contributed.insert(host, BTreeMap::new());
    }

    /// What a server is made of: the defaults, with small bounds of memory.
    fn parts(&mut self, host: HostId) -> Parts {
        let seed = self.sim.rng.u64(..);
        let mut bulk = bulk_messaging::Config::new("bulk");
        (bulk.seed, bulk.max_held_frames) = (Some(seed), check::HELD);
        (bulk.max_queued_messages, bulk.max_queued_bytes) = (check::QUEUED, check::QUEUED_BYTES);
        (bulk.lanes, bulk.format) = (self.scenario.lanes, self.scenario.format);
        bulk.fragmentation = self.scenario.split.then_some(check::FRAGMENTS);
        let pools = server_pool::Config::new(host.to_string()).with_seed(seed ^ 1);
        let saves = nexus_store::Config {
            writer: Some(self.lives),
            seed: Some(seed ^ 2),
            max_journal_bytes: check::JOURNAL,
            max_writers: self.scenario.writers,
            revalidate_every: self.scenario.revalidate,
            ..Default::default()
        };
        let topics = self.scenario.pools.then(|| POOL.into()).into_iter().collect();
        let mut parts = Parts::new(bulk, pools, topics);
        parts.checkpoints = self.scenario.checkpoints.then_some(SHARD);
        parts.saves = Some((saves, self.keys.clone(), self.sim.store.limits.clone()));
        (parts.order, parts.planted) = (Some(CHAT.into()), self.planted);
        parts
    }

    /// Puts a line into the trace.
    pub(super) fn note(&mut self, text: String) {
        self.sim.note(text);
    }

    pub(super) fn some_host(&mut self) -> Option<HostId> {
        let running: Vec<HostId> = self.sim.running().collect();
        (!running.is_empty()).then(|| running[self.draw(running.len())])
    }

    /// A server that can be asked for something.
    pub(super) fn some_worker(&mut self) -> Option<HostId> {
        self.some_host().filter(|host| !self.sim.is_paused(*host) && !self.leaving.contains(host))
    }

    pub(super) fn some_key(&mut self) -> RecordKey {
        let place = self.draw(self.keys.len());
        self.keys[place].clone()
    }

    /// One of so many, the same on machines with pointers of any width.
    fn draw(&mut self, count: usize) -> usize {
        self.sim.rng.u64(..count as u64) as usize
    }

    /// Notes what a checker found, if it is the first that this one finds.
    pub(super) fn found(&mut self, checker: &'static str, wrong: Option<String>) {
        let Some(wrong) = wrong else { return };
        if self.violations.iter().any(|(of, _)| *of == checker) {
            return;
        }
        if self.violations.is_empty() {
            self.trace = self.sim.trace().cloned().collect();
        }
        self.violations.push((checker, wrong));
    }

    pub(super) fn check_budgets(&mut self) {
        let wrong = self.budgets.check(&self.sim.bus.published);
        self.found("budget", wrong);
    }

    /// Takes the answers of every server's save data, and notes who has left.
    pub(super) fn take_all_answers(&mut self) {
        let hosts: Vec<HostId> = self.sim.running().collect();
        hosts.into_iter().for_each(|host| self.take_answers(host));
        let is_gone = |host: &HostId| self.sim.node(*host).is_none();
        let left: Vec<HostId> = self.leaving.iter().copied().filter(is_gone).collect();
        left.into_iter().for_each(|host| self.left(host));
    }

    pub(super) fn take_answers(&mut self, host: HostId) {
        let answers = self.sim.act(host, |server, _| {
            server.saves.as_mut().map(|saves| std::mem::take(&mut saves.answers)).unwrap_or_default()
        });
        let life = self.life[&host];
        for (ticket, outcome) in answers.into_iter().flatten() {
            self.ledger.answered(life, ticket, &outcome);
            self.transfers.answered(life, ticket, &outcome, !self.leaving.contains(&host));
        }
    }

    fn left(&mut self, host: HostId) {
        self.leaving.remove(&host);
        self.transfers.ended(self.life[&host]);
        self.gone.insert(host, self.sim.now());
    }
}
