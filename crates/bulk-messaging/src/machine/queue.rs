//! All unsent messages: a queue per inner topic, and the heads of those queues by lane, class and age.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use transport_traits::{Instant, Outgoing, Topic};

use super::ConfirmId;
use super::lanes::lane_of;
use super::topic_queue::{Message, TopicQueue};
use super::wholes::WholeId;
use crate::Refusal;

/// The place of a [`TopicQueue`] while it has messages.
pub(crate) type TopicId = usize;

#[derive(Debug)]
pub(crate) struct Queue {
    max_messages: usize,
    max_bytes: usize,
    topics: Vec<Option<TopicQueue>>,
    free: Vec<TopicId>,
    /// Hashed without secret: topics are named by this server itself.
    ids: HashMap<Topic, TopicId, RandomState>,
    lanes: Vec<Lane>,
    next_order: u64,
    messages: usize,
    bytes: usize,
}

/// What a lane has to send.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// Per class: the heads of its topics by their order.
    heads: [BTreeMap<u64, TopicId>; 3],
    messages: usize,
    /// What the messages would cost in one frame, without their topics.
    cost: usize,
    /// An upper bound of what the next message can cost with its topic.
    largest: usize,
}

/// A message that was checked and measured.
pub(crate) struct Measured {
    pub(crate) message: Outgoing,
    pub(crate) cost: usize,
    /// What its topic adds to a frame beside its messages.
    pub(crate) topic_cost: usize,
    /// Where messages of its topic wait already.
    pub(crate) place: Option<TopicId>,
    pub(crate) confirm: Option<ConfirmId>,
    /// The message of which it is a fragment.
    pub(crate) whole: Option<WholeId>,
}

impl Queue {
    pub(crate) fn new(lanes: usize, max_messages: usize, max_bytes: usize) -> Self {
        Self {
            max_messages,
            max_bytes,
            topics: Vec::new(),
            free: Vec::new(),
            ids: HashMap::default(),
            lanes: vec![Lane::default(); lanes],
            next_order: 0,
            messages: 0,
            bytes: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.messages
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
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

    /// The heads of one class in a lane, oldest first.
    pub(crate) fn heads(&self, lane: usize, class: usize) -> impl Iterator<Item = (u64, TopicId)> {
        self.lanes[lane].heads[class].iter().map(|(&order, &id)| (order, id))
    }

    /// The oldest message of a lane.
    pub(crate) fn oldest_in(&self, lane: usize) -> Option<&Message> {
        let oldest = self.lanes[lane].heads.iter().filter_map(BTreeMap::first_key_value).min()?;
        self.topic(*oldest.1).head()
    }

    /// The oldest message of all.
    pub(crate) fn oldest(&self) -> Option<&Message> {
        (0..self.lanes.len()).filter_map(|lane| self.oldest_in(lane)).min_by_key(|message| message.order)
    }

    pub(crate) fn topic(&self, id: TopicId) -> &TopicQueue {
        self.topics[id].as_ref().expect("an indexed topic has messages")
    }

    pub(crate) fn topic_mut(&mut self, id: TopicId) -> &mut TopicQueue {
        self.topics[id].as_mut().expect("an indexed topic has messages")
    }

    /// Where the messages of a topic wait, if there are any.
    pub(crate) fn find(&self, topic: &str) -> Option<TopicId> {
        self.ids.get(topic).copied()
    }

    /// Whether there is room for so many messages of so many bytes together, now or ever.
    pub(crate) fn check_room(&self, messages: usize, bytes: usize) -> Result<(), Refusal> {
        if messages > self.max_messages || bytes > self.max_bytes {
            return Err(Refusal::Body { size: bytes, limit: self.max_bytes });
        }
        let fits = self.messages + messages <= self.max_messages && self.bytes + bytes <= self.max_bytes;
        if fits { Ok(()) } else { Err(Refusal::Full) }
    }

    /// No message will replace the unsent one of this topic and key.
    pub(crate) fn forget_key(&mut self, topic: &Topic, key: &str) {
        if let Some(id) = self.find(topic) {
            self.topic_mut(id).forget_key(key);
        }
    }

    /// Takes a message in, or puts it into the place of the unsent one with its key. Says which.
    pub(crate) fn push(&mut self, now: Instant, measured: Measured) -> Result<Pushed, Refusal> {
        let Measured { message, cost, topic_cost, place: id, confirm, whole } = measured;
        let Outgoing { topic, body, priority, conflation_key: key, .. } = message;
        let replaced = key.as_deref().zip(id).and_then(|(key, id)| self.topic(id).keyed(key));
        let (freed, freed_cost) = replaced.map_or((0, 0), |old| (old.body.len(), old.cost));
        let conflates = replaced.is_some();
        let bytes = self.bytes - freed + body.len();
        if bytes > self.max_bytes || (!conflates && self.messages == self.max_messages) {
            return Err(Refusal::Full);
        }
        self.bytes = bytes;
        let order = self.next_order;
        let confirms = confirm.into_iter().collect();
        let message = Message { order, accepted: now, cost, body, priority, key, confirms, whole };
        let id = id.unwrap_or_else(|| self.open(topic, topic_cost));
        let lane = self.lane_mut(id);
        lane.cost = lane.cost - freed_cost + cost;
        lane.largest = lane.largest.max(cost + 1 + topic_cost);
        lane.messages += usize::from(!conflates);
        if self.topic_mut(id).replace(&message) {
            self.reindex(id);
            return Ok(Pushed::Conflated);
        }
        self.next_order += 1;
        self.messages += 1;
        self.topic_mut(id).push(message);
        self.reindex(id);
        Ok(Pushed::Queued)
    }

    /// Takes the head of a topic out.
    pub(crate) fn pop(&mut self, id: TopicId) -> Message {
        let topic = self.topic_mut(id);
        let message = topic.pop().expect("an indexed topic has messages");
        self.messages -= 1;
        self.bytes -= message.body.len();
        let lane = self.lane_mut(id);
        lane.messages -= 1;
        lane.cost -= message.cost;
        if self.topic(id).head().is_some() {
            self.reindex(id);
        } else {
            self.close(id);
        }
        message
    }

    /// Takes everything out, in the order in which it was accepted.
    pub(crate) fn take_all(&mut self) -> Vec<(Topic, Message)> {
        let mut all = Vec::with_capacity(self.messages);
        for id in 0..self.topics.len() {
            while let Some(topic) = self.topics[id].as_ref().map(|topic| topic.topic.clone()) {
                all.push((topic, self.pop(id)));
            }
        }
        all.sort_unstable_by_key(|(_, message)| message.order);
        all
    }

    fn open(&mut self, topic: Topic, cost: usize) -> TopicId {
        let queue = TopicQueue::new(topic.clone(), lane_of(&topic, self.lanes.len()), cost);
        let id = self.free.pop().unwrap_or_else(|| {
            self.topics.push(None);
            self.topics.len() - 1
        });
        self.topics[id] = Some(queue);
        self.ids.insert(topic, id);
        id
    }

    fn close(&mut self, id: TopicId) {
        let closed = self.topics[id].take().expect("only an open topic is closed");
        self.ids.remove(&closed.topic);
        self.free.push(id);
        let lane = &mut self.lanes[closed.lane];
        if let Some((class, order)) = closed.indexed {
            lane.heads[class].remove(&order);
        }
        if lane.messages == 0 {
            assert!(lane.cost == 0, "an empty lane weighs nothing");
            lane.largest = 0;
        }
        if self.messages == 0 {
            assert!(self.bytes == 0 && self.ids.is_empty(), "an empty queue weighs nothing");
        }
    }

    fn lane_mut(&mut self, id: TopicId) -> &mut Lane {
        let lane = self.topic(id).lane;
        &mut self.lanes[lane]
    }

    /// Puts the head of a topic where its class and order belong.
    fn reindex(&mut self, id: TopicId) {
        let topic = self.topics[id].as_mut().expect("only an open topic is indexed");
        let head = topic.head().expect("only a topic with messages is indexed").order;
        let heads = &mut self.lanes[topic.lane].heads;
        let place = (topic.class(), head);
        let former = topic.indexed.replace(place);
        if former == Some(place) {
            return;
        }
        if let Some((class, order)) = former {
            heads[class].remove(&order);
        }
        heads[place.0].insert(place.1, id);
    }
}

/// What became of a message that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    Conflated,
}
