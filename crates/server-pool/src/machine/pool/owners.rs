//! Who owns each key, and telling when that changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::machine::change::{Change, Notice, Reason};
use crate::machine::origin::{Effect, Origin};

use super::{Context, Pool, Settings};

/// A server's claim to a key: stamp and server. Ordered as claims win over each other.
pub(super) type Claim = (u64, Arc<str>);

/// Who owned a key before and after something happened to a claim.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) before: Option<Arc<str>>,
    pub(super) after: Option<Arc<str>>,
}

impl Shift {
    pub(super) fn new(before: Option<Claim>, after: Option<Claim>) -> Self {
        let [before, after] = [before, after].map(|claim| claim.map(|(_, server)| server));
        Self { before, after }
    }
}

impl Pool {
    /// The claim to a key that wins: the greatest of all that living servers have.
    pub(super) fn winner(&self, settings: &Settings, key: &str) -> Option<Claim> {
        self.winner_beside(settings, key, "")
    }

    /// The one that would win if this server had none. No server's name is empty.
    fn winner_beside(&self, settings: &Settings, key: &str, server: &str) -> Option<Claim> {
        let own = self.own.claims.get(key).map(|put| (put.stamp, settings.config.server.clone()));
        let others = self.holders.of(key).filter(|holder| ***holder != *server);
        let others = others.filter_map(|holder| Some((self.peers.claim(holder, key)?.0, holder.clone())));
        own.into_iter().chain(others).max()
    }

    /// Takes in what changed of another server's claim. Its log has changed already.
    pub(super) fn take_effect(
        &mut self,
        context: &mut Context<'_>,
        server: &Arc<str>,
        key: &Arc<str>,
        effect: &Effect,
    ) {
        match (effect.before, effect.after) {
            (None, Some(_)) => self.holders.add(key, server),
            (Some(_), None) => self.holders.remove(key, server),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let rest = self.winner_beside(context.settings, key, server);
        let with = |stamp: Option<u64>| rest.clone().max(stamp.map(|stamp| (stamp, server.clone())));
        let shift = Shift::new(with(effect.before), with(effect.after));
        match effect.after {
            None => self.tell_release(context, key, server, &shift, Reason::Withdrawn),
            Some(stamp) => {
                context.clock.observe(context.now, stamp);
                self.tell_claim(context, key, server, &shift, effect.same);
                self.give_way(context, key);
            }
        }
    }

    /// Takes an own claim back that another server has overtaken. Its owner's removal must not bring it
    /// back, nor this server's leave or restart touch the key. What others say of a server is not enough: it may
    /// be gone.
    fn give_way(&mut self, context: &mut Context<'_>, key: &str) {
        let winner = self.winner(context.settings, key);
        let overtaken = winner.is_some_and(|(_, server)| self.peers.is_confirmed(&server));
        if overtaken && self.own.take(context.now, key) {
            context.stats.overtaken += 1;
        }
    }

    /// A server of which others had told was heard itself: its claims count in full.
    pub(super) fn give_way_to(&mut self, context: &mut Context<'_>, server: &str) {
        let keys = self.own.claims.keys().filter(|key| self.peers.claim(server, key).is_some());
        let keys: Vec<_> = keys.cloned().collect();
        keys.iter().for_each(|key| self.give_way(context, key));
    }

    /// Takes all claims of servers away that are gone: of all at once, so that no event shows a claim of
    /// one that is gone as well.
    pub(super) fn drop_origins(
        &mut self,
        context: &mut Context<'_>,
        origins: impl IntoIterator<Item = (Arc<str>, Origin)>,
        reason: Reason,
    ) {
        let mut gone = BTreeMap::<Arc<str>, Claim>::new();
        for (server, origin) in origins {
            for (key, stamp) in origin.claims() {
                self.holders.remove(key, &server);
                let claim = (stamp, server.clone());
                match gone.get_mut(key) {
                    Some(greatest) => *greatest = claim.max(greatest.clone()),
                    None => drop(gone.insert(key.into(), claim)),
                }
            }
        }
        self.holders.shrink();
        for (key, claim) in gone {
            let after = self.winner(context.settings, &key);
            if after.as_ref().is_none_or(|after| *after < claim) {
                self.tell_owner(context, &key, &Shift::new(Some(claim), after), reason);
            }
        }
    }

    /// Tells what a server's new or renewed claim changed. `same`: its value is the one that it had.
    pub(super) fn tell_claim(
        &mut self,
        context: &mut Context<'_>,
        key: &Arc<str>,
        server: &str,
        shift: &Shift,
        same: bool,
    ) {
        let (before, after) = (shift.before.as_deref(), shift.after.as_deref());
        let kept = before == after;
        if after != Some(server) && before != Some(server) || kept && same {
            return;
        }
        let reason = if before.is_none() || kept { Reason::Updated } else { Reason::Overtaken };
        self.tell_owner(context, key, shift, reason);
    }

    /// Tells what the end of a server's claim changed.
    pub(super) fn tell_release(
        &mut self,
        context: &mut Context<'_>,
        key: &Arc<str>,
        server: &str,
        shift: &Shift,
        reason: Reason,
    ) {
        if shift.before.as_deref() == Some(server) {
            self.tell_owner(context, key, shift, reason);
        }
    }

    fn tell_owner(&mut self, context: &mut Context<'_>, key: &Arc<str>, shift: &Shift, reason: Reason) {
        self.entries -= usize::from(shift.before.is_some());
        self.entries += usize::from(shift.after.is_some());
        let key = key.clone();
        let change = match &shift.after {
            None => Change::Removed { key, reason },
            Some(owner) => {
                let value = self.own.claims.get(&key).filter(|_| *owner == context.settings.config.server);
                let value = match value {
                    Some(put) => Some(put.value.clone()),
                    None => self.peers.claim(owner, &key).map(|(_, value)| value.into()),
                };
                let value = value.expect("who wins a key has a value for it");
                Change::Set { key, value, owner: owner.clone(), reason }
            }
        };
        context.notices.push_back((self.id, Notice::Changed(change)));
    }
}
