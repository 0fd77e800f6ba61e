//! Which lives of this server there were and are, as far as others tell.

use transport_traits::Instant;

use super::pool::Settings;
use crate::stats::{Stats, count};
use crate::wire::MAX_INT;

/// How far above its first incarnation a server goes on at most: a day, where incarnations are milliseconds.
const MAX_LIFT: u64 = 24 * 60 * 60 * 1_000;

/// How far above a claim it goes on at most. It is drawn by lot, lest two lives choose the same of which each was told
/// of another: others could not tell them apart.
const MAX_STEP: u64 = 1 << 16;

/// How often it does so at most. Once is enough unless somebody lies.
const MAX_LIFTS: u32 = 8;

/// The incarnations of this process, and what is known of others of its name.
#[derive(Debug)]
pub(crate) struct Lives {
    first: u64,
    lifts: u32,
    /// A later incarnation that others know of.
    claimed: Option<u64>,
    /// When a server of this name with a later incarnation was last heard itself.
    impostor: Option<Instant>,
}

impl Lives {
    pub(crate) const fn new(first: u64) -> Self {
        Self { first, lifts: 0, claimed: None, impostor: None }
    }

    /// Whether an incarnation was over before this process began.
    pub(crate) const fn is_past(&self, incarnation: u64) -> bool {
        incarnation < self.first
    }

    /// A server of this name was heard that has a later incarnation.
    pub(crate) const fn meet(&mut self, now: Instant) {
        self.impostor = Some(now);
    }

    /// Somebody knows of an incarnation of this server. A later one is believed within bounds, unless its server
    /// lives: two that live would lift each other for ever.
    pub(crate) fn claim(&mut self, now: Instant, incarnation: u64, settings: &Settings, stats: &mut Stats) {
        let is_alive = self.impostor.is_some_and(|at| now.since(at) < settings.config.timeout / 4);
        if incarnation <= settings.incarnation || is_alive {
            return;
        }
        let most = self.first.saturating_add(MAX_LIFT).min(MAX_INT - MAX_STEP);
        if incarnation < most && self.lifts < MAX_LIFTS {
            self.claimed = self.claimed.max(Some(incarnation));
        } else {
            count(&mut stats.disbelieved, "a claim of a later life of this server was not believed");
        }
    }

    /// The incarnation to go on with, if it is another.
    pub(crate) fn next(&mut self, rng: &mut fastrand::Rng) -> Option<u64> {
        let claimed = self.claimed.take()?;
        self.lifts += 1;
        Some(claimed + rng.u64(1..=MAX_STEP))
    }
}
