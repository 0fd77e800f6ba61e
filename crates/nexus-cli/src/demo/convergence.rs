//! When do the servers' views of the pool agree with each other and with the truth?

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use server_pool::Entry;

use super::fleet::Fleet;
use super::server::{Presence, Server};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A view of the pool: who is online, the server that says so, and what it tells.
type View = BTreeMap<String, (String, Presence)>;

fn view_of(server: &Server) -> View {
    let entries = server.online.snapshot();
    let told = |entry: &Entry<Presence>| (entry.owner.to_string(), Presence::clone(&entry.value));
    entries.iter().map(|entry| (entry.key.to_string(), told(entry))).collect()
}

/// Waits until no running server shows a player on the server that died; how long that took.
pub(super) async fn after_crash(fleet: &Fleet, dead: &Server) -> Duration {
    wait_until(|| {
        let shows_dead = |server: &Server| view_of(server).values().any(|(owner, _)| *owner == dead.name);
        fleet.running().iter().all(|server| !shows_dead(server))
    })
    .await
}

/// Waits until the server that joined shows everybody who was online when it joined and still is.
pub(super) async fn after_join(fleet: &Fleet, joined: &Server) -> Duration {
    let mut expected: BTreeSet<u32> = fleet.truth().into_keys().collect();
    wait_until(|| {
        let truth = fleet.truth();
        expected.retain(|player| truth.contains_key(player));
        let view = view_of(joined);
        expected.iter().all(|player| view.contains_key(&player.to_string()))
    })
    .await
}

/// Waits until every running server shows exactly the truth, but at most `patience`; whether they do.
pub(super) async fn of_all(fleet: &Fleet, patience: Duration) -> Option<Duration> {
    tokio::time::timeout(patience, wait_until(|| differing(fleet).is_none())).await.ok()
}

/// A running server whose view differs from the truth, and in how many players.
pub(super) fn differing(fleet: &Fleet) -> Option<(String, usize)> {
    let servers = fleet.all();
    let name = |number: &usize| {
        servers.iter().find(|server| server.number == *number).map(|server| server.name.clone())
    };
    let shown = |player: u32, home| Some((player.to_string(), (name(&home)?, Presence::of(player))));
    let truth: View = fleet.truth().into_iter().filter_map(|(player, home)| shown(player, home)).collect();
    fleet.running().iter().find_map(|server| {
        let view = view_of(server);
        let missing = truth.iter().filter(|(player, entry)| view.get(*player) != Some(entry)).count();
        let extra = view.keys().filter(|player| !truth.contains_key(*player)).count();
        (missing + extra > 0).then(|| (server.name.clone(), missing + extra))
    })
}

async fn wait_until(mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    start.elapsed()
}
