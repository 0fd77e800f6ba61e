//! The pools of a simulated server, and what somebody sees of them who knows nothing but their events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleet_sim::Now;
use server_pool::machine::{Change, FrameId, Input, Machine, Notice, Output, PoolId, Reason, ViewState};
use transport_traits::{Instant, Outgoing, Topic};

use super::checkpoint::Job;
use super::{Planted, forge};

/// How long a server may be silent: the default of pools.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// What a pool shows under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// JSON text.
    pub value: Arc<str>,
    /// The server that contributed it.
    pub owner: Arc<str>,
}

/// What a pool shows: by key.
pub type View = BTreeMap<Arc<str>, Shown>;

/// The machine of a server's pools, and its views as their events tell them.
#[derive(Debug)]
pub struct Pools {
    machine: Machine,
    topics: BTreeMap<Topic, PoolId>,
    views: Vec<View>,
    state: ViewState,
    fresh_since: Instant,
    synced_at: Option<Instant>,
    /// Keep every change in `changes`.
    pub watch: bool,
    /// The changes since somebody took them, while `watch` is set.
    pub changes: Vec<(Instant, PoolId, Change)>,
    /// Who was taken for dead, and when.
    pub expired: Vec<(Instant, Arc<str>)>,
    /// When it has to be polled.
    wakeup: Option<Instant>,
    bug: Bug,
}

/// What a planted bug remembers.
#[derive(Debug)]
struct Bug {
    planted: Option<Planted>,
    polled: Instant,
    /// The server holds itself for dead.
    is_dead: bool,
    /// Whom it does not hear any more.
    dead: BTreeSet<String>,
}

/// What pools want done.
pub(super) enum Wish {
    Publish(FrameId, Outgoing),
    Store(Job),
    Close,
}

impl Pools {
    /// The pools of these topics.
    #[must_use]
    pub fn new(mut machine: Machine, topics: &[Topic], now: Now, planted: Option<Planted>) -> Self {
        let open = |topic: &Topic| (topic.clone(), machine.open(now.instant, topic.clone()));
        let topics: BTreeMap<_, _> = topics.iter().map(open).collect();
        let views = vec![View::new(); topics.len()];
        Self {
            machine,
            topics,
            views,
            state: ViewState::default(),
            fresh_since: Instant::ZERO,
            synced_at: None,
            watch: false,
            changes: Vec::new(),
            expired: Vec::new(),
            wakeup: Some(now.instant),
            bug: Bug { planted, polled: now.instant, is_dead: false, dead: BTreeSet::new() },
        }
    }

    /// The machine itself, to ask it.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine itself, to call it. It is polled afterwards.
    pub const fn call(&mut self, now: Now) -> &mut Machine {
        self.wakeup = Some(now.instant);
        &mut self.machine
    }

    /// The pool of a topic.
    ///
    /// # Panics
    /// If the server has none.
    #[must_use]
    pub fn id(&self, topic: &str) -> PoolId {
        self.topics[topic]
    }

    /// What the pool of a topic shows, if the server has one.
    pub(super) fn view_of(&self, topic: &str) -> Option<&View> {
        self.topics.get(topic).map(|pool| self.view(*pool))
    }

    /// What a pool shows.
    #[must_use]
    pub fn view(&self, pool: PoolId) -> &View {
        &self.views[pool.0]
    }

    /// Whether the views are up to date, as far as the server knows.
    #[must_use]
    pub const fn state(&self) -> ViewState {
        self.state
    }

    /// When the views were last up to date again after they were not, if ever: then everybody got a full timeout.
    #[must_use]
    pub const fn fresh_since(&self) -> Instant {
        self.fresh_since
    }

    /// When a pool first knew everything that the living servers had, in its own opinion.
    #[must_use]
    pub const fn synced_at(&self) -> Option<Instant> {
        self.synced_at
    }

    pub(super) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.keys()
    }

    /// Takes a contribution back.
    pub fn withdraw(&mut self, now: Now, pool: PoolId, key: &str) {
        if self.bug.planted == Some(Planted::ForgetsTombstones) {
            self.views[pool.0].remove(key);
        } else {
            self.call(now).withdraw(now.instant, pool, key);
        }
    }

    /// Whether the bug is one by which the server does not speak any more, and it came to that.
    pub(super) const fn is_dead(&self) -> bool {
        self.bug.is_dead
    }

    /// Takes a message, if it is for a pool.
    pub(super) fn receive(&mut self, now: Now, topic: &Topic, body: &Bytes) {
        let Some(&pool) = self.topics.get(topic) else { return };
        let is_dead = |sender: String| self.bug.dead.contains(&sender);
        if self.bug.dead.is_empty() || !forge::sender_of(body).is_some_and(is_dead) {
            self.handle(now, Input::Received { pool, body: body.clone() });
        }
    }

    pub(super) fn gap(&mut self, now: Now) {
        for pool in self.topics.clone().into_values() {
            self.handle(now, Input::Gap { pool });
        }
    }

    pub(super) fn handle(&mut self, now: Now, input: Input) {
        self.call(now).handle(now.instant, input);
    }

    pub(super) fn poll(&mut self, now: Now) -> Option<Wish> {
        if self.wakeup.is_none_or(|at| at > now.instant) {
            return None;
        }
        let is_late = now.instant.since(self.bug.polled) > TIMEOUT;
        self.bug.polled = now.instant;
        self.bug.is_dead |= is_late && self.bug.planted == Some(Planted::AcceptsOwnDeath);
        self.machine.handle(now.instant, Input::WallClock(now.wall));
        let output = self.machine.poll(now.instant);
        while let Some((pool, notice)) = self.machine.poll_notice() {
            self.take(now.instant, pool, notice);
        }
        if output.is_none() {
            if let Some(job) = self.poll_store() {
                return Some(Wish::Store(job));
            }
            self.wakeup = self.machine.next_wakeup();
        }
        Some(match output? {
            Output::Publish { frame, message } => Wish::Publish(frame, message),
            Output::Closed => Wish::Close,
        })
    }

    fn poll_store(&mut self) -> Option<Job> {
        let job = self.machine.poll_store()?;
        let topic = self.topics.iter().find(|(_, pool)| **pool == job.pool).map(|(topic, _)| topic.clone());
        Some(Job::new(topic.expect("every pool has a topic"), job))
    }

    pub(super) const fn next_wakeup(&self) -> Option<Instant> {
        self.wakeup
    }

    fn take(&mut self, now: Instant, pool: PoolId, notice: Notice) {
        match notice {
            Notice::State(ViewState::Fresh) if self.bug.planted == Some(Planted::StaysStale) => {}
            Notice::State(state) => {
                self.state = state;
                if state == ViewState::Fresh {
                    self.fresh_since = now;
                }
            }
            Notice::Synced => self.synced_at = self.synced_at.or(Some(now)),
            Notice::Changed(change) => {
                self.show(now, pool, &change);
                if self.watch {
                    self.changes.push((now, pool, change));
                }
            }
        }
    }

    /// Events must make sense to somebody who knows nothing but events.
    fn show(&mut self, now: Instant, pool: PoolId, change: &Change) {
        let view = &mut self.views[pool.0];
        let (before, reason) = match change {
            Change::Removed { key, reason } => {
                let removed = view.remove(key);
                assert!(removed.is_some() || self.bug.planted.is_some(), "what is removed was there: {key}");
                (removed, *reason)
            }
            Change::Set { key, value, owner, reason } => {
                let shown = Shown { value: value.clone(), owner: owner.clone() };
                let old = view.insert(key.clone(), shown.clone());
                let is_news = old.as_ref() != Some(&shown);
                assert!(is_news || self.bug.planted.is_some(), "an event tells something new");
                (old, *reason)
            }
        };
        // The key is gone, or passes to the next who claims it.
        let owner = before.filter(|_| reason == Reason::Expired).map(|shown| shown.owner);
        self.note_expired(now, owner);
    }

    fn note_expired(&mut self, now: Instant, owner: Option<Arc<str>>) {
        if self.bug.planted == Some(Planted::DeathIsFinal) {
            self.bug.dead.extend(owner.as_deref().map(str::to_owned));
        }
        self.expired.extend(owner.map(|owner| (now, owner)));
    }
}
