//! Who owns each key, and telling when that changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::key_hash::KeyHash;
use crate::machine::change::{Change, Notice, Reason};
use crate::machine::holders::Holder;
use crate::machine::origin::Effect;
use crate::machine::peers::Ended;
use crate::places::Place;

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
        let holders = self.holders.of(self.holders.hash(key));
        holders.filter_map(|holder| self.claim_of(settings, holder, key)).max()
    }

    /// The one that would win if the server there had none.
    fn winner_beside(&self, settings: &Settings, key: &str, hash: KeyHash, place: Place) -> Option<Claim> {
        let others = self.holders.of(hash).filter(|holder| *holder != Some(place));
        others.filter_map(|holder| self.claim_of(settings, holder, key)).max()
    }

    fn claim_of(&self, settings: &Settings, holder: Holder, key: &str) -> Option<Claim> {
        match holder {
            None => self.own.claims.get(key).map(|put| (put.stamp, settings.config.server.clone())),
            Some(place) => Some((self.peers.claim(place, key)?.0, self.peers.name(place)?.clone())),
        }
    }

    /// Takes in what changed of another server's claim. Its log has changed already.
    pub(super) fn take_effect(
        &mut self,
        context: &mut Context<'_>,
        (place, server): (Place, &Arc<str>),
        key: &str,
        effect: &Effect<'_>,
    ) {
        let hash = self.holders.hash(key);
        match (effect.before, effect.after) {
            (None, Some(_)) => self.holders.add(hash, Some(place)),
            (Some(_), None) => self.holders.remove(hash, Some(place)),
            (Some(_), Some(_)) | (None, None) => {}
        }
        if let Some((stamp, _)) = effect.after {
            context.clock.observe(context.now, stamp);
        }
        let rest = self.winner_beside(context.settings, key, hash, place);
        if rest.is_none() {
            return self.take_unrivalled(context, server, key, effect);
        }
        let with = |stamp: Option<u64>| rest.clone().max(stamp.map(|stamp| (stamp, server.clone())));
        let shift = Shift::new(with(effect.before), with(effect.after.map(|(stamp, _)| stamp)));
        match effect.after {
            None => self.tell_release(context, key, server, &shift, Reason::Withdrawn),
            Some(_) => {
                self.tell_claim(context, key, server, &shift, effect.same);
                self.give_way(context, key);
            }
        }
    }

    /// The same where nobody else has a claim to the key, as is so nearly always: the entry is what the server says.
    fn take_unrivalled(
        &mut self,
        context: &mut Context<'_>,
        server: &Arc<str>,
        key: &str,
        effect: &Effect<'_>,
    ) {
        let had = effect.before.is_some();
        if had && effect.same {
            return;
        }
        let put = effect.after.map(|(_, value)| (value.into(), server.clone()));
        let reason = if put.is_some() { Reason::Updated } else { Reason::Withdrawn };
        self.tell(context, key, had, put, reason);
    }

    /// Takes an own claim back that another server has overtaken. Its owner's removal must not bring it
    /// back, nor this server's leave or restart touch the key. What others say of a server is not enough: it may
    /// be gone.
    fn give_way(&mut self, context: &mut Context<'_>, key: &str) {
        let winner = self.winner(context.settings, key).and_then(|(_, server)| self.peers.find(&server));
        let overtaken = winner.is_some_and(|place| self.peers.is_confirmed(place));
        if overtaken && self.take_own(context, key) {
            context.stats.overtaken += 1;
        }
    }

    /// A server of which others had told was heard itself: its claims count in full.
    pub(super) fn give_way_to(&mut self, context: &mut Context<'_>, place: Place) {
        let keys = self.own.claims.keys().filter(|key| self.peers.claim(place, key).is_some());
        let keys: Vec<_> = keys.cloned().collect();
        keys.iter().for_each(|key| self.give_way(context, key));
    }

    /// Takes all claims of servers away that are gone: of all at once, so that no event shows a claim of
    /// one that is gone as well.
    pub(super) fn drop_origins(
        &mut self,
        context: &mut Context<'_>,
        origins: impl IntoIterator<Item = Ended>,
        reason: Reason,
    ) {
        let mut gone = BTreeMap::<Arc<str>, Claim>::new();
        for Ended { place, server, origin } in origins {
            for (key, stamp) in origin.claims() {
                self.holders.remove(self.holders.hash(key), Some(place));
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
        key: &str,
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
        key: &str,
        server: &str,
        shift: &Shift,
        reason: Reason,
    ) {
        if shift.before.as_deref() == Some(server) {
            self.tell_owner(context, key, shift, reason);
        }
    }

    fn tell_owner(&mut self, context: &mut Context<'_>, key: &str, shift: &Shift, reason: Reason) {
        let put = shift.after.as_ref().map(|owner| {
            let value = self.value(context.settings, owner, key);
            (value.expect("who wins a key has a value for it"), owner.clone())
        });
        self.tell(context, key, shift.before.is_some(), put, reason);
    }

    /// Tells what an entry is now, value and owner, and counts it. `had`: the key had one before.
    fn tell(
        &mut self,
        context: &mut Context<'_>,
        key: &str,
        had: bool,
        put: Option<(Arc<str>, Arc<str>)>,
        reason: Reason,
    ) {
        self.entries -= usize::from(had);
        self.entries += usize::from(put.is_some());
        let key = key.into();
        let change = match put {
            None => Change::Removed { key, reason },
            Some((value, owner)) => Change::Set { key, value, owner, reason },
        };
        context.notices.push_back((self.id, Notice::Changed(change)));
    }

    /// What a server that has a claim to a key puts there.
    fn value(&self, settings: &Settings, owner: &str, key: &str) -> Option<Arc<str>> {
        if *owner == *settings.config.server {
            return self.own.claims.get(key).map(|put| put.value.clone());
        }
        self.peers.claim(self.peers.find(owner)?, key).map(|(_, value)| value.into())
    }
}
