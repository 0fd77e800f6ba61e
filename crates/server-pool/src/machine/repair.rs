//! Asking for what is missing: when, and of whom.

use std::time::Duration;

use transport_traits::Instant;

use super::peers::Peers;
use super::pool::Context;
use crate::wire::{FrameLimit, Header, Kind, Packer, Want, want};

/// The most holes of one log asked for at once.
const MAX_HOLES: usize = 4;

/// Unanswered requests wait longer each time, up to 2²-fold.
const MAX_DOUBLINGS: u32 = 2;

/// The plan to ask for what is missing of one log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pull {
    /// When to ask; `None` if nothing is missing.
    pub(crate) due: Option<Instant>,
    /// How often it was asked for without progress.
    attempts: u32,
    /// Another server asked for the same, so we wait for that answer. Never twice running.
    yielded: bool,
}

impl Pull {
    /// A first request at this time.
    pub(crate) const fn at(due: Instant) -> Self {
        Self { due: Some(due), attempts: 0, yielded: false }
    }
}

/// A repair delay with its jitter.
pub(crate) fn delay(context: &mut Context<'_>, doublings: u32) -> Duration {
    let delay = context.settings.config.repair_delay * (1 << doublings.min(MAX_DOUBLINGS));
    delay.mul_f64(1.0 + context.rng.f64() / 2.0)
}

impl Peers {
    /// Packs requests for everything that is due, and what is nearly due with it. `None` if nothing is.
    pub(crate) fn pack_pulls(&mut self, context: &mut Context<'_>, header: &Header) -> Option<bytes::Bytes> {
        let now = context.now;
        let limit: &FrameLimit = &context.settings.limit;
        let mut packer = Packer::new(limit, Kind::Pull, header, "");
        let is_due = self.live().any(|(_, live)| live.pull.due.is_some_and(|due| due <= now));
        let soon = now + context.settings.config.repair_delay / 2;
        for (server, incarnation, live) in self.live_pulls() {
            if !is_due || live.pull.due.is_none_or(|due| due > soon) {
                continue;
            }
            let holes = live.origin.missing().take(MAX_HOLES);
            let wants: String = holes.map(|(from, to)| want(server, incarnation, from, to)).collect();
            if !packer.push(&wants) {
                break;
            }
            let attempts = live.pull.attempts + 1;
            let due = now + delay(context, attempts);
            live.pull = Pull { due: Some(due), attempts, yielded: false };
        }
        self.next_pull = self.live().filter_map(|(_, live)| live.pull.due).min();
        (!packer.is_empty()).then(|| packer.finish(Kind::Pull, header, ""))
    }

    /// Waits for the answer to another server's request if it is the one we would make.
    pub(crate) fn overhear(&mut self, context: &mut Context<'_>, want: &Want<'_>) {
        if self.incarnation(&want.server) != Some(want.incarnation) {
            return;
        }
        let Some(live) = self.live_mut(&want.server) else { return };
        let asked = |(from, to)| want.from <= from && to <= want.to;
        if live.pull.due.is_some() && !live.pull.yielded && live.origin.missing().all(asked) {
            live.pull.due = Some(context.now + delay(context, live.pull.attempts + 1));
            live.pull.yielded = true;
        }
    }
}
