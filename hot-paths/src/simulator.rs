//! The simulator: its own work, of nodes that do next to nothing.

use std::time::Duration;

use bytes::Bytes;
use fleet_sim::{Action, CallId, Event, HostId, Node, Now, Sim};
use transport_traits::{Instant, Outgoing, Topic};

use crate::Step;

const NODES: usize = 8;
const PERIOD: Duration = Duration::from_secs(1);

/// Says the same once a second, and counts what it hears.
struct Speaker {
    topic: Topic,
    body: Bytes,
    subscribed: bool,
    next: Instant,
    heard: usize,
}

impl Node for Speaker {
    fn handle(&mut self, _: Now, event: Event) {
        self.heard += usize::from(matches!(event, Event::Delivered(..)));
    }

    fn poll(&mut self, now: Now) -> Option<Action> {
        if !std::mem::replace(&mut self.subscribed, true) {
            return Some(Action::Subscribe(self.topic.clone()));
        }
        (self.next <= now.instant).then(|| {
            self.next += PERIOD;
            Action::Publish(CallId(0), Outgoing::new(self.topic.clone(), self.body.clone()))
        })
    }

    fn next_wakeup(&mut self, _: Now) -> Option<Instant> {
        Some(self.next)
    }
}

pub(crate) fn step() -> Step {
    let mut sim = Sim::new(1);
    let (topic, body) = (Topic::from("hall"), Bytes::from(vec![b'x'; 800]));
    let hosts: Vec<HostId> = (0..NODES)
        .map(|_| {
            let (topic, body) = (topic.clone(), body.clone());
            sim.launch(|now| Speaker { topic, body, subscribed: false, next: now.instant + PERIOD, heard: 0 })
        })
        .collect();
    sim.run(PERIOD * 2);
    Box::new(move |_| {
        let heard = |sim: &Sim<Speaker>| sim.node(hosts[0]).map_or(0, |node| node.heard);
        let before = heard(&sim);
        sim.run(PERIOD);
        assert_eq!(heard(&sim) - before, NODES, "it hears each node once a second");
    })
}
