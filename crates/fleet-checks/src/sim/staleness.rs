//! How old what servers show may be: since when somebody knows better.

use std::collections::BTreeMap;
use std::time::Duration;

use fleet_sim::{HostId, Sim};
use transport_traits::{Instant, RecordKey};

use super::check::{is_shared, pool_view};
use super::views::stored_count;
use super::{Server, ledger};

/// What a server contributed under a key last; `None` if it took it back; and when.
pub(super) type Contributions = BTreeMap<HostId, BTreeMap<String, (Option<String>, Instant)>>;

/// When each life's own counter of a record rose, as that life itself sees it.
#[derive(Debug, Default)]
pub(super) struct Rises(BTreeMap<(u64, RecordKey), Vec<(Instant, i64)>>);

impl Rises {
    /// A life's own view of its counter, after it wrote.
    pub(super) fn note(&mut self, now: Instant, life: u64, key: &RecordKey, count: i64) {
        self.0.entry((life, key.clone())).or_default().push((now, count));
    }

    /// Forgets what happened so far: it is not asked about any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Since when a server that runs has not seen what another that runs wrote, in the worst case, and where.
    pub(super) fn worst(
        &self,
        sim: &Sim<Server>,
        life: &BTreeMap<HostId, u64>,
    ) -> Option<(Duration, String)> {
        let writers = sim.running().filter_map(|host| Some((host, *life.get(&host)?)));
        writers.flat_map(|(writer, life)| self.unseen(sim, writer, life)).max()
    }

    /// Since when something is not stored that was written in this time, in the worst case, and what.
    pub(super) fn worst_unsaved(&self, sim: &Sim<Server>) -> Option<(Duration, String)> {
        let late = self.0.iter().filter_map(|((life, key), rises)| {
            let stored = stored_count(sim, key, *life);
            let (since, _) = rises.get(rises.partition_point(|(_, count)| *count <= stored))?;
            Some((sim.now().since(*since), format!("{} of {key}", ledger::own(*life))))
        });
        late.max()
    }

    fn unseen(&self, sim: &Sim<Server>, writer: HostId, life: u64) -> Vec<(Duration, String)> {
        let own = ledger::own(life);
        let of_life = self.0.range((life, first_key())..).take_while(|((of, _), _)| *of == life);
        let late = |(key, rises): (&RecordKey, &Vec<(Instant, i64)>)| {
            let watchers = sim.running().filter(|host| *host != writer && !sim.is_paused(*host));
            let ages = watchers.filter_map(|host| {
                let seen = count(sim, host, key, &own)?;
                let next = rises.partition_point(|(_, count)| *count <= seen);
                let (since, _) = rises.get(next)?;
                Some((sim.now().since(*since), format!("{own} of {key} on {host}")))
            });
            ages.max()
        };
        of_life.map(|((_, key), rises)| (key, rises)).filter_map(late).collect()
    }
}

fn first_key() -> RecordKey {
    RecordKey::new("", "")
}

/// A counter as a server shows it.
pub(super) fn count(sim: &Sim<Server>, host: HostId, key: &RecordKey, field: &str) -> Option<i64> {
    let seen = sim.node(host)?.saves.as_ref()?.seen(key);
    Some(seen.get(field).and_then(|value| value.as_i64()).unwrap_or(0))
}

/// Since when a pool of a server that runs does not show what another one that runs contributed or took back last.
pub(super) fn worst_of_pools(sim: &Sim<Server>, contributed: &Contributions) -> Option<(Duration, String)> {
    let watchers = sim.running().filter(|host| !sim.is_paused(*host));
    let ages = watchers.filter_map(|host| {
        let view = pool_view(sim, host)?;
        let owners = contributed.iter().filter(|(owner, _)| sim.node(**owner).is_some());
        let entries = owners.flat_map(|(_, entries)| entries).filter(|(key, _)| !is_shared(key));
        let differing = entries.filter(|(key, (value, _))| {
            view.get(key.as_str()).map(|shown| &*shown.value) != value.as_deref()
        });
        let late = differing.map(|(key, (_, since))| (sim.now().since(*since), format!("{key} on {host}")));
        late.max()
    });
    ages.max()
}
