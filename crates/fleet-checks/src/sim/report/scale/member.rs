//! A server of a large fleet: its pool straight on the bus, and a fingerprint of what it sees.

use std::collections::HashMap;

use fleet_sim::{Action, CallId, Event, Node, Now};
use server_pool::machine::{Change, FrameId, Input, Machine, Notice, Output, PoolId};
use transport_traits::{BusLimits, Delivery, Instant, Topic};

/// A pool of a server, straight on a bus.
#[derive(Debug)]
pub(super) struct Member {
    machine: Machine,
    pool: PoolId,
    /// Still to be subscribed to.
    topic: Option<Topic>,
    /// What it sees, if it is asked.
    seen: Option<Seen>,
}

/// What a server sees, as sums that tell apart what differs.
#[derive(Debug, Default)]
struct Seen {
    /// The hash of a key, and that of key, value and owner.
    rows: HashMap<u64, u64>,
    sum: u64,
}

impl Member {
    /// A server that starts now and hears its own messages.
    pub(super) fn new(
        now: Now,
        config: server_pool::Config,
        topic: Topic,
        bus: &BusLimits,
        watched: bool,
    ) -> Self {
        let mut machine = Machine::new(now.instant, now.wall, config, bus, true)
            .expect("the pools are configured for the bus");
        let pool = machine.open(now.instant, topic.clone());
        Self { machine, pool, topic: Some(topic), seen: watched.then(Seen::default) }
    }

    pub(super) fn put(&mut self, now: Now, key: &str, value: u64) {
        let value = value.to_string();
        let put = self.machine.contribute(now.instant, self.pool, key, value.as_str().into());
        assert!(put.is_ok(), "small entries fit");
    }

    /// How many entries it sees, and a sum that is the same on two servers if they see the same.
    pub(super) fn seen(&self) -> Option<(usize, u64)> {
        self.seen.as_ref().map(|seen| (seen.rows.len(), seen.sum))
    }

    /// A sum of what it knows.
    pub(super) fn digest(&self) -> u64 {
        self.machine.digest(self.pool)
    }

    /// How many entries it knows.
    pub(super) fn entries(&self) -> usize {
        self.machine.stats().entries as usize
    }

    pub(super) fn stats(&self) -> server_pool::Stats {
        self.machine.stats()
    }
}

impl Node for Member {
    fn handle(&mut self, now: Now, event: Event) {
        let input = match event {
            Event::Delivered(_, Delivery::Message(body)) => Input::Received { pool: self.pool, body },
            Event::Delivered(_, Delivery::Gap) => Input::Gap { pool: self.pool },
            Event::Published(CallId(frame), Ok(())) => Input::Published(FrameId(frame)),
            Event::Published(CallId(frame), Err(_)) => {
                Input::Failed { frame: FrameId(frame), retry_after: None }
            }
            _ => return,
        };
        self.machine.handle(now.instant, Input::WallClock(now.wall));
        self.machine.handle(now.instant, input);
    }

    fn poll(&mut self, now: Now) -> Option<Action> {
        if let Some(topic) = self.topic.take() {
            return Some(Action::Subscribe(topic));
        }
        let output = self.machine.poll(now.instant);
        while let Some((_, notice)) = self.machine.poll_notice() {
            self.seen.iter_mut().for_each(|seen| seen.take(&notice));
        }
        Some(match output? {
            Output::Publish { frame, message } => Action::Publish(CallId(frame.0), message),
            Output::Closed => Action::Exit,
        })
    }

    fn next_wakeup(&mut self, _: Now) -> Option<Instant> {
        self.machine.next_wakeup()
    }
}

impl Seen {
    fn take(&mut self, notice: &Notice) {
        let Notice::Changed(change) = notice else { return };
        let old = match change {
            Change::Set { key, value, owner, .. } => {
                let row = hash([key, value, owner]);
                self.sum = self.sum.wrapping_add(row);
                self.rows.insert(hash([key]), row)
            }
            Change::Removed { key, .. } => self.rows.remove(&hash([key])),
        };
        self.sum = self.sum.wrapping_sub(old.unwrap_or(0));
    }
}

/// FNV-1a of texts. (Fowler, Noll and Vo.)
fn hash<const N: usize>(texts: [&str; N]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
