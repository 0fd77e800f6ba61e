//! Asking for what is missing: when, and of whom.

use std::time::Duration;

use transport_traits::Instant;

use super::peers::Peers;
use super::pool::Context;
use super::ranges::Ranges;
use crate::stats::count;
use crate::wire::{Header, Kind, Packer, Want, want};

/// The most holes of one log asked for at once.
const MAX_HOLES: usize = 4;

/// The most ranges remembered of what others asked for of one log.
const MAX_OVERHEARD: usize = 64;

/// Unanswered requests wait longer each time, up to 2²-fold.
const MAX_DOUBLINGS: u32 = 2;

/// What is warned of when a server cannot be asked.
const OVERSIZED: &str = "a server's name is too long for a request to it on this bus";

/// The plan to ask for what is missing of one log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pull {
    /// When to ask; `None` if nothing is missing.
    pub(crate) due: Option<Instant>,
    /// How often it was asked for without progress.
    attempts: u32,
    /// What other servers asked for since we last did: the answer comes to us as well.
    overheard: Ranges,
    /// The last request was left to others, at least in part. Never twice running.
    yielded: bool,
}

impl Pull {
    /// Nothing is missing.
    pub(crate) fn rest(&mut self) {
        // What is not asked for has no other state to forget, and few are asked for.
        if self.due.is_some() {
            *self = Self::default();
        }
    }

    /// Asks anew at this time, since something else is missing than before.
    pub(crate) fn restart(&mut self, due: Instant) {
        (self.due, self.attempts) = (Some(due), 0);
    }

    /// Which of the holes to ask for now.
    fn choose(&self, holes: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
        let left = |(from, to): &(u64, u64)| self.yielded || !self.overheard.contains(*from, *to);
        holes.filter(left).take(MAX_HOLES).collect()
    }

    /// It was asked for now, or left to others.
    fn asked(&mut self, due: Instant) {
        self.due = Some(due);
        self.attempts = self.attempts.saturating_add(1);
        self.yielded = !self.yielded && !self.overheard.is_empty();
        self.overheard = Ranges::default();
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
        let mut packer = Packer::new(&context.settings.limit, Kind::Pull, header, "");
        let soon = now + context.settings.config.repair_delay / 2;
        let wanting = self.wanting();
        let is_due = wanting.iter().any(|(_, due)| *due <= now);
        for (place, _) in wanting.into_iter().filter(|(_, due)| is_due && *due <= soon) {
            let Some((server, incarnation, live)) = self.live_at(place) else { continue };
            let mut wants = live.pull.choose(live.origin.missing()).into_iter();
            let is_first = packer.is_empty();
            if !wants.next().is_none_or(|(from, to)| packer.push(&want(&server, incarnation, from, to))) {
                if !is_first {
                    break;
                }
                count(&mut context.stats.oversized, OVERSIZED);
            }
            // What does not fit any more is asked for next time.
            let _ = wants.all(|(from, to)| packer.push(&want(&server, incarnation, from, to)));
            let due = now + delay(context, live.pull.attempts + 1);
            live.pull.asked(due);
        }
        self.next_pull = self.wanting().into_iter().map(|(_, due)| due).min();
        (!packer.is_empty()).then(|| packer.finish(Kind::Pull, header, ""))
    }

    /// Waits for the answer to another server's request if it is the one we would make.
    pub(crate) fn overhear(&mut self, context: &mut Context<'_>, want: &Want<'_>) {
        let place = self.find_life(&want.server, want.incarnation);
        let Some(live) = place.and_then(|place| self.live_mut(place)) else { return };
        let pull = &mut live.pull;
        if pull.due.is_none() || pull.yielded || pull.overheard.len() >= MAX_OVERHEARD {
            return;
        }
        pull.overheard.insert(want.from, want.to);
        if live.origin.missing().all(|(from, to)| pull.overheard.contains(from, to)) {
            pull.asked(context.now + delay(context, pull.attempts + 1));
        }
    }
}
