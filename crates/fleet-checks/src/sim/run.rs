//! One run: trouble, then peace, and what the checkers say of both.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fleet_sim::{BusFaults, CutKind, HostId, Sim, StoreFaults};
use nexus_store::Change;
use serde_json::Value;
use transport_traits::{Instant, Outgoing, RecordKey, presets};

use super::check;
use super::ledger::{Ledger, SHARED, own};
use super::{Parts, Planted, Scenario, Server};

/// The pool of every server.
pub(super) const POOL: &str = "online";

/// The topic of numbered messages.
const CHAT: &str = "chat";

/// How long a server may be silent: the default of pools.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long everything may take to come right once all works: the longest backoff of any part, twice, and the timeout.
const PEACE: Duration = Duration::from_secs(120);

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the checkers found: their name, and what.
    pub violations: Vec<(&'static str, String)>,
    /// The hash of everything that happened.
    pub trace_hash: u64,
    /// Simulated seconds.
    pub seconds: u64,
}

struct Fleet<'a> {
    sim: Sim<Server>,
    scenario: &'a Scenario,
    planted: Option<Planted>,
    keys: Vec<RecordKey>,
    lives: u64,
    /// Which life runs on a host.
    life: BTreeMap<HostId, u64>,
    ledger: Ledger,
    contributed: BTreeMap<HostId, BTreeMap<String, String>>,
    gone: BTreeMap<HostId, Instant>,
    starts: Vec<(Instant, HostId)>,
    restarts: Vec<(Instant, HostId)>,
    mends: Vec<(Instant, fleet_sim::CutId)>,
    ended: u64,
    said: u64,
    violations: Vec<(&'static str, String)>,
}

/// Runs a scenario, with a bug planted into every server or without.
#[must_use]
pub fn run(seed: u64, scenario: &Scenario, planted: Option<Planted>) -> Report {
    let mut fleet = Fleet::new(seed, scenario, planted);
    for _ in 0..scenario.seconds {
        fleet.trouble();
        fleet.second();
    }
    fleet.make_peace();
    let seconds = scenario.seconds + PEACE.as_secs();
    Report { violations: fleet.violations, trace_hash: fleet.sim.trace_hash(), seconds }
}

impl<'a> Fleet<'a> {
    fn new(seed: u64, scenario: &'a Scenario, planted: Option<Planted>) -> Self {
        let mut sim = Sim::new(seed);
        sim.bus.limits = presets::ROBLOX_MESSAGING;
        (sim.bus.faults, sim.store.faults) = (scenario.bus.clone(), scenario.store.clone());
        let mut fleet = Self {
            sim,
            scenario,
            planted,
            keys: (0..scenario.records).map(|key| RecordKey::new("players", key.to_string())).collect(),
            lives: 0,
            life: BTreeMap::new(),
            ledger: Ledger::default(),
            contributed: BTreeMap::new(),
            gone: BTreeMap::new(),
            starts: Vec::new(),
            restarts: Vec::new(),
            mends: Vec::new(),
            ended: 0,
            said: 0,
            violations: Vec::new(),
        };
        for _ in 0..scenario.servers {
            let host = fleet.sim.add_host();
            fleet.start(host);
        }
        fleet
    }

    fn start(&mut self, host: HostId) {
        self.lives += 1;
        let seed = self.sim.rng.u64(..);
        let mut bulk = bulk_messaging::Config::new("bulk");
        bulk.seed = Some(seed);
        let pools =
            server_pool::Config::new(host.to_string()).with_incarnation(self.lives).with_seed(seed ^ 1);
        let saves =
            nexus_store::Config { writer: Some(self.lives), seed: Some(seed ^ 2), ..Default::default() };
        let mut parts = Parts::new(bulk, pools, vec![POOL.into()]);
        parts.saves = Some((saves, self.keys.clone(), self.sim.store.limits.clone()));
        (parts.order, parts.planted) = (Some(CHAT.into()), self.planted);
        let limits = self.sim.bus.limits.clone();
        self.sim.start(host, |now| Server::new(now, parts, &limits));
        self.life.insert(host, self.lives);
        self.starts.push((self.sim.now(), host));
        self.gone.remove(&host);
        self.contributed.insert(host, BTreeMap::new());
    }

    /// What goes wrong in a second.
    fn trouble(&mut self) {
        let now = self.sim.now();
        let due: Vec<HostId> =
            self.restarts.extract_if(.., |(at, _)| *at <= now).map(|(_, host)| host).collect();
        due.into_iter().for_each(|host| self.start(host));
        let mended: Vec<_> = self.mends.extract_if(.., |(at, _)| *at <= now).map(|(_, cut)| cut).collect();
        mended.into_iter().for_each(|cut| self.sim.bus.mend(cut));
        let happens = |sim: &mut Sim<Server>, chance: f64| sim.rng.f64() < chance;
        if happens(&mut self.sim, self.scenario.crash) {
            self.crash();
        }
        if happens(&mut self.sim, self.scenario.pause) {
            let (host, millis) = (self.some_host(), self.sim.rng.u64(..20_000));
            host.into_iter().for_each(|host| self.sim.pause(host, Duration::from_millis(millis)));
        }
        if happens(&mut self.sim, self.scenario.cut) {
            self.cut();
        }
        if happens(&mut self.sim, self.scenario.jump) {
            let (host, ahead) = (self.some_host(), self.sim.rng.i64(-30_000_000..30_000_000));
            host.into_iter().for_each(|host| self.sim.set_clock(host, ahead));
        }
    }

    fn some_host(&mut self) -> Option<HostId> {
        let running: Vec<HostId> = self.sim.running().collect();
        (!running.is_empty()).then(|| running[self.sim.rng.usize(..running.len())])
    }

    fn crash(&mut self) {
        let Some(host) = self.some_host() else { return };
        self.take_answers(host);
        drop(self.sim.crash(host));
        self.ledger.crashed(self.life[&host]);
        self.ended += 1;
        self.gone.insert(host, self.sim.now());
        let back = self.sim.now() + Duration::from_millis(self.sim.rng.u64(..60_000));
        // Some never come back, so that their entries have to go, unless there are few left.
        if self.sim.rng.u32(..3) > 0 || self.sim.running().count() < 2 {
            self.restarts.push((back, host));
        }
    }

    fn cut(&mut self) {
        let now = self.sim.now();
        let rng = &mut self.sim.rng;
        let sides: Vec<bool> = (0..self.scenario.servers).map(|_| rng.bool()).collect();
        let kind = if rng.bool() { CutKind::Drop } else { CutKind::Hold };
        let (both, until) = (rng.bool(), now + Duration::from_millis(rng.u64(..15_000)));
        let side = |wanted: bool| {
            let hosts = (0..).map(HostId).zip(sides.clone());
            hosts.filter(move |(_, side)| *side == wanted).map(|(host, _)| host)
        };
        self.mends.push((until, self.sim.bus.cut(side(true), side(false), kind)));
        if both {
            self.mends.push((until, self.sim.bus.cut(side(false), side(true), kind)));
        }
    }

    /// A second of deeds, and what must hold at its end.
    fn second(&mut self) {
        let gap = Duration::from_micros(1_000_000 / u64::from(self.scenario.deeds));
        for _ in 0..self.scenario.deeds {
            self.deed();
            self.sim.run(gap);
        }
        self.watch();
    }

    fn watch(&mut self) {
        self.take_all_answers();
        if self.scenario.is_connected() {
            self.check_lives();
        }
    }

    fn check_lives(&mut self) {
        let most = TIMEOUT + Duration::from_secs(12); // Delays have tails of 5 s, frames wait for their turn.
        self.found("ghosts", check::ghosts(&self.sim, &self.gone, most));
        if self.scenario.is_connected() {
            self.found("false deaths", check::false_deaths(&self.sim, self.ended));
        }
    }

    fn take_all_answers(&mut self) {
        let hosts: Vec<HostId> = self.sim.running().collect();
        hosts.into_iter().for_each(|host| self.take_answers(host));
    }

    fn found(&mut self, checker: &'static str, wrong: Option<String>) {
        let is_new = !self.violations.iter().any(|(of, _)| *of == checker);
        self.violations.extend(wrong.filter(|_| is_new).map(|wrong| (checker, wrong)));
    }

    fn take_answers(&mut self, host: HostId) {
        let answers = self.sim.act(host, |server, _| {
            server.saves.as_mut().map(|saves| std::mem::take(&mut saves.answers)).unwrap_or_default()
        });
        let life = self.life[&host];
        for (ticket, outcome) in answers.into_iter().flatten() {
            self.ledger.answered(life, ticket, &outcome);
        }
    }

    fn deed(&mut self) {
        let Some(host) = self.some_host().filter(|host| !self.sim.is_paused(*host)) else { return };
        match self.sim.rng.u32(..10) {
            0..5 => self.increment(host),
            5 => self.flush(host),
            6..8 => self.contribute(host),
            _ => self.say(host),
        }
    }

    fn some_key(&mut self) -> RecordKey {
        self.keys[self.sim.rng.usize(..self.keys.len())].clone()
    }

    /// Increments a field of the server's own, and then the shared one.
    fn increment(&mut self, host: HostId) {
        let (key, life) = (self.some_key(), self.life[&host]);
        let planted = self.planted;
        let write = |field: &str| {
            self.sim.act(host, |server, now| {
                let saves = server.saves.as_mut()?;
                let seen = saves.seen(&key).get(field).and_then(|value| value.as_i64()).unwrap_or(0);
                let change = match planted {
                    Some(Planted::SetsForIncrements) => Change::Set(Arc::new(Value::from(seen + 1))),
                    _ => Change::Increment(1.into()),
                };
                let id = saves.id(&key);
                saves.call(now).write(now.instant, id, field, change).ok()
            })
        };
        let done = [own(life).as_str(), SHARED].map(write);
        assert_eq!(done, [Some(Some(())); 2], "the journal has room for what is asked here");
        self.ledger.account(life, &key).accepted += 1;
    }

    fn flush(&mut self, host: HostId) {
        let (key, life) = (self.some_key(), self.life[&host]);
        let ticket = self.sim.act(host, |server, now| {
            let saves = server.saves.as_mut()?;
            let id = saves.id(&key);
            Some(saves.call(now).flush(now.instant, id))
        });
        if let Some(ticket) = ticket.flatten() {
            self.ledger.flushing(life, &key, ticket);
        }
    }

    fn contribute(&mut self, host: HostId) {
        let rng = &mut self.sim.rng;
        let (key, value) = (format!("{host}/{}", rng.u32(..5)), rng.u32(..).to_string());
        let withdraw = rng.u32(..4) == 0;
        self.sim.act(host, |server, now| {
            let pool = server.pools.id(POOL);
            let machine = server.pools.call(now);
            if withdraw {
                machine.withdraw(now.instant, pool, &key);
            } else {
                let done = machine.contribute(now.instant, pool, &key, value.as_str().into());
                assert!(done.is_ok(), "small entries fit: {done:?}");
            }
        });
        let entries = self.contributed.entry(host).or_default();
        if withdraw {
            entries.remove(&key)
        } else {
            entries.insert(key, value)
        };
    }

    fn say(&mut self, host: HostId) {
        self.said += 1;
        let message = Outgoing::new(CHAT, format!("[{},{}]", self.life[&host], self.said));
        self.sim.act(host, |server, now| server.publish(now, message));
    }

    /// Everything works again, and all servers run that ever will; then everything must come right.
    fn make_peace(&mut self) {
        (self.sim.bus.faults, self.sim.store.faults) = (BusFaults::default(), StoreFaults::default());
        self.sim.bus.mend_all();
        std::mem::take(&mut self.restarts).into_iter().for_each(|(_, host)| self.start(host));
        self.sim.run(PEACE);
        self.take_all_answers();
        self.check_lives();
        for key in self.keys.clone() {
            let wrong = self.ledger.check(&key, &check::stored(&self.sim, &key));
            self.violations.extend(wrong.into_iter().map(|wrong| ("ledger", wrong)));
            self.found("save data", check::saves(&self.sim, &key));
        }
        self.found("pools", check::pools(&self.sim, &self.contributed));
        self.found("order", check::order(&self.sim));
        self.found("budget", check::budget(&self.sim.bus.published, &self.starts));
    }
}
