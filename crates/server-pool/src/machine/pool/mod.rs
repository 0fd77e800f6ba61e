//! One pool of one server: its contributions, the others' logs, and the view made of both.

mod checkpoint;
mod liveness;
mod members;
mod owners;
mod receive;
mod refute;
mod send;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::de::IgnoredAny;
use transport_traits::{Instant, Topic};

use super::budget::Budget;
use super::change::{Notice, Reason, ViewState};
use super::clock::Clock;
use super::holders::Holders;
use super::lives::Lives;
use super::log::Stamped;
use super::own::Own;
use super::peers::Peers;
use super::{PoolId, StoreJob};
use crate::config::Config;
use crate::error::ContributeError;
use crate::stats::Stats;
use crate::wire::FrameLimit;
use checkpoint::Checkpoints;
use members::Members;
use owners::Shift;
use refute::Refuted;
use send::Outbox;
pub(crate) use send::{Job, Parcel, Sent};

/// What all pools of a server share. They change nothing of it.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) incarnation: u64,
    pub(crate) limit: FrameLimit,
    /// Whether the server hears its own messages.
    pub(crate) echo: bool,
}

/// What a pool borrows from its machine while it works.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) settings: &'a Settings,
    pub(crate) lives: &'a mut Lives,
    pub(crate) clock: &'a mut Clock,
    pub(crate) rng: &'a mut fastrand::Rng,
    pub(crate) notices: &'a mut VecDeque<(PoolId, Notice)>,
    pub(crate) store: &'a mut VecDeque<StoreJob>,
    pub(crate) stats: &'a mut Stats,
}

/// One pool.
#[derive(Debug)]
pub(crate) struct Pool {
    id: PoolId,
    topic: Topic,
    own: Own,
    peers: Peers,
    /// Which servers have an entry under a key.
    holders: Holders,
    /// Keys that somebody owns.
    entries: usize,
    outbox: Outbox,
    pub(crate) budget: Budget,
    /// When the bus last proved to work.
    heard: Instant,
    /// When this pool was last attended to.
    ticked: Instant,
    state: ViewState,
    synced: bool,
    /// Whoever lives has been heard by then, if nothing was lost.
    sync_after: Option<Instant>,
    /// The answers to the join come before this.
    join_answered: Instant,
    members: Members,
    refuted: Refuted,
    /// Reading and writing checkpoints, if there is a store for them.
    checkpoints: Option<Checkpoints>,
}

impl Pool {
    /// A pool whose subscription is in place.
    pub(crate) fn new(id: PoolId, topic: Topic, budget: Budget, context: &Context<'_>) -> Self {
        let now = context.now;
        Self {
            id,
            topic,
            own: Own::default(),
            peers: Peers::default(),
            holders: Holders::default(),
            entries: 0,
            outbox: Outbox::new(now),
            budget,
            heard: now,
            ticked: now,
            state: ViewState::Fresh,
            synced: false,
            sync_after: None,
            join_answered: now + context.settings.config.heartbeat,
            members: Members::default(),
            refuted: Refuted::default(),
            checkpoints: None,
        }
    }

    /// Contributes an entry.
    pub(crate) fn contribute(
        &mut self,
        context: &mut Context<'_>,
        key: &str,
        value: Arc<str>,
    ) -> Result<(), ContributeError> {
        // Anything else would make nonsense of the frames that it is in.
        let _: IgnoredAny = serde_json::from_str(&value)?;
        let (size, limit) = (context.settings.limit.entry_size(key, &value), context.settings.limit.entry());
        if size > limit {
            return Err(ContributeError::TooLarge { size, limit });
        }
        let known = self.own.claims.get_key_value(key);
        if known.is_some_and(|(_, put)| put.value == value) {
            return Ok(());
        }
        let limit = context.settings.config.max_origin_entries;
        if known.is_none() && self.own.claims.len() >= limit {
            return Err(ContributeError::Full { limit });
        }
        let is_new = known.is_none();
        let key = known.map_or_else(|| key.into(), |(key, _)| key.clone());
        let before = self.winner(context.settings, &key);
        if is_new {
            self.holders.add(self.holders.hash(&key), None);
        }
        let stamp = context.clock.stamp(context.now, before.as_ref().map(|(stamp, _)| *stamp));
        self.own.put(context.now, &key, Stamped { stamp, value });
        let shift = Shift::new(before, self.winner(context.settings, &key));
        self.tell_claim(context, &key, &context.settings.config.server, &shift, false);
        Ok(())
    }

    /// Takes an own contribution back. Whether there was one.
    pub(crate) fn withdraw(&mut self, context: &mut Context<'_>, key: &str) -> bool {
        let before = self.winner(context.settings, key);
        let had = self.take_own(context, key);
        if had {
            let shift = Shift::new(before, self.winner(context.settings, key));
            let server = &context.settings.config.server;
            self.tell_release(context, key, server, &shift, Reason::Withdrawn);
        }
        had
    }

    /// Forgets an own claim. Whether there was one.
    fn take_own(&mut self, context: &Context<'_>, key: &str) -> bool {
        let had = self.own.take(context.now, key);
        if had {
            self.holders.remove(self.holders.hash(key), None);
        }
        had
    }

    /// Takes all own contributions back, and says how many there were.
    pub(crate) fn withdraw_all(&mut self, context: &mut Context<'_>) -> usize {
        let keys: Vec<_> = self.own.claims.keys().cloned().collect();
        keys.iter().filter(|key| self.withdraw(context, key)).count()
    }

    /// Other servers that live.
    pub(crate) const fn servers(&self) -> usize {
        self.peers.living()
    }

    /// Keys that have a value.
    pub(crate) const fn entries(&self) -> usize {
        self.entries
    }
}
