//! The simulation itself: hosts, bus, store, and the one clock that steps through what happens.

mod run;

use std::sync::Arc;
use std::time::Duration;

use transport_traits::{Delivery, Instant, Record, RecordKey, WallTime};

use crate::agenda::Agenda;
use crate::bus::Bus;
use crate::fan::{Fan, Spare};
use crate::host::{Host, HostId, Life};
use crate::store::{Store, StoreCall};
use crate::trace::{Happening, Trace, TraceEntry};
use crate::{CallId, Event, Node, Now};

/// 2026-01-01 00:00 UTC: what every wall clock shows at the beginning.
const START: WallTime = WallTime::from_micros(1_767_225_600_000_000);

/// What is to happen.
#[derive(Debug)]
enum Due {
    Deliver(Fan),
    Answer(Life, CallId, Event),
    Carry { by: Life, id: CallId, call: StoreCall, answered: bool },
    Wake(HostId),
    Resume(Life),
}

/// A fleet of nodes on virtual time. Everything that is random in it comes from one seed.
#[derive(Debug)]
pub struct Sim<N> {
    /// The bus.
    pub bus: Bus,
    /// The data store.
    pub store: Store,
    /// For whoever runs the simulation: what is drawn here changes nothing that the bus and the store draw.
    pub rng: fastrand::Rng,
    now: Instant,
    hosts: Vec<Host<N>>,
    running: u32,
    agenda: Agenda<Due>,
    /// Whom the publish reaches that is being made, and when.
    reached: Vec<(Instant, HostId)>,
    spare: Spare,
    trace: Trace,
}

impl<N: Node> Sim<N> {
    /// A simulation without hosts, at [`Instant::ZERO`] and 2026-01-01 00:00 UTC.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            bus: Bus::new(rng.u64(..)),
            store: Store::new(rng.u64(..)),
            rng: fastrand::Rng::with_seed(rng.u64(..)),
            now: Instant::ZERO,
            hosts: Vec::new(),
            running: 0,
            agenda: Agenda::new(),
            reached: Vec::new(),
            spare: Spare::default(),
            trace: Trace::new(),
        }
    }

    /// What time it is.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// What time it is on a host.
    #[must_use]
    pub fn now_on(&self, host: HostId) -> Now {
        let micros = START.as_micros() + self.now.as_micros();
        let wall = WallTime::from_micros(micros.saturating_add_signed(self.host(host).ahead));
        Now { instant: self.now, wall }
    }

    /// Adds a host, on which nothing runs yet.
    pub fn add_host(&mut self) -> HostId {
        self.hosts.push(Host::new());
        HostId(u32::try_from(self.hosts.len() - 1).expect("a simulation has far fewer hosts than 2^32"))
    }

    /// Starts a process on a host. What ran there before crashes first.
    pub fn start(&mut self, host: HostId, node: impl FnOnce(Now) -> N) {
        drop(self.crash(host));
        let node = node(self.now_on(host));
        let place = self.host_mut(host);
        (place.node, place.lives) = (Some(node), place.lives + 1);
        self.running += 1;
        self.note_on(host, Happening::Started);
        self.pump(host);
    }

    /// Adds a host and starts a process there.
    pub fn launch(&mut self, node: impl FnOnce(Now) -> N) -> HostId {
        let host = self.add_host();
        self.start(host, node);
        host
    }

    /// Ends a process without a word, and gives back what is left of it. Calls to the store that are under way are
    /// carried out nonetheless.
    pub fn crash(&mut self, host: HostId) -> Option<N> {
        self.end(host, true)
    }

    /// Lets a process stand still: neither time nor messages reach it, and all of them do when it goes on.
    pub fn pause(&mut self, host: HostId, time: Duration) {
        let Some(life) = self.life(host) else { return };
        let until = self.now + time;
        let longest = self.host(host).paused_until.map_or(until, |before| before.max(until));
        self.host_mut(host).paused_until = Some(longest);
        self.agenda.enter(longest, Due::Resume(life));
        self.note_on(host, Happening::Paused(longest));
    }

    /// Breaks the connection of a host to the bus, and makes it anew: what is under way to it is lost, and each of its
    /// subscriptions is told that messages may be missing.
    pub fn reconnect(&mut self, host: HostId) {
        let Some(life) = self.life(host) else { return };
        self.host_mut(host).missed = self.bus.stats().publishes;
        self.note_on(host, Happening::Reconnected);
        for topic in self.bus.topics(host) {
            if !self.is_over(life) {
                self.tell(life, Event::Delivered(topic, Delivery::Gap));
            }
        }
    }

    /// Sets the wall clock of a host so many microseconds ahead of the simulation's, or behind it.
    pub fn set_clock(&mut self, host: HostId, ahead: i64) {
        self.host_mut(host).ahead = ahead;
        self.note_on(host, Happening::ClockSet(ahead));
    }

    /// The process on a host; `None` if none runs.
    #[must_use]
    pub fn node(&self, host: HostId) -> Option<&N> {
        self.host(host).node.as_ref()
    }

    /// Does something to the process on a host, and carries out what it wants done then. `None` if no process runs there
    /// or it stands still.
    pub fn act<T>(&mut self, host: HostId, act: impl FnOnce(&mut N, Now) -> T) -> Option<T> {
        let now = self.now_on(host);
        let place = self.host_mut(host);
        if place.paused_until.is_some() {
            return None;
        }
        let result = act(place.node.as_mut()?, now);
        self.pump(host);
        Some(result)
    }

    /// The hosts on which a process runs, those that stand still too.
    pub fn running(&self) -> impl Iterator<Item = HostId> {
        (0..).map(HostId).zip(&self.hosts).filter(|(_, host)| host.node.is_some()).map(|(id, _)| id)
    }

    /// Whether the process on a host stands still.
    #[must_use]
    pub fn is_paused(&self, host: HostId) -> bool {
        self.host(host).paused_until.is_some()
    }

    /// Writes a record as another program does: at once, whatever is there, metadata and all.
    pub fn write_record(&mut self, key: RecordKey, record: Record) {
        self.store.write(self.now, START + self.now.since(Instant::ZERO), key, record);
        self.trace.note(self.now, None, Happening::Carried(self.store.commits().len()));
    }

    /// Puts a line into the trace.
    pub fn note(&mut self, text: impl Into<Arc<str>>) {
        self.trace.note(self.now, None, Happening::Note(text.into()));
    }

    /// The hash of everything that happened. Equal seeds and equal deeds give equal hashes, on every machine.
    #[must_use]
    pub const fn trace_hash(&self) -> u64 {
        self.trace.hash()
    }

    /// Keeps the latest so many happenings for [`trace`](Self::trace). At first none are kept.
    pub fn keep_trace(&mut self, entries: usize) {
        self.trace.keep = entries;
    }

    /// The latest happenings, oldest first.
    pub fn trace(&self) -> impl Iterator<Item = &TraceEntry> {
        self.trace.latest()
    }

    fn end(&mut self, host: HostId, crashed: bool) -> Option<N> {
        let node = self.host_mut(host).end()?;
        self.running -= 1;
        self.bus.forget(host);
        self.note_on(host, Happening::Ended { crashed });
        Some(node)
    }

    fn note_on(&mut self, host: HostId, what: Happening) {
        self.trace.note(self.now, Some(host), what);
    }

    /// The process that runs on a host.
    fn life(&self, host: HostId) -> Option<Life> {
        life(&self.hosts, host)
    }

    fn is_over(&self, life: Life) -> bool {
        self.life(life.host) != Some(life)
    }

    fn host(&self, HostId(number): HostId) -> &Host<N> {
        &self.hosts[number as usize]
    }

    fn host_mut(&mut self, HostId(number): HostId) -> &mut Host<N> {
        &mut self.hosts[number as usize]
    }
}

/// The process that runs on one of the hosts.
fn life<N>(hosts: &[Host<N>], host: HostId) -> Option<Life> {
    let place = &hosts[host.0 as usize];
    place.node.is_some().then_some(Life { host, number: place.lives })
}
