//! What servers show of their records while time goes on: never less than they showed, and all that they wrote themselves.

use std::collections::BTreeMap;

use fleet_sim::{HostId, Sim};
use serde_json::Value;
use transport_traits::RecordKey;

use super::ledger::{Ledger, OWN, own};
use super::{Server, check};

/// The highest count of each life's operations that each life ever showed.
#[derive(Debug, Default)]
pub(super) struct Views(BTreeMap<(u64, RecordKey), BTreeMap<String, i64>>);

impl Views {
    /// A counter that only ever rises and showed more before. To be asked often.
    pub(super) fn fallen(
        &mut self,
        sim: &Sim<Server>,
        lives: &BTreeMap<HostId, u64>,
        keys: &[RecordKey],
    ) -> Option<String> {
        let mut fallen = None;
        for (host, key) in places(sim, keys) {
            let Some(saves) = sim.node(host).and_then(|server| server.saves.as_ref()) else { continue };
            if saves.is_shut() {
                continue;
            }
            let highest = self.0.entry((lives[&host], key.clone())).or_default();
            let seen = saves.seen(key);
            for (field, value) in seen.iter().filter(|(field, _)| field.starts_with(OWN)) {
                let count = value.as_i64().unwrap_or(0);
                let before = highest.entry(field.to_string()).or_default();
                *before = count.max(*before);
            }
            let shown = |field: &str| seen.get(field).and_then(|value| value.as_i64()).unwrap_or(0);
            let less = highest.iter().find(|(field, before)| shown(field) < **before);
            let wrong = less.map(|(field, before)| {
                format!("{field} of {key} on {host} is {}, and was {before}", shown(field))
            });
            fallen = fallen.or(wrong);
        }
        fallen
    }
}

/// Of what a server wrote itself it shows everything, but for as many operations as it reports as of unknown fate.
pub(super) fn own_writes(
    sim: &Sim<Server>,
    lives: &BTreeMap<HostId, u64>,
    keys: &[RecordKey],
    ledger: &Ledger,
) -> Option<String> {
    places(sim, keys).find_map(|(host, key)| {
        let saves = sim.node(host)?.saves.as_ref()?;
        if saves.is_shut() {
            return None;
        }
        let life = lives[&host];
        let shown = saves.seen(key).get(own(life).as_str()).and_then(|value| value.as_i64()).unwrap_or(0);
        let accepted = ledger.accepted(life, key);
        let undetermined = saves.machine().stats().undetermined as i64;
        let may_be = accepted - undetermined..=accepted;
        let wrong = || format!("{host} wrote {accepted} times to {key}, and shows {shown}");
        (!may_be.contains(&shown)).then(wrong)
    })
}

/// What is stored of a life's operations on a record.
pub(super) fn stored_count(sim: &Sim<Server>, key: &RecordKey, life: u64) -> i64 {
    check::stored(sim, key).get(own(life)).and_then(Value::as_i64).unwrap_or(0)
}

fn places<'a>(sim: &'a Sim<Server>, keys: &'a [RecordKey]) -> impl Iterator<Item = (HostId, &'a RecordKey)> {
    sim.running().flat_map(move |host| keys.iter().map(move |key| (host, key)))
}
