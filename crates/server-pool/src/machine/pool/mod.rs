//! One pool of one server: its contributions, the others' logs, and the view made of both.

mod checkpoint;
mod liveness;
mod members;
mod receive;
mod send;

use std::collections::VecDeque;
use std::sync::Arc;

use transport_traits::{Instant, Topic};

use super::budget::Budget;
use super::change::{Change, Notice, Reason, ViewState};
use super::clock::Clock;
use super::log::Stamped;
use super::own::Own;
use super::peers::Peers;
use super::view::{Shift, View};
use super::{PoolId, StoreJob};
use crate::config::Config;
use crate::error::ContributeError;
use crate::stats::Stats;
use crate::wire::FrameLimit;
use checkpoint::Checkpoints;
use members::Members;
use send::Outbox;
pub(crate) use send::{Job, Parcel, Sent};

/// What all pools of a server share and never change.
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
    view: View,
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
            view: View::default(),
            outbox: Outbox::new(now),
            budget,
            heard: now,
            ticked: now,
            state: ViewState::Fresh,
            synced: false,
            sync_after: None,
            join_answered: now + context.settings.config.heartbeat,
            members: Members::default(),
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
        let key = known.map_or_else(|| key.into(), |(key, _)| key.clone());
        let replaced = self.view.winner(&key).map(|claim| claim.0);
        let stamp = context.clock.stamp(context.now, replaced);
        self.own.put(context.now, &key, Stamped { stamp, value });
        let server = context.settings.config.server.clone();
        let shift = self.view.claim(&key, &server, stamp);
        self.tell_claim(context, key, &server, &shift, false);
        Ok(())
    }

    /// Takes an own contribution back. Whether there was one.
    pub(crate) fn withdraw(&mut self, context: &mut Context<'_>, key: &str) -> bool {
        let had = self.own.take(context.now, key);
        if had {
            let shift = self.view.release(key, &context.settings.config.server);
            self.tell_release(
                context,
                key.into(),
                &context.settings.config.server,
                &shift,
                Reason::Withdrawn,
            );
        }
        had
    }

    /// Takes all own contributions back, and says how many there were.
    pub(crate) fn withdraw_all(&mut self, context: &mut Context<'_>) -> usize {
        let keys: Vec<_> = self.own.claims.keys().cloned().collect();
        keys.iter().filter(|key| self.withdraw(context, key)).count()
    }

    /// Other servers that live.
    pub(crate) fn servers(&self) -> usize {
        self.peers.live().count()
    }

    /// Keys that have a value.
    pub(crate) fn entries(&self) -> usize {
        self.view.len()
    }

    /// Tells what a server's new or renewed claim changed. `same`: its value is the one that it had.
    fn tell_claim(&self, context: &mut Context<'_>, key: Arc<str>, server: &str, shift: &Shift, same: bool) {
        let (before, after) = (shift.before.as_deref(), shift.after.as_deref());
        let kept = before == after;
        if after != Some(server) && before != Some(server) || kept && same {
            return;
        }
        let reason = if before.is_none() || kept { Reason::Updated } else { Reason::Overtaken };
        self.tell_owner(context, key, shift, reason);
    }

    /// Tells what the end of a server's claim changed.
    fn tell_release(
        &self,
        context: &mut Context<'_>,
        key: Arc<str>,
        server: &str,
        shift: &Shift,
        reason: Reason,
    ) {
        if shift.before.as_deref() == Some(server) {
            self.tell_owner(context, key, shift, reason);
        }
    }

    fn tell_owner(&self, context: &mut Context<'_>, key: Arc<str>, shift: &Shift, reason: Reason) {
        let change = match &shift.after {
            None => Change::Removed { key, reason },
            Some(owner) => {
                let own = *owner == context.settings.config.server;
                let value = if own {
                    self.own.claims.get(&key).map(|put| &put.value)
                } else {
                    self.peers.value(owner, &key)
                };
                let value = value.expect("who wins a key has a value for it").clone();
                Change::Set { key, value, owner: owner.clone(), reason }
            }
        };
        context.notices.push_back((self.id, Notice::Changed(change)));
    }
}
