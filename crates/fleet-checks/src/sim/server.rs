//! One server as in real use: save data and pools over bulk messaging, over whatever bus and store there are.

use std::collections::{BTreeMap, VecDeque};

use bulk_messaging::Refusal;
use bulk_messaging::machine::{Input as BulkInput, Machine as Bulk, Output as BulkOutput, PublishId};
use bytes::Bytes;
use fleet_sim::{Action, CallId, Event, Node, Now};
use nexus_store::machine::{Input as SaveInput, Machine as SaveMachine, RecordId};
use server_pool::machine::{FrameId, Input as PoolInput, Machine as PoolMachine};
use transport_traits::{
    BusLimits, Delivery, Instant, Outgoing, Precondition, Record, RecordKey, Topic, Version,
};

use super::checkpoint::{Job, Step};
use super::order::Order;
use super::pools::{self, Pools};
use super::saves::{self, Saves};
use super::{Parts, Planted};

/// The machines of one server process, connected as their drivers connect them.
#[derive(Debug)]
pub struct Server {
    bulk: Bulk,
    /// When bulk messaging has to be polled.
    wakeup: Option<Instant>,
    /// What it sees of its pools, and their machine.
    pub pools: Pools,
    /// What it sees of its records, and their machine.
    pub saves: Option<Saves>,
    /// What it makes of numbered messages.
    pub order: Option<Order>,
    planted: Option<Planted>,
    /// A numbered message that the bug holds back.
    held: Option<(Topic, Bytes)>,
    actions: VecDeque<Action>,
    calls: BTreeMap<CallId, Call>,
    called: u64,
    /// What waits for room in the queue of bulk messaging, as publishes of pools and save data do.
    waiting: VecDeque<(Waiting, Outgoing)>,
    leaving: Leaving,
}

/// Who waits for room in the queue.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    Pools(FrameId),
    Saves(RecordId),
}

#[derive(Clone, Debug)]
enum Call {
    /// The frame is kept for a bug that repeats it.
    Publish(PublishId, Topic, Bytes),
    Store(RecordId),
    Checkpoint(Job),
}

/// How far a server is that leaves in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    No,
    /// Save data saves and says what is left to say.
    Saving,
    /// Pools say good-bye, and bulk messaging sends what is queued.
    Parting,
    /// Nothing is left to do once the answers were taken.
    Done,
}

impl Server {
    /// A server that starts now, on a bus with these limits, on which it hears its own messages.
    ///
    /// # Panics
    /// If a configuration does not go with the limits.
    #[must_use]
    pub fn new(now: Now, mut parts: Parts, bus: &BusLimits) -> Self {
        parts.plant();
        let mut bulk =
            Bulk::new(parts.bulk, bus, now.instant).expect("bulk messaging is configured for the bus");
        let mut pools = PoolMachine::new(now.instant, now.wall, parts.pools, bulk.limits(), true)
            .expect("pools are configured for bulk messaging");
        parts.checkpoints.into_iter().for_each(|room| pools.use_checkpoints(room));
        let pools = Pools::new(pools, &parts.topics, now, parts.planted);
        let saves = parts.saves.map(|(config, keys, limits)| {
            let machine = SaveMachine::new(config, limits, bulk.limits().clone(), now.instant, now.wall);
            Saves::new(machine, &keys, now, parts.planted)
        });
        let order = parts.order.map(Order::new);
        let watched = pools.topics().chain(order.as_ref().map(Order::topic));
        watched.for_each(|topic| bulk.handle(now.instant, BulkInput::Watch(topic.clone())));
        Self {
            actions: bulk.real_topics().map(Action::Subscribe).collect(),
            bulk,
            wakeup: Some(now.instant),
            pools,
            saves,
            order,
            planted: parts.planted,
            held: None,
            calls: BTreeMap::new(),
            called: 0,
            waiting: VecDeque::new(),
            leaving: Leaving::No,
        }
    }

    /// Leaves in good order: saves, says good-bye to its pools, sends what is queued, and exits once the answers of its
    /// save data were taken.
    pub fn close(&mut self, now: Now) {
        if self.leaving != Leaving::No {
            return;
        }
        self.leaving = Leaving::Saving;
        match self.saves.as_mut().filter(|_| self.planted != Some(Planted::LeavesUnsaved)) {
            Some(saves) => saves.shut_down(now),
            None => self.part(now),
        }
    }

    /// What bulk messaging has done and holds.
    #[must_use]
    pub fn bulk_stats(&self, now: Now) -> bulk_messaging::Stats {
        self.bulk.stats(now.instant)
    }

    fn part(&mut self, now: Now) {
        if self.planted == Some(Planted::LeavesSilently) {
            self.leaving = Leaving::Done;
            return;
        }
        self.leaving = Leaving::Parting;
        self.pools.handle(now, PoolInput::Close);
    }

    /// Whether something was done.
    fn poll_leaving(&mut self, now: Now) -> bool {
        match self.leaving {
            Leaving::Saving if self.saves.as_ref().is_none_or(Saves::is_shut) => self.part(now),
            Leaving::Done if self.saves.as_ref().is_none_or(|saves| saves.answers.is_empty()) => {
                self.leaving = Leaving::No;
                self.actions.push_back(Action::Exit);
            }
            _ => return false,
        }
        true
    }

    /// Publishes a message on an inner topic. False if it was not taken.
    pub fn publish(&mut self, now: Now, message: Outgoing) -> bool {
        self.wakeup = Some(now.instant);
        self.bulk.push(now.instant, message, None).is_ok()
    }

    fn tell_bulk(&mut self, now: Now, input: BulkInput) {
        self.wakeup = Some(now.instant);
        self.bulk.handle(now.instant, input);
    }

    fn call(&mut self, call: Call, action: impl FnOnce(CallId) -> Action) {
        self.called += 1;
        let id = CallId(self.called);
        self.calls.insert(id, call);
        self.actions.push_back(action(id));
    }

    /// Whether something was done.
    fn poll_pools(&mut self, now: Now) -> bool {
        match self.pools.poll(now) {
            Some(pools::Wish::Publish(frame, message)) => self.publish_frame(now, frame, message),
            Some(pools::Wish::Store(job)) => self.go_on(now, job),
            Some(pools::Wish::Close) => self.tell_bulk(now, BulkInput::Drain),
            None => return false,
        }
        true
    }

    /// Makes the next call to the store of checkpoints, or tells what came of them.
    fn go_on(&mut self, now: Now, mut job: Job) {
        match job.next() {
            Step::Get(key) => self.call(Call::Checkpoint(job), |call| Action::Get(call, key)),
            Step::Put(key, record) => {
                self.call(Call::Checkpoint(job), |call| Action::Put(call, key, record, Precondition::Always));
            }
            Step::Done(input) => self.pools.handle(now, input),
        }
    }

    fn publish_frame(&mut self, now: Now, frame: FrameId, message: Outgoing) {
        let is_mute = match self.planted {
            Some(Planted::NoHeartbeats) => message.conflation_key.is_some(),
            _ => self.pools.is_dead(),
        };
        if is_mute {
            return self.pools.handle(now, PoolInput::Published(frame));
        }
        self.waiting.push_back((Waiting::Pools(frame), message));
    }

    /// A publish is ready once the message is in the queue, and waits in line where that is full. Whether something was
    /// done.
    fn admit(&mut self, now: Now) -> bool {
        let Some((who, message)) = self.waiting.front().cloned() else { return false };
        self.wakeup = Some(now.instant);
        let taken = self.bulk.push(now.instant, message, None);
        if matches!(taken, Err(Refusal::Full)) {
            return false;
        }
        self.waiting.pop_front();
        match (who, taken) {
            (Waiting::Pools(frame), Ok(())) => self.pools.handle(now, PoolInput::Published(frame)),
            (Waiting::Pools(frame), Err(_)) => {
                self.pools.handle(now, PoolInput::Failed { frame, retry_after: None });
            }
            (Waiting::Saves(id), taken) => {
                let result = taken.map_err(|refusal| refusal.into_error().into());
                self.tell_saves(now, SaveInput::Published(id, result));
            }
        }
        true
    }

    /// Whether something was done.
    fn poll_saves(&mut self, now: Now) -> bool {
        let Some(wish) = self.saves.as_mut().and_then(|saves| saves.poll(now)) else { return false };
        match wish {
            saves::Wish::Get(id, key) => self.call(Call::Store(id), |call| Action::Get(call, key)),
            saves::Wish::Put(id, key, record, precondition) => self.put(now, id, key, record, precondition),
            saves::Wish::Publish(id, message) => self.waiting.push_back((Waiting::Saves(id), message)),
            saves::Wish::Watch(topic) => self.tell_bulk(now, BulkInput::Watch(topic)),
            saves::Wish::Unwatch(topic) => self.tell_bulk(now, BulkInput::Unwatch(topic)),
            saves::Wish::Nothing => {}
        }
        true
    }

    fn put(&mut self, now: Now, id: RecordId, key: RecordKey, record: Record, precondition: Precondition) {
        let is_lost = self.planted == Some(Planted::AnswersBeforeTheWrite) && self.called.is_multiple_of(4);
        if is_lost {
            self.called += 1;
            let version = Version::new(format!("lost {}", self.called));
            return self.tell_saves(now, SaveInput::PutDone(id, Ok(version)));
        }
        let is_blind = self.planted == Some(Planted::WritesBlindly);
        let precondition = if is_blind { Precondition::Always } else { precondition };
        self.call(Call::Store(id), |call| Action::Put(call, key, record, precondition));
    }

    fn tell_saves(&mut self, now: Now, input: SaveInput) {
        if let Some(saves) = &mut self.saves {
            saves.handle(now, input);
        }
    }

    /// Whether something was done.
    fn poll_bulk(&mut self, now: Now) -> bool {
        if self.wakeup.is_none_or(|at| at > now.instant) {
            return false;
        }
        let Some(output) = self.bulk.poll(now.instant) else {
            self.wakeup = self.bulk.next_wakeup();
            return false;
        };
        match output {
            BulkOutput::Publish { id, topic, body } => {
                let call = Call::Publish(id, topic.clone(), body.clone());
                self.call(call, |call| Action::Publish(call, Outgoing::new(topic, body)));
            }
            BulkOutput::Deliver { topic, body } => self.deliver(now, &topic, &body),
            BulkOutput::Gap => self.gap(now),
            BulkOutput::Drained(_) => self.leaving = Leaving::Done,
            _ => {}
        }
        true
    }

    fn deliver(&mut self, now: Now, topic: &Topic, body: &Bytes) {
        self.pools.receive(now, topic, body);
        if let Some(saves) = &mut self.saves {
            saves.receive(now, topic, body);
        }
        let Some(order) = self.order.as_mut().filter(|order| order.topic() == topic) else { return };
        if self.planted == Some(Planted::SwapsMessages) && self.held.is_none() {
            self.held = Some((topic.clone(), body.clone()));
            return;
        }
        order.receive(topic, body);
        if self.planted == Some(Planted::DoublesMessages) {
            order.receive(topic, body);
        }
        if let Some((topic, body)) = self.held.take() {
            order.receive(&topic, &body);
        }
    }

    fn gap(&mut self, now: Now) {
        self.order.iter_mut().for_each(Order::gap);
        self.pools.gap(now);
        if let Some(saves) = &mut self.saves {
            saves.gap(now);
        }
    }

    fn answered(&mut self, now: Now, id: CallId, answer: Event) {
        match (self.calls.remove(&id), answer) {
            (Some(call @ Call::Publish(..)), Event::Published(_, Err(_)))
                if self.planted == Some(Planted::RetriesWithoutBudget) =>
            {
                let Call::Publish(_, topic, body) = &call else { return };
                let message = Outgoing::new(topic.clone(), body.clone());
                self.call(call, |id| Action::Publish(id, message));
            }
            (Some(Call::Publish(id, ..)), Event::Published(_, result)) => {
                let result = result.map_err(|error| error.kind());
                self.tell_bulk(now, BulkInput::Published { id, result });
            }
            (Some(Call::Checkpoint(mut job)), answer) => {
                job.answered(answer);
                self.go_on(now, job);
            }
            (Some(Call::Store(id)), answer) => {
                let Some(saves) = &mut self.saves else { return };
                match answer {
                    Event::Got(_, result) => saves.got(now, id, result),
                    Event::Put(_, result) => saves.put(now, id, result),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

impl Node for Server {
    fn handle(&mut self, now: Now, event: Event) {
        match event {
            Event::Delivered(_, Delivery::Message(body)) => self.tell_bulk(now, BulkInput::Received(body)),
            Event::Delivered(_, Delivery::Gap) => self.tell_bulk(now, BulkInput::TransportGap),
            Event::Published(id, _) | Event::Got(id, _) | Event::Put(id, _) => self.answered(now, id, event),
            _ => {}
        }
    }

    fn poll(&mut self, now: Now) -> Option<Action> {
        loop {
            if let Some(action) = self.actions.pop_front() {
                return Some(action);
            }
            let worked = self.poll_pools(now) || self.poll_saves(now);
            if !worked && !self.admit(now) && !self.poll_bulk(now) && !self.poll_leaving(now) {
                return None;
            }
        }
    }

    fn next_wakeup(&mut self, _: Now) -> Option<Instant> {
        let saves = self.saves.as_ref().and_then(Saves::next_wakeup);
        [self.wakeup, self.pools.next_wakeup(), saves].into_iter().flatten().min()
    }
}
