//! When do the servers' views of the pool agree with each other and with the truth?

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::fleet::Fleet;
use super::server::Server;

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The view of the pool that a server has: who is online, and the server that says so.
fn view_of(server: &Server) -> BTreeMap<String, String> {
    let entries = server.online.snapshot();
    entries.iter().map(|entry| (entry.key.to_string(), entry.owner.to_string())).collect()
}

/// Waits until no running server shows a player on the server that died; how long that took.
pub(super) async fn after_crash(fleet: &Fleet, dead: &Server) -> Duration {
    wait_until(|| {
        let shows_dead = |server: &Server| view_of(server).values().any(|owner| *owner == dead.name);
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
    let truth: BTreeMap<String, String> =
        fleet.truth().iter().filter_map(|(player, home)| Some((player.to_string(), name(home)?))).collect();
    fleet.running().iter().find_map(|server| {
        let view = view_of(server);
        let missing = truth.iter().filter(|(player, home)| view.get(*player) != Some(home)).count();
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
