//! When a pool's checkpoint is read and written, and what of it is believed.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::Instant;

use crate::machine::change::ViewState;
use crate::machine::checkpoint::{Shard, write};
use crate::machine::own::pack;
use crate::machine::{StoreCall, StoreJob};
use crate::wire::{Body, FrameLimit, decode, text_hash};

use super::{Context, Pool};

/// How long a joiner waits for the checkpoint before it asks for everything.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reading and writing the checkpoint of one pool.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// The most bytes of a shard.
    room: usize,
    /// When to write the next one, if it is this server that writes.
    next: Instant,
    /// A call is under way.
    busy: bool,
}

impl Pool {
    /// Begins by reading the checkpoint.
    pub(crate) fn use_checkpoints(&mut self, context: &mut Context<'_>, room: usize) {
        self.outbox.join = Some(context.now + PATIENCE);
        self.checkpoints = Some(Checkpoints { room, next: context.now, busy: true });
        context.store.push_back(StoreJob { pool: self.id, call: StoreCall::Load });
    }

    /// The store has answered, or failed to: `shards` is what it holds.
    pub(crate) fn loaded(&mut self, context: &mut Context<'_>, shards: &[Arc<str>]) {
        let Some(checkpoints) = &mut self.checkpoints else { return };
        checkpoints.busy = false;
        checkpoints.next = context.now + interval(context);
        let adopted: usize = shards.iter().map(|text| self.adopt_shard(context, text)).sum();
        if self.outbox.join.is_some() {
            self.outbox.join = Some(context.now);
            self.outbox.join_all = adopted == 0;
        }
    }

    /// The store has written the checkpoint, or failed to: the next one comes in its time.
    pub(crate) fn saved(&mut self) {
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.busy = false;
        }
    }

    pub(super) fn next_checkpoint(&self) -> Option<Instant> {
        self.checkpoints
            .as_ref()
            .filter(|checkpoints| self.synced && !checkpoints.busy)
            .map(|checkpoints| checkpoints.next)
    }

    /// Writes a checkpoint if it is due. Of the servers that live, as far as is known here, the one whose name
    /// has the least hash writes; should two think so, the last write stands.
    pub(super) fn write_checkpoint(&mut self, context: &mut Context<'_>) {
        if self.next_checkpoint().is_none_or(|at| at > context.now) || self.state != ViewState::Fresh {
            return;
        }
        let writes = self.is_first(&context.settings.config.server);
        let every = interval(context);
        let Some(room) = self.checkpoints.as_ref().map(|checkpoints| checkpoints.room) else { return };
        let shards = if writes { self.checkpoint(context, room) } else { Vec::new() };
        let Some(checkpoints) = &mut self.checkpoints else { return };
        checkpoints.next = context.now + every;
        checkpoints.busy = writes;
        if writes {
            context.store.push_back(StoreJob { pool: self.id, call: StoreCall::Save(shards) });
        }
    }

    fn is_first(&self, server: &str) -> bool {
        let own = text_hash(server);
        self.peers.names().all(|peer| text_hash(peer) > own)
    }

    fn checkpoint(&self, context: &Context<'_>, room: usize) -> Vec<Arc<str>> {
        let (limit, mut parts) = (FrameLimit::of_checkpoints(), Vec::new());
        let mut own = self.header(context);
        // The header is that of the next frame.
        own.sequence -= 1;
        own.pruned = 0;
        let mut from = 0;
        while from < own.head {
            let part = self.own.pack_log(&limit, &own, from, own.head);
            from = part.to;
            parts.push((Duration::ZERO, part.frame));
        }
        for (header, age, items) in self.peers.listings(context.now) {
            let mut from = 0;
            while from < header.head {
                let rest = &items[items.partition_point(|(version, ..)| *version <= from)..];
                let part = pack(&limit, &header, (from, header.head), rest.iter().copied());
                from = part.to;
                parts.push((age, part.frame));
            }
        }
        write(context.clock.wall_millis(context.now), room, &parts)
    }

    /// Takes in what a shard says, and says how many of its parts were of use.
    fn adopt_shard(&mut self, context: &mut Context<'_>, text: &str) -> usize {
        let Some(shard) = Shard::read(text) else {
            tracing::warn!(topic = &*self.topic, "a checkpoint is malformed and is not used");
            context.stats.malformed += 1;
            return 0;
        };
        let since = shard.age_at(context.clock.wall_millis(context.now));
        let parts = shard.parts.iter();
        parts
            .filter(|(age, part)| {
                self.adopt_part(context, since.saturating_add(Duration::from_millis(*age)), part.get())
            })
            .count()
    }

    fn adopt_part(&mut self, context: &mut Context<'_>, age: Duration, part: &str) -> bool {
        let config = &context.settings.config;
        let Ok(frame) = decode(part.as_bytes()) else {
            context.stats.malformed += 1;
            return false;
        };
        let Body::Delta(delta) = &frame.body else { return false };
        let header = &frame.header;
        if header.server == config.server {
            context.lives.claim(context.now, header.incarnation, context.settings, context.stats);
            return false;
        }
        let place = self.peers.adopt(header, context.now, config.max_origins, (age, config.timeout));
        if let Some(place) = place {
            self.take_delta(context, place, header.head, delta);
            context.stats.parts_loaded += 1;
        }
        place.is_some()
    }
}

/// How often a checkpoint is written: it is of use as long as its servers would live unheard.
fn interval(context: &Context<'_>) -> Duration {
    context.settings.config.timeout / 3
}
