//! What happens in a fleet while time passes.

use std::cmp::Reverse;
use std::time::Duration;

use bytes::Bytes;
use server_pool::machine::{Change, Input, Notice, Output, PoolId, StoreCall, StoreJob};
use transport_traits::Instant;
use transport_traits::limits::SizeLimit;

use super::{Fleet, Seen, millis};

impl Fleet {
    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.next_event().filter(|next| *next <= end) {
            assert!(next >= self.now, "time does not go back");
            self.now = next;
            self.deliver_due();
            self.wake_due();
        }
        self.now = end;
    }

    /// Lets time pass until something is so, but not longer than `most`, and says how long that took.
    pub(crate) fn run_until(&mut self, most: Duration, is_so: impl Fn(&Self) -> bool) -> Option<Duration> {
        let start = self.now;
        while self.now.since(start) <= most {
            if is_so(self) {
                return Some(self.now.since(start));
            }
            self.run(millis(10));
        }
        None
    }

    fn next_event(&self) -> Option<Instant> {
        let arrival = self.on_the_way.peek().map(|Reverse((at, ..))| *at);
        let awake = self.servers.iter().filter(|server| server.alive);
        let wakeups = awake.filter_map(|server| Some(server.machine.next_wakeup()?.max(server.paused_until)));
        wakeups.chain(arrival).min().map(|at| at.max(self.now))
    }

    fn deliver_due(&mut self) {
        while self.on_the_way.peek().is_some_and(|Reverse((at, ..))| *at <= self.now) {
            let Some(Reverse((.., to, pool, body))) = self.on_the_way.pop() else { return };
            self.input(to, Input::Received { pool, body });
        }
    }

    fn wake_due(&mut self) {
        for index in self.living() {
            let server = &mut self.servers[index];
            let due = server.machine.next_wakeup().is_some_and(|at| at <= self.now);
            if server.paused_until <= self.now && (due || !server.held.is_empty()) {
                for input in std::mem::take(&mut server.held) {
                    server.machine.handle(self.now, input);
                }
                self.pump(index);
            }
        }
    }

    pub(super) fn input(&mut self, index: usize, input: Input) {
        let server = &mut self.servers[index];
        if server.alive && server.paused_until > self.now {
            server.held.push(input);
        } else if server.alive {
            server.machine.handle(self.now, input);
            self.pump(index);
        }
    }

    pub(super) fn pump(&mut self, index: usize) {
        while let Some(output) = self.servers[index].machine.poll(self.now) {
            match output {
                Output::Closed => self.servers[index].alive = false,
                Output::Publish { frame, message } => {
                    let fits = |limit: SizeLimit| limit.check("frame", &message.body).is_ok();
                    assert!(self.limits.body.is_none_or(fits), "{message:?}");
                    let result = if self.rng.u32(..100) < self.faults.failure {
                        Input::Failed { frame, retry_after: None }
                    } else {
                        self.broadcast(index, &message.topic, &message.body);
                        Input::Published(frame)
                    };
                    self.servers[index].machine.handle(self.now, result);
                }
            }
        }
        self.call_store(index);
        let wakeup = self.servers[index].machine.next_wakeup();
        assert!(wakeup.is_none_or(|at| at > self.now), "a machine at rest has nothing to do now");
        self.take_notices(index);
    }

    fn call_store(&mut self, index: usize) {
        while let Some(StoreJob { pool, call }) = self.servers[index].machine.poll_store() {
            let answer = match call {
                StoreCall::Load => match self.checkpoint.clone() {
                    Some(shards) => Input::Loaded { pool, shards },
                    None => continue,
                },
                StoreCall::Save(shards) => {
                    self.checkpoint = Some(shards);
                    self.saves.push((self.now, index));
                    Input::Saved { pool }
                }
            };
            self.input(index, answer);
        }
    }

    /// Every server opens its pools in the same order, so a topic's pool has the same id everywhere.
    fn broadcast(&mut self, from: usize, topic: &str, body: &Bytes) {
        let pool = PoolId(usize::from(topic != "p"));
        let text = String::from_utf8_lossy(body).into_owned();
        for to in 0..self.servers.len() {
            let (sender, receiver) = (&self.servers[from], &self.servers[to]);
            let open = receiver.seen.contains_key(&pool);
            let hears = sender.connected && receiver.connected && sender.side == receiver.side;
            if open && hears && !(self.filter)(from, to, &text) && self.rng.u32(..100) >= self.faults.loss {
                let twice = self.rng.u32(..100) < self.faults.duplication;
                for _ in 0..=u32::from(twice) {
                    self.send(to, pool, body.clone());
                }
            }
        }
        self.published.push((self.now, from, text));
    }

    fn send(&mut self, to: usize, pool: PoolId, body: Bytes) {
        let jitter = self.faults.jitter.mul_f64(self.rng.f64());
        self.order += 1;
        self.on_the_way.push(Reverse((self.now + self.delay + jitter, self.order, to, pool, body)));
    }

    fn take_notices(&mut self, index: usize) {
        let server = &mut self.servers[index];
        while let Some((pool, notice)) = server.machine.poll_notice() {
            match notice {
                Notice::State(state) => server.state = state,
                Notice::Synced => server.synced_at = Some(self.now),
                Notice::Changed(change) => {
                    apply(server.seen.entry(pool).or_default(), &change);
                    server.events.push((self.now, change));
                }
            }
        }
    }
}

/// Events must make sense to somebody who knows nothing but events.
fn apply(seen: &mut Seen, change: &Change) {
    match change {
        Change::Removed { key, .. } => {
            seen.remove(&**key).expect("only what is there is removed");
        }
        Change::Set { key, value, owner, .. } => {
            let text = serde_json::from_str(value).unwrap_or_else(|_| value.to_string());
            let entry = (text, owner.to_string());
            let old = seen.insert(key.to_string(), entry.clone());
            assert_ne!(old, Some(entry), "an event tells something new");
        }
    }
}
