//! What the users of a fleet do all the time.

use std::sync::Arc;

use fleet_sim::HostId;
use nexus_store::Change;
use serde_json::Value;
use transport_traits::Outgoing;

use super::Planted;
use super::fleet::Fleet;
use super::ledger::{SHARED, last, own};
use super::run::{CHAT, POOL};
use super::staleness;

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

    /// Increments a field of the server's own and then the shared one, and sets another to how often it did.
    fn increment(&mut self, host: HostId) {
        let (key, life) = (self.some_key(), self.life[&host]);
        let (planted, number) = (self.planted, self.ledger.account(life, &key).accepted + 1);
        let mut write = |field: &str, is_count: bool| {
            self.sim.act(host, |server, now| {
                let saves = server.saves.as_mut()?;
                let seen = saves.seen(&key).get(field).and_then(|value| value.as_i64()).unwrap_or(0);
                let change = match planted {
                    _ if is_count => Change::Set(Arc::new(Value::from(number))),
                    Some(Planted::SetsForIncrements) => Change::Set(Arc::new(Value::from(seen + 1))),
                    _ => Change::Increment(1.into()),
                };
                let id = saves.id(&key);
                saves.call(now).write(now.instant, id, field, change).ok()
            })
        };
        let (mine, count) = (own(life), last(life));
        let done = [(mine.as_str(), false), (SHARED, false), (count.as_str(), true)];
        let done = done.map(|(field, is_count)| write(field, is_count)).map(Option::flatten);
        assert_eq!(done, [Some(()); 3], "the journal has room for what is asked here");
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
        self.contributed.entry(host).or_default().insert(key, (value, self.sim.now()));
    }

    fn say(&mut self, host: HostId) {
        self.said += 1;
        let padding = "x".repeat(self.scenario.message_bytes);
        let message = Outgoing::new(CHAT, format!("[{},{},\"{padding}\"]", self.life[&host], self.said));
        self.sim.act(host, |server, now| server.publish(now, message));
    }
}
