//! When do the servers' views of the pool agree with each other and with the truth?

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::fleet::Fleet;
use super::protocol::{Presence, View};
use super::server::{Server, name_of};
use crate::failure::Failure;

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until no running server shows a player on the server that died; how long that took.
pub(super) async fn after_crash(fleet: &Fleet, dead: &Server) -> Result<Duration, Failure> {
    wait_until(async || {
        for server in fleet.running() {
            let view = server.view().await?;
            if view.is_some_and(|view| view.values().any(|(owner, _)| *owner == dead.name)) {
                return Ok(false);
            }
        }
        Ok(true)
    })
    .await
}

/// Waits until the server that joined shows everybody who was online when it joined and still is.
pub(super) async fn after_join(fleet: &Fleet, joined: &Server) -> Result<Duration, Failure> {
    let mut expected: BTreeSet<u32> = fleet.truth().into_keys().collect();
    wait_until(async || {
        let view = joined.view().await?.unwrap_or_default();
        let truth = fleet.truth();
        expected.retain(|player| truth.contains_key(player));
        Ok(expected.iter().all(|player| view.contains_key(&player.to_string())))
    })
    .await
}

/// Waits until every running server shows exactly the truth, but at most `patience`; whether they do.
pub(super) async fn of_all(fleet: &Fleet, patience: Duration) -> Result<bool, Failure> {
    let agreed = wait_until(async || Ok(differing(fleet).await?.is_none()));
    match tokio::time::timeout(patience, agreed).await {
        Ok(agreed) => agreed.map(|_| true),
        Err(_) => Ok(false),
    }
}

/// A running server whose view differs from the truth, and in how many players.
pub(super) async fn differing(fleet: &Fleet) -> Result<Option<(String, usize)>, Failure> {
    let shown = |(player, home): (u32, usize)| (player.to_string(), (name_of(home), Presence::of(player)));
    let truth: View = fleet.truth().into_iter().map(shown).collect();
    for server in fleet.running() {
        let Some(view) = server.view().await? else { continue };
        let missing = truth.iter().filter(|(player, entry)| view.get(*player) != Some(entry)).count();
        let extra = view.keys().filter(|player| !truth.contains_key(*player)).count();
        if missing + extra > 0 {
            return Ok(Some((server.name.clone(), missing + extra)));
        }
    }
    Ok(None)
}

async fn wait_until(mut holds: impl AsyncFnMut() -> Result<bool, Failure>) -> Result<Duration, Failure> {
    let start = Instant::now();
    while !holds().await? {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(start.elapsed())
}
