//! What the users of a fleet do all the time.

use std::sync::Arc;

use fleet_sim::HostId;
use nexus_store::Change;
use serde_json::Value;
use transport_traits::{Instant, Outgoing, RecordKey};

use super::fleet::Fleet;
use super::ledger::{SHARED, high, last, odd, own, sum};
use super::run::{CHAT, POOL};
use super::{Planted, Server, check, seats, staleness};

impl Fleet<'_> {
    /// Some server does something.
    pub(super) fn deed(&mut self) {
        let Some(host) = self.some_worker() else { return };
        match self.sim.rng.u32(..20) {
            0..9 => self.operate(host),
            9..11 => self.flush(host),
            11 => self.transfer(host),
            12..15 => self.contribute_own(host),
            15 => self.contribute_shared(host),
            _ => self.say(host),
        }
    }

    /// An operation of a server on a record: all that an account of the ledger says, and something that others contend for.
    fn operate(&mut self, host: HostId) {
        let (key, life) = (self.some_key(), self.life[&host]);
        let number = self.ledger.accepted(life, &key) + 1;
        let seat = seats::seat(number);
        let before = self.sim.node(host).and_then(|server| shown(server, &key, seat));
        let (mine, one) = (own(life), Change::Increment(1.into()));
        let writes = [
            (&*sum(life), Change::Increment(number.into())),
            (seat, seats::value(life, number).map_or(Change::Remove, set)),
            (&mine, one.clone()),
            (SHARED, one),
            (&last(life), set(number)),
            (&high(life), Change::Max(number.into())),
            (&odd(life), if number % 2 == 1 { set(number) } else { Change::Remove }),
        ];
        for (field, change) in writes {
            let done = self.write(host, &key, field, change);
            assert!(done, "the journal has room for what is asked here");
        }
        self.ledger.account(life, &key).accepted = number;
        self.seats.note((host, life), &key, before);
        self.note(format!("{host} writes to {key} for the {number}. time"));
        if let Some(count) = staleness::count(&self.sim, host, &key, &mine) {
            self.rises.note(self.sim.now(), life, &key, count);
        }
    }

    /// Whether a change was accepted.
    fn write(&mut self, host: HostId, key: &RecordKey, field: &str, change: Change) -> bool {
        let planted = self.planted;
        let done = self.sim.act(host, |server, now| {
            let seen = shown(server, key, field).unwrap_or(0);
            let change = match (planted, change) {
                (Some(Planted::SetsForIncrements), Change::Increment(by)) => {
                    set(seen + by.as_i64().expect("small integers are added"))
                }
                (_, change) => change,
            };
            let saves = server.saves.as_mut()?;
            let id = saves.id(key);
            saves.call(now).write(now.instant, id, field, change).ok()
        });
        done.flatten().is_some()
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

/// What a server shows of a number.
fn shown(server: &Server, key: &RecordKey, field: &str) -> Option<i64> {
    server.saves.as_ref()?.seen(key).get(field)?.as_i64()
}

fn set(number: i64) -> Change {
    Change::Set(Arc::new(Value::from(number)))
}
