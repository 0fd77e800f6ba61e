//! What tasks leave for the process to do, and what it has for them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use transport_traits::{Delivery, Instant, Topic};

use super::Task;
use crate::{Action, CallId, Event, Now};

/// Shared by the process, its ports and whatever they handed out. It holds no lock and wakes nobody by itself.
pub(super) struct Desk {
    pub(super) now: Now,
    pub(super) actions: VecDeque<Action>,
    pub(super) spawned: Vec<Task>,
    calls: BTreeMap<CallId, Slot>,
    inboxes: BTreeMap<Arc<str>, BTreeMap<u64, Inbox>>,
    alarms: BTreeMap<(Instant, u64), Waker>,
    named: u64,
}

/// Where a call waits for its answer.
#[derive(Default)]
struct Slot {
    answer: Option<Event>,
    waker: Option<Waker>,
}

/// What one subscription has not read yet.
#[derive(Default)]
struct Inbox {
    queue: VecDeque<Delivery>,
    waker: Option<Waker>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("now", &self.now).field("actions", &self.actions).finish_non_exhaustive()
    }
}

impl Desk {
    pub(super) fn new(now: Now) -> Self {
        Self {
            now,
            actions: VecDeque::new(),
            spawned: Vec::new(),
            calls: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            alarms: BTreeMap::new(),
            named: 0,
        }
    }

    /// A number that nothing else here has.
    pub(super) const fn name(&mut self) -> u64 {
        self.named += 1;
        self.named
    }

    /// Asks for a call of the process's.
    pub(super) fn call(&mut self, action: impl FnOnce(CallId) -> Action) -> CallId {
        let id = CallId(self.name());
        self.calls.insert(id, Slot::default());
        self.actions.push_back(action(id));
        id
    }

    /// The answer of a call, or who to wake when it is there.
    pub(super) fn take_answer(&mut self, id: CallId, waker: &Waker) -> Option<Event> {
        let slot = self.calls.entry(id).or_default();
        if slot.answer.is_none() {
            slot.waker = Some(waker.clone());
        }
        slot.answer.take()
    }

    /// Nobody waits for a call any more.
    pub(super) fn forget(&mut self, id: CallId) {
        self.calls.remove(&id);
    }

    pub(super) fn answer(&mut self, id: CallId, event: Event) -> Option<Waker> {
        let slot = self.calls.get_mut(&id)?;
        slot.answer = Some(event);
        slot.waker.take()
    }

    pub(super) fn subscribe(&mut self, topic: &Topic) -> u64 {
        let id = self.name();
        let inboxes = self.inboxes.entry(topic.clone()).or_default();
        if inboxes.is_empty() {
            self.actions.push_back(Action::Subscribe(topic.clone()));
        }
        inboxes.insert(id, Inbox::default());
        id
    }

    pub(super) fn unsubscribe(&mut self, topic: &Topic, id: u64) {
        let Some(inboxes) = self.inboxes.get_mut(topic) else { return };
        inboxes.remove(&id);
        if inboxes.is_empty() {
            self.inboxes.remove(topic);
            self.actions.push_back(Action::Unsubscribe(topic.clone()));
        }
    }

    /// Puts a delivery into every inbox of its topic, and says whom to wake.
    pub(super) fn deliver(&mut self, topic: &Topic, delivery: &Delivery) -> Vec<Waker> {
        let inboxes = self.inboxes.get_mut(topic).into_iter().flat_map(BTreeMap::values_mut);
        let put = |inbox: &mut Inbox| {
            inbox.queue.push_back(delivery.clone());
            inbox.waker.take()
        };
        inboxes.filter_map(put).collect()
    }

    /// The next delivery of a subscription, or who to wake when it is there.
    pub(super) fn receive(&mut self, topic: &Topic, id: u64, waker: &Waker) -> Option<Delivery> {
        let inbox = self.inboxes.get_mut(topic)?.get_mut(&id)?;
        if inbox.queue.is_empty() {
            inbox.waker = Some(waker.clone());
        }
        inbox.queue.pop_front()
    }

    pub(super) fn set_alarm(&mut self, at: Instant, id: u64, waker: &Waker) {
        self.alarms.insert((at, id), waker.clone());
    }

    pub(super) fn drop_alarm(&mut self, at: Instant, id: u64) {
        self.alarms.remove(&(at, id));
    }

    pub(super) fn next_alarm(&self) -> Option<Instant> {
        self.alarms.keys().next().map(|(at, _)| *at)
    }

    /// Whose alarms are due.
    pub(super) fn take_due(&mut self) -> Vec<Waker> {
        let rest = self.alarms.split_off(&(self.now.instant, u64::MAX));
        std::mem::replace(&mut self.alarms, rest).into_values().collect()
    }
}
