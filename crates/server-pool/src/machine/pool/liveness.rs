//! Who lives: silence, the proof that the bus works, and when everything is known.

use std::time::Duration;

use transport_traits::Instant;

use crate::machine::change::{Notice, Reason, ViewState};

use super::{Context, Pool, Settings};

impl Pool {
    /// Does what is due by the clock, besides sending.
    pub(crate) fn tick(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        let timeout = context.settings.config.timeout;
        if now.since(self.ticked) > timeout / 4 {
            self.forgive(now);
        }
        self.ticked = now;
        self.check_fresh(context);
        if self.state == ViewState::Fresh {
            let expired = self.peers.expire(now, timeout);
            context.stats.expired += expired.len() as u64;
            self.drop_origins(context, expired, Reason::Expired);
        }
        self.own.log.prune(now, 2 * timeout);
        self.check_synced(context);
        self.write_checkpoint(context);
    }

    /// When [`tick`](Self::tick) has something to do. Often enough that a pause of this server is told
    /// from silence of the others.
    pub(crate) fn next_tick(&self, now: Instant, settings: &Settings) -> Instant {
        let timeout = settings.config.timeout;
        let fresh = self.state == ViewState::Fresh;
        let expiry = self.peers.next_expiry().filter(|_| fresh);
        let stale = Some(self.heard + timeout / 2).filter(|_| fresh && self.expects_to_hear(settings));
        let sync = self.sync_after.filter(|at| !self.synced && *at > now);
        let prune = self.own.log.next_prune(2 * timeout);
        let regular = self.ticked + timeout / 8;
        let checkpoint = self.next_checkpoint().filter(|_| fresh);
        [expiry, stale, sync, prune, checkpoint].into_iter().flatten().fold(regular, Instant::min)
    }

    /// The bus works. While it did not, nobody's silence counts.
    pub(super) fn hear(&mut self, context: &mut Context<'_>) {
        let silent = context.now.since(self.heard);
        self.heard = context.now;
        if silent > longest_lull(context.settings) {
            self.peers.excuse(silent, context.now);
        }
        if self.state == ViewState::Stale {
            self.forgive(context.now);
            self.enter(context, ViewState::Fresh);
        }
    }

    /// Nothing will be heard any more.
    pub(crate) fn deafen(&mut self, context: &mut Context<'_>) {
        tracing::warn!(
            topic = &*self.topic,
            "the subscription to a pool's topic has ended: its view is stale"
        );
        if self.state == ViewState::Fresh {
            self.enter(context, ViewState::Stale);
        }
    }

    /// Gives everybody a full timeout: it was this server that could not hear.
    fn forgive(&mut self, now: Instant) {
        self.heard = now;
        self.peers.renew(now);
    }

    fn check_fresh(&mut self, context: &mut Context<'_>) {
        let silent = self.heard + context.settings.config.timeout / 2 <= context.now;
        if silent && self.state == ViewState::Fresh && self.expects_to_hear(context.settings) {
            tracing::warn!(topic = &*self.topic, "nothing heard on a pool's topic: its view is stale");
            self.enter(context, ViewState::Stale);
        }
    }

    /// Whether silence means anything: on a bus without echo a server alone hears nothing.
    fn expects_to_hear(&self, settings: &Settings) -> bool {
        settings.echo || self.peers.living() > 0
    }

    fn enter(&mut self, context: &mut Context<'_>, state: ViewState) {
        self.state = state;
        context.notices.push_back((self.id, Notice::State(state)));
    }

    fn check_synced(&mut self, context: &mut Context<'_>) {
        let waited = self.sync_after.is_some_and(|at| at <= context.now);
        if waited && !self.synced && self.peers.is_complete() {
            self.synced = true;
            context.notices.push_back((self.id, Notice::Synced));
        }
    }
}

/// For how long nothing at all may be heard before it is held against the bus and not against the silent. Too short for
/// a stale view, such silences would add up to a timeout otherwise. A survivor that hears its own heartbeats alone must
/// not take the time between these for one: they may come as rarely as four in a timeout.
fn longest_lull(settings: &Settings) -> Duration {
    (settings.config.timeout / 4).max(2 * settings.config.heartbeat)
}
