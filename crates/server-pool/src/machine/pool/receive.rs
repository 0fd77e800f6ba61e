//! Frames of other servers, and the echo of one's own.

use crate::machine::change::Reason;
use crate::machine::origin::{Effects, Room};
use crate::machine::peer::{Admission, Rejection};
use crate::machine::repair;
use crate::places::Place;
use crate::stats::Stats;
use crate::wire::{Body, Delta, Frame, Want, decode};

use super::{Context, Pool};

impl Pool {
    /// Takes in whatever came from the bus.
    pub(crate) fn receive(&mut self, context: &mut Context<'_>, body: &[u8]) {
        match decode(body) {
            Err(why) => drop_frame(context, |stats| &mut stats.malformed, &why.to_string()),
            Ok(frame) if frame.header.server == context.settings.config.server => {
                self.receive_own(context, &frame);
            }
            Ok(frame) => self.receive_other(context, &frame),
        }
    }

    /// An own frame proves that the bus works; a part of this life tells how long it took.
    fn receive_own(&mut self, context: &mut Context<'_>, frame: &Frame<'_>) {
        let header = &frame.header;
        if context.lives.is_past(header.incarnation) {
            drop_frame(context, |stats| &mut stats.outdated, "of a past life");
        } else if header.incarnation <= context.settings.incarnation {
            if header.incarnation == context.settings.incarnation && matches!(frame.body, Body::Delta(_)) {
                self.outbox.heard(context.now, header.sequence);
            }
            self.hear(context);
        } else {
            context.lives.meet(context.now);
            drop_frame(context, |stats| &mut stats.impostors, "another server bears this server's name");
        }
    }

    fn receive_other(&mut self, context: &mut Context<'_>, frame: &Frame<'_>) {
        let header = &frame.header;
        let config = &context.settings.config;
        let found = self.peers.find(&header.server);
        if let Some((ended, reason)) = found.and_then(|place| self.peers.retire_older(place, header)) {
            self.drop_origins(context, [ended], reason);
        }
        // It may have been forgotten altogether.
        let found = found.filter(|place| self.peers.name(*place).is_some());
        let hearsay = found.is_none_or(|place| !self.peers.is_confirmed(place));
        match self.peers.admit(found, header, context.now, (config.max_origins, config.timeout)) {
            Err(Rejection::Outdated) => {
                self.plan_refutation(context, header);
                drop_frame(context, |stats| &mut stats.outdated, "of a life that is over");
            }
            Err(Rejection::Refused) => {
                drop_frame(context, |stats| &mut stats.refused, "of one server too many");
            }
            Ok((admission, place)) => {
                context.stats.frames_received += 1;
                self.hear(context);
                if hearsay && self.peers.is_confirmed(place) {
                    self.give_way_to(context, place);
                }
                self.take_in(context, place, frame, admission != Admission::Repeated);
            }
        }
    }

    /// Requests and farewells count once, also if a more urgent frame overtook them; what is said of a log always
    /// holds.
    fn take_in(&mut self, context: &mut Context<'_>, place: Place, frame: &Frame<'_>, first: bool) {
        let header = &frame.header;
        let Some(live) = self.peers.live_mut(place) else { return };
        let before = live.origin.extent();
        live.origin.announce(header);
        match &frame.body {
            Body::Delta(delta) => self.take_delta(context, place, header.head, delta),
            Body::Join { all: true } if first => self.answer_join(context),
            Body::Pull(wants) if first => {
                wants.iter().for_each(|want| self.answer_or_overhear(context, want))
            }
            Body::Leave if first => {
                let ended = self.peers.end(place);
                self.drop_origins(context, ended, Reason::Left);
            }
            Body::Heartbeat { members: Some(members) } if first => {
                self.compare_members(context, place, *members);
            }
            Body::Ask(asked) if first => self.take_ask(context, asked),
            Body::Roster(members) => self.take_roster(context, members),
            Body::Heartbeat { .. }
            | Body::Join { .. }
            | Body::Pull(_)
            | Body::Ask(_)
            | Body::Leave
            | Body::Unknown => {}
        }
        self.verify(context, place);
        let due = (context.now + repair::delay(context, 0)).max(self.join_answered);
        self.peers.watch(place, Some(before), due);
    }

    /// Takes in a part of a server's log as it was when its head was `asof`.
    pub(super) fn take_delta(
        &mut self,
        context: &mut Context<'_>,
        place: Place,
        asof: u64,
        delta: &Delta<'_>,
    ) {
        let config = &context.settings.config;
        let all = self.peers.bytes();
        let Some(live) = self.peers.live_mut(place) else { return };
        let before = live.origin.bytes();
        let others = all - before;
        let room =
            Room { items: config.max_origin_entries, bytes: config.max_pool_bytes.saturating_sub(others) };
        let mut effects = Effects::with_capacity(delta.ops.len());
        let refused = live.origin.apply(asof, delta, room, &mut effects);
        let after = live.origin.bytes();
        self.peers.resized(before, after);
        if refused > 0 {
            context.stats.refused += refused - 1;
            drop_frame(context, |stats| &mut stats.refused, "entries without room");
        }
        let Some(server) = self.peers.name(place).cloned() else { return };
        for (key, effect) in effects {
            self.take_effect(context, (place, &server), &key, &effect);
        }
    }

    /// Tells a joiner everything; but if most of that was sent a moment ago, only the rest: it listened by then,
    /// most likely, and otherwise asks. (Were a little left out of much, it would have to ask for that little.)
    fn answer_join(&mut self, context: &mut Context<'_>) {
        let head = self.own.log.head();
        let mut rest: Vec<_> = self.outbox.recent(context.now).gaps(head).collect();
        if rest.iter().map(|(from, to)| to - from).sum::<u64>() > head / 2 {
            rest = vec![(0, head)];
        }
        rest.into_iter().for_each(|(from, to)| self.outbox.answer(context, from, to));
    }

    fn answer_or_overhear(&mut self, context: &mut Context<'_>, want: &Want<'_>) {
        if *want.server != *context.settings.config.server {
            self.peers.overhear(context, want);
        } else if want.incarnation == context.settings.incarnation {
            self.outbox.answer(context, want.from, want.to.min(self.own.log.head()));
        } else {
            context.lives.claim(context.now, want.incarnation, context.settings, context.stats);
        }
    }

    /// Knows a log anew whose hash is wrong, or of which something was refused while now there is room; for each
    /// server at most once a timeout.
    fn verify(&mut self, context: &mut Context<'_>, place: Place) {
        let config = &context.settings.config;
        let has_room = self.peers.bytes() < config.max_pool_bytes - config.max_pool_bytes / 8;
        let Some(live) = self.peers.live_mut(place) else { return };
        let again = live.mismatch.is_none_or(|at| at + context.settings.config.timeout <= context.now);
        if again && live.origin.is_wrong() {
            live.mismatch = Some(context.now);
            live.origin.begin_sweep();
            context.stats.hash_mismatches += 1;
            let server = self.peers.name(place).map(|server| &**server);
            tracing::warn!(server, "the hash of a server's entries differs: they are read again");
        } else if again && has_room && live.origin.wants_room(context.settings.config.max_origin_entries) {
            live.mismatch = Some(context.now);
            live.origin.begin_sweep();
        }
    }
}

/// Counts something dropped, and warns the 1st, 2nd, 4th, 8th … time: a flood of it must not flood the log.
fn drop_frame(context: &mut Context<'_>, counter: impl FnOnce(&mut Stats) -> &mut u64, why: &str) {
    let count = counter(context.stats);
    *count += 1;
    if count.is_power_of_two() {
        tracing::warn!(count = *count, why, "dropped from a pool's topic");
    }
}
