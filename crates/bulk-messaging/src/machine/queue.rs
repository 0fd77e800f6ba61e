//! All unsent messages: a chain per inner topic, and the heads of those chains by lane, class and age.

use std::sync::Arc;

use transport_traits::{Instant, Outgoing, Priority, Topic};

use super::ConfirmId;
use super::arena::{Arena, Place};
use super::entries::{Entry, EntryId, Extra, NONE, Slab};
use super::keys::Keys;
use super::lanes::lane_of;
use super::line::{Head, Line};
use super::load::{Load, Sent};
use super::picks::{Pick, Picks};
use super::topic_queue::TopicQueue;
use super::topics::{Found, TopicId, Topics};
use super::wholes::WholeId;
use crate::Refusal;

#[cfg(test)]
mod tests;

#[derive(Debug)]
pub(crate) struct Queue {
    max_messages: usize,
    max_bytes: usize,
    arena: Arena,
    entries: Slab,
    topics: Topics,
    keys: Keys,
    lanes: Vec<Lane>,
    next_order: u64,
    messages: usize,
}

/// What a lane has to send.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// Of each class.
    heads: [Line; 3],
    messages: usize,
    /// What the messages would cost in one frame, without their topics.
    cost: usize,
    /// An upper bound of what the next message can cost with its topic.
    largest: usize,
}

/// A message that was checked and measured. Its body was staged last.
pub(crate) struct Measured {
    pub(crate) topic: Topic,
    pub(crate) found: Found,
    /// What its topic adds to a frame beside its messages.
    pub(crate) topic_cost: usize,
    pub(crate) body: Place,
    pub(crate) cost: usize,
    pub(crate) priority: Priority,
    pub(crate) key: Option<Arc<str>>,
    pub(crate) confirm: Option<ConfirmId>,
    /// The message of which it is a fragment.
    pub(crate) whole: Option<WholeId>,
}

impl Queue {
    pub(crate) fn new(lanes: usize, max_messages: usize, max_bytes: usize) -> Self {
        Self {
            max_messages: max_messages.min(NONE as usize),
            max_bytes,
            arena: Arena::default(),
            entries: Slab::default(),
            topics: Topics::default(),
            keys: Keys::default(),
            lanes: vec![Lane::default(); lanes],
            next_order: 0,
            messages: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.messages
    }

    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.arena.live()
    }

    /// What a lane's messages would cost in one frame: with their commas, without their topics.
    pub(crate) fn cost(&self, lane: usize) -> usize {
        self.lanes[lane].cost + self.lanes[lane].messages
    }

    /// An upper bound of what the next message of a lane can cost with its topic.
    pub(crate) fn largest(&self, lane: usize) -> usize {
        self.lanes[lane].largest
    }

    /// The order that the next message gets.
    pub(crate) fn next_order(&self) -> u64 {
        self.next_order
    }

    /// The most urgent class of which a lane has a message: 0 is urgent.
    pub(crate) fn class(&self, lane: usize) -> Option<usize> {
        self.lanes[lane].heads.iter().position(|heads| !heads.is_empty())
    }

    /// The heads of one class in a lane.
    pub(super) fn heads(&self, lane: usize, class: usize) -> &Line {
        &self.lanes[lane].heads[class]
    }

    /// The oldest message of a lane.
    pub(crate) fn oldest_in(&self, lane: usize) -> Option<&Entry> {
        let oldest = self.lanes[lane].heads.iter().filter_map(Line::first).min()?;
        self.head(oldest.topic)
    }

    /// The oldest message of all.
    pub(crate) fn oldest(&self) -> Option<&Entry> {
        (0..self.lanes.len()).filter_map(|lane| self.oldest_in(lane)).min_by_key(|message| message.order)
    }

    #[inline]
    pub(crate) fn topic(&self, id: TopicId) -> &TopicQueue {
        self.topics.get(id)
    }

    #[inline]
    pub(super) fn topic_mut(&mut self, id: TopicId) -> &mut TopicQueue {
        self.topics.get_mut(id)
    }

    /// The first message of a topic that no frame has taken.
    #[inline]
    pub(crate) fn head(&self, id: TopicId) -> Option<&Entry> {
        let first = self.topic(id).first;
        (first != NONE).then(|| self.entries.get(first))
    }

    #[inline]
    pub(crate) fn body(&self, entry: &Entry) -> &[u8] {
        self.arena.get(entry.place)
    }

    /// Where the messages of a topic wait, if there are any.
    pub(crate) fn find(&self, topic: &str) -> Found {
        self.topics.find(topic)
    }

    /// Whether there would be room for so many bytes if nothing else were queued.
    pub(crate) fn check_length(&self, bytes: usize) -> Result<(), Refusal> {
        let limit = self.max_bytes;
        if bytes > limit { Err(Refusal::Body { size: bytes, limit }) } else { Ok(()) }
    }

    /// Whether there is room for so many messages of so many bytes together, now or ever.
    pub(crate) fn check_room(&self, messages: usize, bytes: usize) -> Result<(), Refusal> {
        if messages > self.max_messages {
            return Err(Refusal::Body { size: bytes, limit: self.max_bytes });
        }
        self.check_length(bytes)?;
        let fits = self.messages + messages <= self.max_messages && self.bytes() + bytes <= self.max_bytes;
        if fits { Ok(()) } else { Err(Refusal::Full) }
    }

    /// Puts a body where [`push`](Self::push) takes it from.
    pub(crate) fn stage(&mut self, body: &[u8]) -> Place {
        self.make_room();
        self.arena.stage(body)
    }

    /// The same with the JSON string of a text.
    pub(crate) fn stage_text(&mut self, text: &str) -> Place {
        self.make_room();
        self.arena.stage_text(text)
    }

    #[inline]
    pub(crate) fn staged(&self, place: Place) -> &[u8] {
        self.arena.get(place)
    }

    fn make_room(&mut self) {
        if self.arena.is_sparse(self.entries.len()) {
            self.arena.compact(self.entries.places());
        }
    }

    /// No message will replace the unsent one of this topic and key.
    pub(crate) fn forget_key(&mut self, topic: &Topic, key: &str) {
        if let Some(id) = self.find(topic).id
            && let Some(entry) = self.keys.find(&self.entries, id, key)
        {
            self.keys.remove(&self.entries, entry);
            if let Some(extra) = &mut self.entries.get_mut(entry).extra {
                extra.key = None;
            }
        }
    }

    /// Takes a message in, or puts it into the place of the unsent one with its key. Says which.
    pub(crate) fn push(&mut self, now: Instant, measured: Measured) -> Result<Pushed, Refusal> {
        let keyed = measured.key.as_deref().zip(measured.found.id);
        let former = keyed.and_then(|(key, id)| self.keys.find(&self.entries, id, key));
        let freed = former.map_or(0, |former| self.entries.get(former).place.len());
        let bytes = self.bytes() - freed + measured.body.len();
        if bytes > self.max_bytes || (former.is_none() && self.messages == self.max_messages) {
            return Err(Refusal::Full);
        }
        self.arena.keep(measured.body);
        match former {
            Some(former) => self.replace(former, measured),
            None => self.append(now, measured),
        }
        Ok(if former.is_some() { Pushed::Conflated } else { Pushed::Queued })
    }

    fn append(&mut self, now: Instant, measured: Measured) {
        let Measured { topic, found, topic_cost, body, cost, priority, key, confirm, whole } = measured;
        let has_extra = key.is_some() || confirm.is_some() || whole.is_some();
        let extra =
            has_extra.then(|| Box::new(Extra { key, confirms: confirm.into_iter().collect(), whole }));
        let id = found.id.unwrap_or_else(|| self.open(topic, found.hash, topic_cost));
        let (order, place) = (self.next_order, body);
        let entry = self.entries.insert(Entry {
            order,
            accepted: now,
            cost,
            place,
            priority,
            topic: id,
            next: NONE,
            extra,
        });
        self.next_order += 1;
        self.messages += 1;
        let queue = self.topic_mut(id);
        queue.count(priority);
        let last = std::mem::replace(&mut queue.last, entry);
        if last == NONE {
            queue.first = entry;
        } else {
            self.entries.get_mut(last).next = entry;
        }
        let lane = self.lane_mut(id);
        lane.cost += cost;
        lane.largest = lane.largest.max(cost + 1 + topic_cost);
        lane.messages += 1;
        if has_extra {
            self.keys.insert(&self.entries, entry);
        }
        if last == NONE || self.topic(id).indexed.is_some_and(|(class, _)| class != self.topic(id).class()) {
            self.reindex(id);
        }
    }

    /// The place keeps its order, the greater urgency and everybody who waits.
    fn replace(&mut self, former: EntryId, measured: Measured) {
        let entry = self.entries.get_mut(former);
        let (id, priority) = (entry.topic, entry.priority);
        let urgency = priority.min(measured.priority);
        let place = std::mem::replace(&mut entry.place, measured.body);
        let cost = std::mem::replace(&mut entry.cost, measured.cost);
        entry.priority = urgency;
        if let Some(extra) = &mut entry.extra {
            extra.confirms.extend(measured.confirm);
        }
        self.arena.free(place);
        let topic = self.topic_mut(id);
        topic.discount(priority);
        topic.count(urgency);
        let lane = self.lane_mut(id);
        lane.cost = lane.cost - cost + measured.cost;
        lane.largest = lane.largest.max(measured.cost + 1 + measured.topic_cost);
        self.reindex(id);
    }

    /// Takes the head of a topic out for a frame. Its body stays until [`release`](Self::release).
    #[inline]
    pub(super) fn take(&mut self, id: TopicId) -> EntryId {
        let topic = self.topics.get_mut(id);
        let taken = topic.first;
        let entry = self.entries.get(taken);
        topic.first = entry.next;
        topic.discount(entry.priority);
        if entry.next == NONE {
            topic.last = NONE;
        }
        let lane = &mut self.lanes[topic.lane];
        lane.messages -= 1;
        lane.cost -= entry.cost;
        self.messages -= 1;
        if entry.extra.is_some() {
            self.keys.remove(&self.entries, taken);
        }
        taken
    }

    /// Brings the index up to date with what a frame has taken.
    pub(super) fn reindex_picked(&mut self, picks: &Picks) {
        picks.groups().iter().for_each(|pick| self.reindex(pick.topic));
    }

    /// The bodies of a frame's messages of one topic.
    pub(super) fn bodies(&self, pick: Pick) -> impl Iterator<Item = &[u8]> {
        self.picked(pick).map(|id| self.body(self.entries.get(id)))
    }

    fn picked(&self, pick: Pick) -> impl Iterator<Item = EntryId> {
        let next = |&id: &EntryId| Some(self.entries.get(id).next);
        std::iter::successors(Some(pick.first), next).take(pick.count)
    }

    /// The frame is written: what it has taken is freed, but for what is needed when its publish is over.
    pub(super) fn release(&mut self, picks: &Picks) -> Load {
        let mut load = Load::with_capacity(picks.len());
        self.reindex_picked(picks);
        for &pick in picks.groups() {
            let mut next = pick.first;
            for _ in 0..pick.count {
                let entry = self.entries.get(next);
                let (id, order, priority) = (next, entry.order, entry.priority);
                next = entry.next;
                self.arena.free(entry.place);
                load.push(Sent { order, priority, extra: self.entries.remove(id) });
            }
            if self.topic(pick.topic).first == NONE {
                self.close(pick.topic);
            }
        }
        load
    }

    /// Takes everything out, with everybody who waits, in the order in which it was accepted. Fragments are left out.
    pub(crate) fn take_all(&mut self) -> (Vec<(u64, Outgoing)>, Vec<ConfirmId>) {
        let (mut all, mut waiting) = (Vec::with_capacity(self.messages), Vec::new());
        for id in self.topics.ids() {
            while self.topics.is_open(id) {
                let picks = Picks::one(self, id);
                let body = self.bodies(picks.groups()[0]).next().map(<[u8]>::to_vec).unwrap_or_default();
                let topic = self.topic(id).topic.clone();
                let load = self.release(&picks);
                waiting.extend(load.confirms());
                all.extend(load.outgoing([(topic, body.into())]));
            }
        }
        all.sort_unstable_by_key(|&(order, _)| order);
        (all, waiting)
    }

    fn open(&mut self, topic: Topic, hash: u64, cost: usize) -> TopicId {
        let lane = lane_of(&topic, self.lanes.len());
        self.topics.open(TopicQueue::new(topic, hash, lane, cost))
    }

    fn close(&mut self, id: TopicId) {
        let closed = self.topics.close(id);
        assert!(closed.indexed.is_none(), "a topic without messages has no head");
        let lane = &mut self.lanes[closed.lane];
        if lane.messages == 0 {
            assert!(lane.cost == 0, "an empty lane weighs nothing");
            lane.largest = 0;
        }
        if self.messages == 0 && self.topics.is_empty() {
            assert!(self.bytes() == 0 && self.keys.is_empty(), "an empty queue weighs nothing");
        }
    }

    #[inline]
    fn lane_mut(&mut self, id: TopicId) -> &mut Lane {
        let lane = self.topic(id).lane;
        &mut self.lanes[lane]
    }

    /// Puts the head of a topic where its class and order belong.
    pub(super) fn reindex(&mut self, id: TopicId) {
        let topic = self.topics.get_mut(id);
        let head = (topic.first != NONE).then(|| self.entries.get(topic.first));
        let head = head.map(|head| Head { order: head.order, topic: id, cost: head.cost + topic.cost });
        let place = head.map(|head| (topic.class(), head));
        let former = std::mem::replace(&mut topic.indexed, place);
        if former == place {
            return;
        }
        let heads = &mut self.lanes[topic.lane].heads;
        if let Some((class, head)) = former {
            heads[class].remove(head.order);
        }
        if let Some((class, head)) = place {
            heads[class].insert(head);
        }
    }
}

/// What became of a message that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    Conflated,
}
