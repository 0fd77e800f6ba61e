//! Lets time pass: takes what is due from the agenda, and carries out what nodes want.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::limits::Load;
use transport_traits::{Delivery, Error, ErrorKind, Instant, Outgoing};

use super::{Due, Sim, life};
use crate::bus::Message;
use crate::fan::Fan;
use crate::host::{HostId, Life};
use crate::store::{StoreAnswer, StoreCall};
use crate::trace::{Happening, hash_bytes};
use crate::{Action, CallId, Event, Node};

/// So many things in a row that a node does at one instant are a loop.
const SPIN: usize = 1_000_000;

impl<N: Node> Sim<N> {
    /// Lets time pass.
    ///
    /// # Panics
    /// If a node never comes to rest: it goes on acting, or wants to be woken in the past.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.release();
        while let Some((at, due)) = self.agenda.take_due(end) {
            assert!(at >= self.now, "time does not go back");
            self.now = at;
            self.happen(due);
        }
        self.now = end;
    }

    /// Lets time pass in steps until something is so, and says how long that took; `None` if it was not so within
    /// `most`. `step` is how often that is looked at, and how exact the answer is.
    pub fn run_until(
        &mut self,
        most: Duration,
        step: Duration,
        mut is_so: impl FnMut(&Self) -> bool,
    ) -> Option<Duration> {
        let start = self.now;
        loop {
            if is_so(self) {
                return Some(self.now.since(start));
            }
            if self.now.since(start) >= most {
                return None;
            }
            self.run(step);
        }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Deliver(fan) => self.deliver(fan),
            Due::Answer(to, CallId(call), event) => {
                if !self.is_over(to) {
                    self.note_on(to.host, Happening::Answered(call));
                    self.tell(to, event);
                }
            }
            Due::Carry { by, id, call, answered } => self.carry(by, id, call, answered),
            Due::Wake(host) => self.wake(host),
            Due::Resume(life) => self.resume(life),
        }
    }

    /// Delivers what comes now. What comes later stays on the agenda.
    fn deliver(&mut self, mut fan: Fan) {
        while let Some(to) = fan.take_due(self.now) {
            if !self.is_over(to) && fan.message.number > self.host(to.host).missed {
                self.note_on(to.host, Happening::Delivered(fan.message.number));
                let delivery = Delivery::Message(fan.message.body.clone());
                self.tell(to, Event::Delivered(fan.message.topic.clone(), delivery));
            }
        }
        self.enter_fan(fan);
    }

    fn enter_fan(&mut self, fan: Fan) {
        match fan.next() {
            Some((at, turn)) => self.agenda.enter_for(at, turn, Due::Deliver(fan)),
            None => self.spare.keep(fan),
        }
    }

    /// Tells a process that runs, now or when it goes on.
    pub(super) fn tell(&mut self, to: Life, event: Event) {
        let now = self.now_on(to.host);
        let place = self.host_mut(to.host);
        if place.paused_until.is_some() {
            return place.held.push(event);
        }
        place.node.as_mut().expect("this life is not over").handle(now, event);
        self.pump(to.host);
    }

    fn wake(&mut self, host: HostId) {
        let now = self.now;
        let place = self.host_mut(host);
        if place.entered != Some(now) {
            return; // An entry that an earlier one has replaced.
        }
        place.entered = None;
        if place.paused_until.is_some() {
            return;
        }
        if place.wanted.is_some_and(|wanted| wanted <= now) {
            self.note_on(host, Happening::Woken);
            self.pump(host);
        } else {
            self.enter_wakeup(host);
        }
    }

    fn resume(&mut self, life: Life) {
        let now = self.now;
        if self.is_over(life) || self.host(life.host).paused_until != Some(now) {
            return;
        }
        let place = self.host_mut(life.host);
        place.paused_until = None;
        for event in std::mem::take(&mut place.held) {
            if !self.is_over(life) {
                self.tell(life, event);
            }
        }
        if !self.is_over(life) {
            self.pump(life.host);
        }
    }

    /// Carries out what a node wants, until it wants nothing more.
    pub(super) fn pump(&mut self, host: HostId) {
        for _ in 0..SPIN {
            let now = self.now_on(host);
            let Some(node) = self.host_mut(host).node.as_mut() else { return };
            let Some(action) = node.poll(now) else {
                let wanted = node.next_wakeup(now);
                assert!(
                    wanted.is_none_or(|at| at > now.instant),
                    "{host} has nothing to do at {}, and wants to be woken at {wanted:?}",
                    now.instant
                );
                self.host_mut(host).wanted = wanted;
                return self.enter_wakeup(host);
            };
            self.do_action(host, action);
        }
        panic!("{host} never comes to rest at {}", self.now);
    }

    /// Sees to it that a host is woken when it wants to be. One entry is enough: it moves on if it comes too early.
    fn enter_wakeup(&mut self, host: HostId) {
        let place = self.host_mut(host);
        let Some(wanted) = place.wanted else { return };
        if place.entered.is_none_or(|entered| entered > wanted) {
            place.entered = Some(wanted);
            self.agenda.enter(wanted, Due::Wake(host));
        }
    }

    fn do_action(&mut self, host: HostId, action: Action) {
        let Some(life) = self.life(host) else { return };
        match action {
            Action::Subscribe(topic) => self.bus.subscribe(host, topic),
            Action::Unsubscribe(topic) => self.bus.unsubscribe(host, &topic),
            Action::Publish(id, message) => self.publish(life, id, message),
            Action::Get(id, key) => self.call(life, id, StoreCall::Get(key)),
            Action::Put(id, key, record, precondition) => {
                self.call(life, id, StoreCall::Put(key, record, precondition));
            }
            Action::Delete(id, key, precondition) => {
                self.call(life, id, StoreCall::Delete(key, precondition));
            }
            Action::List(id, store, prefix) => self.call(life, id, StoreCall::List(store, prefix)),
            Action::Exit => drop(self.end(host, false)),
        }
    }

    fn publish(&mut self, from: Life, id: CallId, message: Outgoing) {
        let hash = hash_bytes(&message.body) ^ hash_bytes(message.topic.as_bytes());
        let mut reached = std::mem::take(&mut self.reached);
        let verdict = self.bus.publish(self.now, from.host, message, self.running, &mut reached);
        let (number, answer) = (verdict.message.number, verdict.answer);
        self.note_on(from.host, Happening::Published { number, hash, answer });
        self.enter_arrivals(verdict.message, &reached);
        reached.clear();
        self.reached = reached;
        let answer = answer.map_err(|kind| Error::new(kind, "publish"));
        self.agenda.enter(verdict.answer_at, Due::Answer(from, id, Event::Published(id, answer)));
    }

    /// Delivers what waited at links that are clogged no more.
    fn release(&mut self) {
        for (at, host, message) in self.bus.take_released(self.now) {
            self.enter_arrivals(message, &[(at, host)]);
        }
    }

    fn enter_arrivals(&mut self, message: Arc<Message>, reached: &[(Instant, HostId)]) {
        let first = self.agenda.take_turns(reached.len());
        let hosts = &self.hosts;
        let arrivals = reached.iter().filter_map(|(at, to)| Some((*at, life(hosts, *to)?)));
        let fan = Fan::new(message, first, arrivals, &mut self.spare);
        self.enter_fan(fan);
    }

    fn call(&mut self, by: Life, id: CallId, call: StoreCall) {
        let load = Load { servers: self.running, players: self.bus.players };
        let fate = self.store.fate(self.now, by.host, &call, load);
        if let Some((at, kind)) = fate.failure {
            self.answer(at, by, id, call.failed(kind));
        }
        if let Some(at) = fate.carried_at {
            self.agenda.enter(at, Due::Carry { by, id, call, answered: fate.failure.is_none() });
        }
    }

    fn carry(&mut self, by: Life, id: CallId, call: StoreCall, answered: bool) {
        let wall = super::START + self.now.since(Instant::ZERO);
        let (at, answer) = self.store.carry_out(self.now, wall, by.host, call);
        self.note_on(by.host, Happening::Carried(self.store.commits().len()));
        if answered {
            self.answer(at, by, id, answer);
        }
    }

    fn answer(&mut self, at: Instant, to: Life, id: CallId, answer: StoreAnswer) {
        let error = |kind: ErrorKind| Error::new(kind, "data store");
        let event = match answer {
            StoreAnswer::Got(result) => Event::Got(id, result.map_err(error)),
            StoreAnswer::Put(result) => Event::Put(id, result.map_err(error)),
            StoreAnswer::Deleted(result) => Event::Deleted(id, result.map_err(error)),
            StoreAnswer::Listed(result) => Event::Listed(id, result.map_err(error)),
        };
        self.agenda.enter(at, Due::Answer(to, id, event));
    }
}
