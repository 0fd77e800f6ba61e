//! One run: trouble, then peace, then a calm time in which little may be out of date, and what the checkers say.

#[cfg(test)]
mod tests;

use std::time::Duration;

use fleet_sim::{HostId, TraceEntry};
use transport_traits::Instant;

use super::check::{self, Life};
use super::excuses::DELAY;
use super::fleet::Fleet;
use super::pools::TIMEOUT;
use super::sample::Sample;
use super::staleness::worst_of_pools;
use super::{Planted, Scenario, updates, views};

/// The pool of every server.
pub(super) const POOL: &str = "online";

/// The topic of numbered messages.
pub(super) const CHAT: &str = "chat";

/// How long everything may take to come right once all works, s: the longest backoff of any part, twice, and the timeout.
pub(super) const PEACE: u64 = 120;

/// How long the calm time with deeds is, s.
pub(super) const CALM: u64 = 25;

/// How long it may take after the last deed until all is saved and seen, s.
const REST: u64 = 10;

/// How long frames wait behind a hole that its sender may still fill: the default of bulk messaging.
const HOLE: Duration = Duration::from_secs(15);

/// How long it takes at the beginning until every server knows of the others' first frames, of which some were sent before it
/// listened.
const STARTED: Duration = Duration::from_secs(10);

/// How long it takes at most, once all works, until everybody shows what the servers contributed that run.
const SEEN: Duration = Duration::from_secs(20);

/// How old what servers show may be in a calm time.
const STALE: Duration = Duration::from_secs(4);

/// How long it may take in a calm time until what was accepted is stored: the flush delay, and what goes with it.
const SAVED: Duration = Duration::from_secs(4);

/// How long it may take in a calm time from being told to leave until nobody shows any entry, s.
const LEAVE: u64 = 10;

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the checkers found: their name, and what.
    pub violations: Vec<(&'static str, String)>,
    /// The hash of everything that happened.
    pub trace_hash: u64,
    /// Simulated seconds.
    pub seconds: u64,
}

/// What was seen of a run, if somebody watches.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// How things stood at the end of each second.
    pub samples: Vec<Sample>,
    /// What happened before the first violation, oldest first: the latest of it.
    pub trace: Vec<TraceEntry>,
}

/// How many happenings of a run are kept for somebody who watches.
const KEPT: usize = 20_000;

/// Runs a scenario, with a bug planted into every server or without.
#[must_use]
pub fn run(seed: u64, scenario: &Scenario, planted: Option<Planted>) -> Report {
    Fleet::new(seed, scenario, planted).run(None)
}

/// Runs a scenario under somebody's eyes, which changes nothing about it.
#[must_use]
pub fn watch(seed: u64, scenario: &Scenario, planted: Option<Planted>) -> (Report, Watch) {
    let mut fleet = Fleet::new(seed, scenario, planted);
    fleet.sim.keep_trace(KEPT);
    let mut samples = Vec::new();
    let report = fleet.run(Some(&mut samples));
    (report, Watch { samples, trace: fleet.trace })
}

impl Fleet<'_> {
    fn run(&mut self, mut samples: Option<&mut Vec<Sample>>) -> Report {
        for second in 0..self.scenario.seconds {
            if self.is_exposed() {
                break;
            }
            self.trouble();
            let is_lull = second + self.scenario.lull >= self.scenario.seconds;
            self.second(if is_lull { 0 } else { self.scenario.deeds }, &mut samples);
        }
        self.heal();
        if !self.is_exposed() {
            for _ in 0..PEACE {
                self.second(0, &mut samples);
                self.check_seen();
            }
            self.check_converged();
            self.calm(&mut samples);
            self.check_converged();
            self.found("owners", self.hops.check(&self.sim, &self.life, self.calm_since));
            self.check_ledgers();
        }
        let seconds = self.scenario.seconds + PEACE + CALM + REST;
        Report {
            violations: std::mem::take(&mut self.violations),
            trace_hash: self.sim.trace_hash(),
            seconds,
        }
    }

    /// Whether the planted bug was found by its checker: that run needs no more time.
    fn is_exposed(&self) -> bool {
        let finder = self.planted.map(Planted::finder);
        self.violations.iter().any(|(checker, _)| Some(*checker) == finder)
    }

    /// A second of deeds, and what must hold at its end.
    fn second(&mut self, deeds: u32, samples: &mut Option<&mut Vec<Sample>>) {
        let (begin, parts) = (self.sim.now(), deeds.max(1));
        for part in 1..=parts {
            if deeds > 0 {
                self.deed();
            }
            let end = begin + Duration::from_secs(1) * part / parts;
            self.sim.run(end.since(self.sim.now()));
        }
        self.take_all_answers();
        self.check_always();
        if let Some(samples) = samples {
            samples.push(self.sample());
        }
    }

    /// All works, and one server leaves. What anybody shows is hardly ever out of date.
    fn calm(&mut self, samples: &mut Option<&mut Vec<Sample>>) {
        self.note("the calm time begins".to_owned());
        self.rises.clear();
        self.calm_since = self.sim.now();
        let leaver = (self.sim.running().count() > 1).then(|| self.some_worker()).flatten();
        leaver.into_iter().for_each(|host| self.leave(host));
        for second in 1..=CALM {
            self.second(self.scenario.deeds.min(12), samples);
            self.check_fresh();
            if second == LEAVE {
                self.check_left();
            }
        }
        (0..REST).for_each(|_| self.second(0, samples));
    }

    fn check_always(&mut self) {
        let (now, count) = (self.sim.now(), self.sim.bus.stats().over_rate);
        if count > self.throttled.map_or(0, |(_, count)| count) {
            self.throttled = Some((now, count));
            self.excuses.unheard(now);
        }
        let is_settled = self.leaving.is_empty() && !self.sim.running().any(|host| self.sim.is_paused(host));
        if self.is_healed() && !is_settled {
            self.unsettled = now;
        }
        self.note_held_up();
        self.check_ghosts();
        self.check_deaths();
        self.check_budgets();
        self.found("memory", check::memory(&self.sim));
        self.found("order", check::order(&self.sim));
        self.found("gaps", check::gaps(&self.sim));
        if self.sim.now().since(Instant::ZERO) <= STARTED {
            self.first_gaps = check::told_gaps(&self.sim).collect();
        } else if self.scenario.is_lossless() {
            self.found("gaps", check::vain_gaps(&self.sim, &self.first_gaps));
        }
        let own = views::own_writes(&self.sim, &self.life, &self.keys, &self.ledger);
        self.found("own writes", own);
        let fallen = self.views.fallen(&self.sim, &self.life, &self.keys);
        self.found("backwards", fallen);
    }

    /// Whether trouble is over.
    fn is_healed(&self) -> bool {
        self.unsettled > Instant::ZERO
    }

    /// Since when everybody hears everybody, for what concerns those who are gone.
    fn settled(&self) -> Instant {
        if self.scenario.is_connected() { Instant::ZERO } else { self.unsettled }
    }

    /// Frames of those who are gone arrive late, and may then wait behind a hole that nobody fills any more. They are signs
    /// of life when they are handed over.
    fn note_held_up(&mut self) {
        let (now, settled, is_held_up) = (self.sim.now(), self.settled(), check::is_held_up(&self.sim));
        for (host, at) in &self.gone {
            let from = settled.max(*at);
            let until = self.held_up.entry(*host).or_insert(from);
            let since = now.since(from);
            let still = is_held_up && since <= DELAY + HOLE && now.since(*until) <= Duration::from_secs(1);
            if still && since > DELAY {
                self.held_lives.insert(self.life[host], *at);
            }
            if since <= DELAY || still {
                *until = now;
            }
        }
    }

    /// Where the bus refuses, servers cannot be heard, whoever they are. Time in which it carries nothing counts towards
    /// nobody's timeout.
    fn check_ghosts(&mut self) {
        if !self.scenario.is_connected() && !self.is_healed() {
            return;
        }
        let most = TIMEOUT + Duration::from_secs(7); // Frames wait for their turn.
        let refused = self.throttled.map(|(at, _)| at);
        let since = self.settled().max(refused.max(self.silence).unwrap_or(Instant::ZERO));
        self.found("ghosts", check::ghosts(&self.sim, &self.held_up, since + DELAY, most));
    }

    fn check_deaths(&mut self) {
        let lives = self.started.iter().map(|(host, since)| {
            let (until, excused) = (self.gone.get(host).copied(), self.excuses.until(*host));
            (host.to_string(), Life { since: *since, until, excused })
        });
        let most = TIMEOUT + Duration::from_secs(12);
        self.found("false deaths", check::false_deaths_of(&self.sim, &lives.collect(), most));
        if self.scenario.is_connected() && self.throttled.is_none() {
            // What is handed over late brings who is taken for dead back once.
            let ends = || self.ended.iter().chain(self.held_lives.values());
            // Who starts may hear of somebody whose last sign of life is almost a timeout ago.
            let reach = TIMEOUT + DELAY + HOLE;
            let known = |host: HostId| ends().filter(|at| **at + reach >= self.started[&host]).count();
            self.found("false deaths", check::false_deaths(&self.sim, known));
        }
    }

    fn check_fresh(&mut self) {
        let unsaved = self.rises.worst_unsaved(&self.sim).filter(|(age, _)| *age > SAVED);
        self.found("durability", unsaved.map(|(age, what)| format!("{what} is not stored for {age:?}")));
        if self.throttled.is_some_and(|(at, _)| self.sim.now().since(at) < Duration::from_secs(60)) {
            return;
        }
        let ages = [self.rises.worst(&self.sim, &self.life), worst_of_pools(&self.sim, &self.contributed)];
        let worst = ages.into_iter().flatten().filter(|(age, _)| *age > STALE).max();
        self.found("staleness", worst.map(|(age, what)| format!("{what} is {age:?} behind")));
    }

    /// What servers contributed that run is seen long before the rest has come right: whom somebody takes for dead wrongly, or
    /// for another life, would be forgotten by then, and so be heard again.
    fn check_seen(&mut self) {
        let since = self.throttled.map_or(self.unsettled, |(at, _)| self.unsettled.max(at));
        if self.sim.now().since(since) <= SEEN {
            return;
        }
        let unseen = worst_of_pools(&self.sim, &self.contributed);
        self.found(
            "pools",
            unseen.map(|(age, what)| format!("{what} is {age:?} behind, and all works for {SEEN:?}")),
        );
    }

    fn check_left(&mut self) {
        let stays = self.leaving.iter().next().map(|host| format!("{host} does not get away"));
        let seen = || check::ghosts(&self.sim, &self.gone, Instant::ZERO, Duration::ZERO);
        let wrong = stays.or_else(seen);
        self.found("leave", wrong);
    }

    fn check_converged(&mut self) {
        self.found("fresh", check::fresh(&self.sim));
        for key in self.keys.clone() {
            self.found("save data", check::saves(&self.sim, &key));
        }
        self.found("pools", check::pools(&self.sim, &self.contributed));
        self.found("gaps", check::tails(&self.sim, &self.life, &self.said));
        let lives: Vec<u64> = self.sim.running().map(|host| self.life[&host]).collect();
        let open = |life: &u64| self.ledger.unanswered(*life).or_else(|| self.transfers.unanswered(*life));
        self.found("answers", lives.iter().find_map(open));
    }

    fn check_ledgers(&mut self) {
        for key in self.keys.clone() {
            let stored = check::stored(&self.sim, &key);
            for wrong in self.ledger.check(&key, &stored) {
                self.found("ledger", Some(wrong));
            }
            self.found("prefix", self.ledger.check_prefix(&key, &stored));
            self.found("updates", self.transfers.check(&key, &stored));
            self.found("seats", self.seats.check(&key, self.sim.store.commits(), &self.ledger));
        }
        self.found("updates", updates::halves(self.sim.store.commits()));
        if self.scenario.writers >= self.lives as usize {
            let doubt = self.ledger.undetermined().or_else(|| self.transfers.doubtful());
            self.found("undetermined", doubt);
        }
    }
}
