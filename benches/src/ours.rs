//! The machine of `bulk-messaging` as a packer and as a reader of frames, without driver, clock and bus.

use bulk_messaging::machine::{Input, Machine, Output};
use bulk_messaging::{Budget, Config, Format};
use bytes::Bytes;
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, Instant, Outgoing, Topic};

use crate::Packer;
use crate::workloads::{Message, Update};

/// The time: it stands still, since nothing here waits.
const NOW: Instant = Instant::ZERO;

/// Why no push fails.
const FITS: &str = "messages of the workloads fit into a frame and the queue";

/// A machine without a budget, on a bus with this limit. The sender's name has the length of the default one.
fn machine(limit: SizeLimit, format: Format) -> Machine {
    let mut bus = BusLimits::default();
    bus.body = Some(limit);
    let mut config = Config::new("real");
    config.sender = Some("k3Jx_9aQ".into());
    config.seed = Some(1);
    config.budget = Budget::Unlimited;
    config.format = format;
    Machine::new(config, &bus, NOW).expect("the configuration fits the bus")
}

/// Ours, on a bus that accepts every frame at once.
#[derive(Debug)]
pub struct Ours {
    machine: Machine,
    backlog: u64,
    queued: u64,
}

impl Ours {
    /// How many messages wait unless said otherwise. Where a budget makes messages wait at all there are a few frames'
    /// worth of them.
    pub const BACKLOG: u64 = 64;

    /// A packer of JSON frames that seals one whenever more than `backlog` messages wait.
    #[must_use]
    pub fn new(limit: SizeLimit, backlog: u64) -> Self {
        Self::with_format(limit, backlog, Format::Nexus)
    }

    /// The same with frames of this format.
    #[must_use]
    pub fn with_format(limit: SizeLimit, backlog: u64, format: Format) -> Self {
        Self { machine: machine(limit, format), backlog, queued: 0 }
    }

    fn pushed(&mut self, sealed: &mut dyn FnMut(&[u8])) {
        self.queued += 1;
        if self.queued > self.backlog {
            self.seal(sealed);
            self.queued = self.machine.stats(NOW).queued_messages;
        }
    }

    /// Seals one frame, if there are messages, and has the bus accept it.
    fn seal(&mut self, sealed: &mut dyn FnMut(&[u8])) -> bool {
        while let Some(output) = self.machine.poll(NOW) {
            if let Output::Publish { id, body, .. } = output {
                sealed(&body);
                self.machine.handle(NOW, Input::Published { id, result: Ok(()) });
                return true;
            }
        }
        false
    }

    fn seal_all(&mut self, sealed: &mut dyn FnMut(&[u8])) {
        while self.seal(sealed) {}
        self.queued = 0;
    }
}

/// Texts become JSON strings, whatever the format.
impl Packer for Ours {
    fn push(&mut self, message: &Message, sealed: &mut dyn FnMut(&[u8])) {
        self.machine.push_text(NOW, message.topic.clone(), &message.text, None).expect(FITS);
        self.pushed(sealed);
    }

    fn finish(&mut self, sealed: &mut dyn FnMut(&[u8])) {
        self.seal_all(sealed);
    }
}

/// Updates go as they are. They are checked to be JSON where the format demands it.
impl Packer<Update> for Ours {
    fn push(&mut self, update: &Update, sealed: &mut dyn FnMut(&[u8])) {
        let message = Outgoing::new(update.topic.clone(), update.body.clone());
        self.machine.push(NOW, message, None).expect(FITS);
        self.pushed(sealed);
    }

    fn finish(&mut self, sealed: &mut dyn FnMut(&[u8])) {
        self.seal_all(sealed);
    }
}

/// A receiver that is subscribed to every inner topic of the workload.
#[derive(Debug)]
pub struct Reader(Machine);

impl Reader {
    /// One that has heard nothing yet.
    #[must_use]
    pub fn new<'a>(limit: SizeLimit, topics: impl IntoIterator<Item = &'a Topic>) -> Self {
        let mut machine = machine(limit, Format::Nexus);
        topics.into_iter().for_each(|topic| machine.handle(NOW, Input::Watch(topic.clone())));
        Self(machine)
    }

    /// Decodes a frame, and shows the messages that are to be delivered to `delivered`.
    pub fn read(&mut self, frame: &Bytes, delivered: &mut dyn FnMut(&[u8])) {
        self.0.handle(NOW, Input::Received(frame.clone()));
        while let Some(output) = self.0.poll(NOW) {
            if let Output::Deliver { body, .. } = output {
                delivered(&body);
            }
        }
    }
}
