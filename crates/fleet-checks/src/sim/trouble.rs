//! What goes wrong in a fleet on purpose.

use std::time::Duration;

use fleet_sim::{BusFaults, CutKind, HostId, StoreFaults};

use super::fleet::Fleet;

impl Fleet<'_> {
    /// What goes wrong in a second, and what comes right again.
    pub(super) fn trouble(&mut self) {
        let now = self.sim.now();
        let due: Vec<HostId> =
            self.restarts.extract_if(.., |(at, _)| *at <= now).map(|(_, host)| host).collect();
        due.into_iter().for_each(|host| self.restart(host));
        let mended: Vec<_> = self.mends.extract_if(.., |(at, _)| *at <= now).map(|(_, cut)| cut).collect();
        if !mended.is_empty() {
            self.note("a cut is mended".to_owned());
        }
        mended.into_iter().for_each(|cut| self.sim.bus.mend(cut));
        self.happens(self.scenario.crash, Self::crash_some);
        self.happens(self.scenario.leave, Self::leave_some);
        self.happens(self.scenario.pause, Self::pause);
        self.happens(self.scenario.cut, Self::cut);
        self.happens(self.scenario.jump, Self::jump);
        self.happens(self.scenario.reconnect, Self::reconnect);
        self.happens(self.scenario.silence, Self::silence);
        self.happens(self.scenario.outage, Self::outage);
        let is_silent = self.silence.is_some_and(|until| until > now);
        self.sim.bus.faults.loss = if is_silent { 1.0 } else { self.scenario.bus.loss };
        let is_away = self.outage.is_some_and(|until| until > now);
        self.sim.store.faults.unavailable = if is_away { 1.0 } else { self.scenario.store.unavailable };
    }

    /// The store takes nothing and gives nothing.
    fn outage(&mut self) {
        let until = self.sim.now() + Duration::from_millis(self.sim.rng.u64(..45_000));
        self.note(format!("the store is away until {until}"));
        self.outage = Some(until);
    }

    /// The bus takes everything, and nobody hears anything, not even himself.
    fn silence(&mut self) {
        let until = self.sim.now() + Duration::from_millis(self.sim.rng.u64(..45_000));
        self.note(format!("the bus carries nothing until {until}"));
        self.silence = Some(until);
    }

    fn happens(&mut self, chance: f64, what: impl FnOnce(&mut Self)) {
        if chance > 0.0 && self.sim.rng.f64() < chance {
            what(self);
        }
    }

    /// A host that was to start again may have done so already.
    fn restart(&mut self, host: HostId) {
        if self.sim.node(host).is_none() {
            self.start(host);
        }
    }

    fn crash_some(&mut self) {
        let Some(host) = self.some_host() else { return };
        if self.crash(host) {
            self.restart_later(host);
        }
    }

    /// Ends a server in the middle of whatever it does. False if it was about to exit, and now did.
    pub(super) fn crash(&mut self, host: HostId) -> bool {
        self.take_answers(host);
        if self.sim.crash(host).is_none() {
            return false;
        }
        self.ledger.crashed(self.life[&host]);
        self.transfers.ended(self.life[&host]);
        self.ended.push(self.sim.now());
        self.leaving.remove(&host);
        self.gone.insert(host, self.sim.now());
        true
    }

    fn leave_some(&mut self) {
        if let Some(host) = self.some_worker() {
            self.leave(host);
            self.restart_later(host);
        }
    }

    /// Tells a server to leave in good order.
    pub(super) fn leave(&mut self, host: HostId) {
        self.note(format!("{host} is told to leave"));
        self.leaving.insert(host);
        // Where its farewell gets lost, its silence tells.
        self.ended.push(self.sim.now());
        self.sim.act(host, |server, now| server.close(now));
    }

    /// Some never come back, so that their entries have to go, unless there are few left.
    fn restart_later(&mut self, host: HostId) {
        let back = self.sim.now() + Duration::from_millis(self.sim.rng.u64(..60_000));
        if self.sim.rng.u32(..3) > 0 || self.sim.running().count() < 2 {
            self.restarts.push((back, host));
        }
    }

    fn pause(&mut self) {
        let most = self.scenario.pause_most.as_millis() as u64;
        let (host, millis) = (self.some_host(), self.sim.rng.u64(..=most));
        let (Some(host), now, time) = (host, self.sim.now(), Duration::from_millis(millis)) else { return };
        self.sim.pause(host, time);
        self.excuses.paused(host, now, now + time);
    }

    fn reconnect(&mut self) {
        let host = self.some_host();
        host.into_iter().for_each(|host| self.sim.reconnect(host));
    }

    fn jump(&mut self) {
        let (host, ahead) = (self.some_host(), self.sim.rng.i64(-30_000_000..30_000_000));
        host.into_iter().for_each(|host| self.sim.set_clock(host, ahead));
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
        self.excuses.unheard(until);
        let arrow = if both { "<->" } else { "->" };
        let [from, to] =
            [true, false].map(|wanted| side(wanted).map(|host| host.to_string()).collect::<Vec<_>>());
        self.note(format!("cut ({kind:?}) {} {arrow} {} until {until}", from.join(" "), to.join(" ")));
    }

    /// Everything works from now on, and all servers run that ever will.
    pub(super) fn heal(&mut self) {
        self.note("all trouble ends".to_owned());
        let now = self.sim.now();
        self.unsettled = now;
        self.excuses.healed(now);
        self.silence = self.silence.min(Some(now));
        (self.sim.bus.faults, self.sim.store.faults) = (BusFaults::default(), StoreFaults::default());
        self.sim.bus.mend_all();
        std::mem::take(&mut self.mends);
        std::mem::take(&mut self.restarts).into_iter().for_each(|(_, host)| self.restart(host));
    }
}
