//! All unsent messages: a queue per inner topic, and the heads of those queues by class and age.

use std::collections::{BTreeMap, HashMap};

use transport_traits::{Instant, Outgoing, Topic};

use super::ConfirmId;
use super::topic_queue::{Message, TopicQueue};
use crate::Refusal;
use crate::wire::{Costs, opening};

/// The place of a [`TopicQueue`] while it has messages.
pub(crate) type TopicId = usize;

#[derive(Debug)]
pub(crate) struct Queue {
    costs: Costs,
    max_messages: usize,
    max_bytes: usize,
    topics: Vec<Option<TopicQueue>>,
    free: Vec<TopicId>,
    ids: HashMap<Topic, TopicId>,
    /// Per class: the heads of its topics by their order.
    heads: [BTreeMap<u64, TopicId>; 3],
    next_order: u64,
    messages: usize,
    bytes: usize,
    /// What the messages would cost in one frame, without their topics.
    cost: usize,
    /// An upper bound of what the next message can cost with its topic.
    largest: usize,
}

/// A message that was checked and measured.
pub(crate) struct Measured {
    pub(crate) message: Outgoing,
    pub(crate) cost: usize,
    pub(crate) confirm: Option<ConfirmId>,
}

impl Queue {
    pub(crate) fn new(costs: Costs, max_messages: usize, max_bytes: usize) -> Self {
        Self {
            costs,
            max_messages,
            max_bytes,
            topics: Vec::new(),
            free: Vec::new(),
            ids: HashMap::new(),
            heads: Default::default(),
            next_order: 0,
            messages: 0,
            bytes: 0,
            cost: 0,
            largest: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.messages
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn cost(&self) -> usize {
        self.cost
    }

    pub(crate) fn largest(&self) -> usize {
        self.largest
    }

    /// The order that the next message gets.
    pub(crate) fn next_order(&self) -> u64 {
        self.next_order
    }

    pub(crate) fn has_urgent(&self) -> bool {
        !self.heads[0].is_empty()
    }

    /// The heads of one class, oldest first.
    pub(crate) fn heads(&self, class: usize) -> impl Iterator<Item = (u64, TopicId)> {
        self.heads[class].iter().map(|(&order, &id)| (order, id))
    }

    /// The oldest message of all.
    pub(crate) fn oldest(&self) -> Option<&Message> {
        let oldest = self.heads.iter().filter_map(BTreeMap::first_key_value).min()?;
        self.topic(*oldest.1).head()
    }

    pub(crate) fn topic(&self, id: TopicId) -> &TopicQueue {
        self.topics[id].as_ref().expect("an indexed topic has messages")
    }

    pub(crate) fn topic_mut(&mut self, id: TopicId) -> &mut TopicQueue {
        self.topics[id].as_mut().expect("an indexed topic has messages")
    }

    /// What the topic's name costs in a frame, with all that is around its messages.
    pub(crate) fn topic_cost(&self, topic: &Topic) -> usize {
        let queued = self.ids.get(topic).map(|&id| self.topic(id).cost);
        queued.unwrap_or_else(|| self.costs.text(&opening(topic)) + self.costs.text(b"]"))
    }

    /// Takes a message in, or puts it into the place of the unsent one with its key. Says which.
    pub(crate) fn push(&mut self, now: Instant, measured: Measured) -> Result<Pushed, Refusal> {
        let Measured { message, cost, confirm } = measured;
        let Outgoing { topic, body, priority, conflation_key: key, .. } = message;
        let id = self.ids.get(&topic).copied();
        let replaced = key.as_deref().zip(id).and_then(|(key, id)| self.topic(id).keyed(key));
        let (freed, freed_cost) = replaced.map_or((0, 0), |old| (old.body.len(), old.cost));
        let conflates = replaced.is_some();
        let bytes = self.bytes - freed + body.len();
        if bytes > self.max_bytes || (!conflates && self.messages == self.max_messages) {
            return Err(Refusal::Full);
        }
        self.bytes = bytes;
        self.cost = self.cost - freed_cost + cost;
        let order = self.next_order;
        let confirms = confirm.into_iter().collect();
        let message = Message { order, accepted: now, cost, body, priority, key, confirms };
        let id = id.unwrap_or_else(|| self.open(topic));
        self.largest = self.largest.max(cost + 1 + self.topic(id).cost);
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
        self.cost -= message.cost;
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
        while let Some(id) = (0..3).find_map(|class| self.heads(class).next()).map(|(_, id)| id) {
            let topic = self.topic(id).topic.clone();
            all.push((topic, self.pop(id)));
        }
        all.sort_unstable_by_key(|(_, message)| message.order);
        all
    }

    fn open(&mut self, topic: Topic) -> TopicId {
        let opening = opening(&topic);
        let cost = self.costs.text(&opening) + self.costs.text(b"]");
        let queue = TopicQueue::new(topic.clone(), opening, cost);
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
        self.heads[closed.indexed.0].remove(&closed.indexed.1);
        if self.messages == 0 {
            assert!(
                self.bytes == 0 && self.cost == 0 && self.ids.is_empty(),
                "an empty queue weighs nothing"
            );
            self.largest = 0;
        }
    }

    /// Puts the head of a topic where its class and order belong. Orders are unique, so a topic that is not
    /// indexed yet cannot take another one's place.
    fn reindex(&mut self, id: TopicId) {
        let topic = self.topics[id].as_mut().expect("only an open topic is indexed");
        let head = topic.head().expect("only a topic with messages is indexed").order;
        let (former, place) = (topic.indexed, (topic.class(), head));
        topic.indexed = place;
        if former == place && self.heads[place.0].get(&place.1) == Some(&id) {
            return;
        }
        if self.heads[former.0].get(&former.1) == Some(&id) {
            self.heads[former.0].remove(&former.1);
        }
        self.heads[place.0].insert(place.1, id);
    }
}

/// What became of a message that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    Conflated,
}
