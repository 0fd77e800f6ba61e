//! What the users of a fleet do all the time.

use std::sync::Arc;

use fleet_sim::HostId;
use nexus_store::Change;
use serde_json::Value;
use transport_traits::{Instant, Outgoing};

use super::fleet::Fleet;
use super::ledger::{SHARED, high, last, odd, own};
use super::run::{CHAT, POOL};
use super::staleness;
use super::{Planted, check};

impl Fleet<'_> {
    /// Some server does something.
    pub(super) fn deed(&mut self) {
        let Some(host) = self.some_worker() else { return };
        match self.sim.rng.u32(..20) {
            0..9 => self.increment(host),
            9..11 => self.flush(host),
            11 => self.transfer(host),
            12..15 => self.contribute_own(host),
            15 => self.contribute_shared(host),
            _ => self.say(host),
        }
    }

    /// Increments a field of the server's own and then the shared one, and makes others what goes with how often it did: one
    /// by Set, one by Max, and one by Set and Remove in turn.
    fn increment(&mut self, host: HostId) {
        let (key, life) = (self.some_key(), self.life[&host]);
        let (planted, number) = (self.planted, self.ledger.account(life, &key).accepted + 1);
        let mut write = |field: &str, change: Change| {
            self.sim.act(host, |server, now| {
                let saves = server.saves.as_mut()?;
                let seen = saves.seen(&key).get(field).and_then(|value| value.as_i64()).unwrap_or(0);
                let change = match (planted, change) {
                    (Some(Planted::SetsForIncrements), Change::Increment(_)) => set(seen + 1),
                    (_, change) => change,
                };
                let id = saves.id(&key);
                saves.call(now).write(now.instant, id, field, change).ok()
            })
        };
        let (mine, one) = (own(life), Change::Increment(1.into()));
        let mark = if number % 2 == 1 { set(number) } else { Change::Remove };
        let writes = [
            (mine.as_str(), one.clone()),
            (SHARED, one),
            (&last(life), set(number)),
            (&high(life), Change::Max(number.into())),
            (&odd(life), mark),
        ];
        let done = writes.map(|(field, change)| write(field, change)).map(Option::flatten);
        assert_eq!(done, [Some(()); 5], "the journal has room for what is asked here");
        self.ledger.account(life, &key).accepted = number;
        self.note(format!("{host} increments {key} for the {number}. time"));
        if let Some(count) = staleness::count(&self.sim, host, &key, &mine) {
            self.rises.note(self.sim.now(), life, &key, count);
        }
    }

    fn flush(&mut self, host: HostId) {
        let (key, life) = (self.some_key(), self.life[&host]);
        let ticket = self.sim.act(host, |server, now| Some(server.saves.as_mut()?.flush(now, &key)));
        if let Some(ticket) = ticket.flatten() {
            self.note(format!("{host} flushes {key}"));
            self.ledger.flushing(life, &key, ticket);
        }
    }

    fn transfer(&mut self, host: HostId) {
        let (key, life) = (self.some_key(), self.life[&host]);
        let ticket = self.sim.act(host, |server, now| Some(server.saves.as_mut()?.transfer(now, &key)));
        if let Some(ticket) = ticket.flatten() {
            self.note(format!("{host} transfers in {key}"));
            let is_done = self.planted == Some(Planted::UpdatesDoneAtOnce);
            self.transfers.asked(life, &key, ticket, is_done);
        }
    }

    fn contribute_own(&mut self, host: HostId) {
        let key = format!("{host}/{}", self.sim.rng.u32(..5));
        self.contribute(host, key);
    }

    /// A player hops to this server.
    fn contribute_shared(&mut self, host: HostId) {
        let key = format!("player{}", self.sim.rng.u32(..4));
        self.contribute(host, key);
    }

    fn contribute(&mut self, host: HostId, key: String) {
        if !self.scenario.pools {
            return self.say(host);
        }
        let rng = &mut self.sim.rng;
        let value = (rng.u32(..4) > 0).then(|| rng.u32(..).to_string());
        self.sim.act(host, |server, now| {
            let pool = server.pools.id(POOL);
            let Some(value) = &value else { return server.pools.withdraw(now, pool, &key) };
            let done = server.pools.call(now).contribute(now.instant, pool, &key, value.as_str().into());
            assert!(done.is_ok(), "small entries fit: {done:?}");
        });
        let verb = if value.is_some() { "contributes" } else { "withdraws" };
        self.note(format!("{host} {verb} {key}"));
        let now = self.sim.now();
        if check::is_shared(&key) {
            self.hops.note(now, (host, self.life[&host]), &key, value.clone());
        }
        self.contributed.entry(host).or_default().insert(key, (value, now));
    }

    fn say(&mut self, host: HostId) {
        let life = self.life[&host];
        let number = self.said.get(&life).map_or(1, |said| said + 1);
        // In a calm time what is to be measured must not wait behind what is only long.
        let is_calm = self.calm_since > Instant::ZERO;
        let padding = "x".repeat(if is_calm { 0 } else { self.scenario.message_bytes });
        let message = Outgoing::new(CHAT, format!("[{life},{number},\"{padding}\"]"));
        if self.sim.act(host, |server, now| server.publish(now, message)) == Some(true) {
            self.said.insert(life, number);
        }
    }
}

fn set(number: i64) -> Change {
    Change::Set(Arc::new(Value::from(number)))
}
