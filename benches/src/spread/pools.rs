//! Ours: the machine of `server-pool` alone, on the simulated bus without limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fleet_sim::{Action, CallId, Event, HostId, Node, Now, Sim};
use server_pool::Config;
use server_pool::machine::{Change, FrameId, Input, Machine, Notice, Output, PoolId};
use transport_traits::{BusLimits, Delivery, Instant};

use super::{Fleet, Traffic, name};

/// The topic of the pool. It is sent with every frame.
const TOPIC: &str = "players";

/// A fleet of ours.
pub struct Pools {
    sim: Sim<Server>,
    configure: fn(Config) -> Config,
}

impl Pools {
    /// A fleet without servers, whose servers will be configured like this from the defaults. What happens comes from the seed.
    #[must_use]
    pub fn new(seed: u64, configure: fn(Config) -> Config) -> Self {
        Self { sim: Sim::new(seed), configure }
    }

    fn servers(&self) -> impl Iterator<Item = &Server> {
        self.sim.running().filter_map(|host| self.sim.node(host))
    }
}

fn host(server: usize) -> HostId {
    HostId(u32::try_from(server).expect("fleets are small"))
}

impl Fleet for Pools {
    fn start(&mut self, entries: Vec<(String, Arc<str>)>) {
        let host = self.sim.add_host();
        let config = Config::new(name(host.0 as usize)).with_seed(self.sim.rng.u64(..));
        let config = (self.configure)(config);
        self.sim.start(host, |now| Server::new(now, config));
        for (key, text) in entries {
            self.set(host.0 as usize, &key, &text);
        }
    }

    fn pass(&mut self, time: Duration) {
        self.sim.run(time);
    }

    fn all_know(&self, entries: usize) -> bool {
        self.servers().all(|server| server.view.len() == entries)
    }

    fn set(&mut self, server: usize, key: &str, text: &Arc<str>) {
        let value: Arc<str> = json(text).into();
        let set = |server: &mut Server, now: Now| {
            server.wakeup = Some(now.instant);
            server.machine.contribute(now.instant, server.pool, key, value).expect("the entries fit");
        };
        self.sim.act(host(server), set).expect("the server runs");
    }

    fn all_see(&self, _: usize, key: &str, text: &str) -> bool {
        self.servers().all(|server| server.view.get(key).is_some_and(|value| **value == *json(text)))
    }

    fn crash(&mut self, server: usize) {
        self.sim.crash(host(server));
    }

    fn is_buried(&self, server: usize) -> bool {
        let first = &*super::key(server, 0);
        self.servers().all(|other| !other.view.contains_key(first))
    }

    fn traffic(&self) -> Traffic {
        let published = &self.sim.bus.published;
        Traffic {
            messages: published.len() as f64,
            published: published.iter().map(|one| (one.topic.len() + one.bytes) as f64).sum(),
            delivered: self.servers().map(|server| server.received as f64).sum(),
        }
    }
}

fn json(text: &str) -> String {
    format!("\"{text}\"")
}

/// One server.
struct Server {
    machine: Machine,
    pool: PoolId,
    wakeup: Option<Instant>,
    subscribed: bool,
    view: BTreeMap<Arc<str>, Arc<str>>,
    received: usize,
}

impl Server {
    fn new(now: Now, config: Config) -> Self {
        let machine = Machine::new(now.instant, now.wall, config, &BusLimits::default(), true);
        let mut machine = machine.expect("the configuration goes with a bus without limits");
        let pool = machine.open(now.instant, TOPIC.into());
        let (view, wakeup) = (BTreeMap::new(), Some(now.instant));
        Self { machine, pool, wakeup, subscribed: false, view, received: 0 }
    }

    fn show(&mut self, change: Change) {
        match change {
            Change::Set { key, value, .. } => drop(self.view.insert(key, value)),
            Change::Removed { key, .. } => drop(self.view.remove(&key)),
        }
    }
}

impl Node for Server {
    fn handle(&mut self, now: Now, event: Event) {
        let input = match event {
            Event::Delivered(topic, Delivery::Message(body)) => {
                self.received += topic.len() + body.len();
                Input::Received { pool: self.pool, body }
            }
            Event::Published(CallId(frame), Ok(())) => Input::Published(FrameId(frame)),
            _ => return,
        };
        self.wakeup = Some(now.instant);
        self.machine.handle(now.instant, input);
    }

    fn poll(&mut self, now: Now) -> Option<Action> {
        if !std::mem::replace(&mut self.subscribed, true) {
            return Some(Action::Subscribe(TOPIC.into()));
        }
        if self.wakeup.is_none_or(|at| at > now.instant) {
            return None;
        }
        self.machine.handle(now.instant, Input::WallClock(now.wall));
        let output = self.machine.poll(now.instant);
        while let Some((_, notice)) = self.machine.poll_notice() {
            if let Notice::Changed(change) = notice {
                self.show(change);
            }
        }
        match output {
            Some(Output::Publish { frame, message }) => Some(Action::Publish(CallId(frame.0), message)),
            Some(Output::Closed) => None,
            None => {
                self.wakeup = self.machine.next_wakeup();
                None
            }
        }
    }

    fn next_wakeup(&mut self, _: Now) -> Option<Instant> {
        self.wakeup
    }
}
