//! A server's save data that hears, reads and is told whatever comes to mind, over a store that keeps its word.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nexus_store::machine::{Input, Machine, Output, RecordId, original};
use nexus_store::{Change, Config, LoadState, View};
use serde_json::Value;
use transport_traits::{
    BusLimits, Error, ErrorKind, Instant, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
    WallTime,
};

/// The first of January 2026.
const START: WallTime = WallTime::from_micros(1_767_225_600_000_000);

/// Bytes of writes that wait for the store, at most.
const JOURNAL: usize = 4_096;

/// What one moment may lead to at most.
const STEPS: usize = 10_000;

/// How long it takes until nobody's unconfirmed operation is shown any more, and all that is to be read was read.
const REST: Duration = Duration::from_secs(1_000);

/// Ours or that for fleets with servers of the original.
enum Subject {
    Ours(Box<Machine>),
    Original(Box<original::Machine>),
}

macro_rules! ask {
    ($subject:expr, $machine:ident => $call:expr) => {
        match $subject {
            Subject::Ours($machine) => $call,
            Subject::Original($machine) => $call,
        }
    };
}

struct World {
    now: Instant,
    subject: Subject,
    record: RecordId,
    view: Arc<View>,
    stored: Option<Stored>,
    versions: u64,
    /// How the next writes end: in conflict, or with an unknown outcome, done or not.
    trouble: u8,
}

/// Plays to save data in our format. Each step is told by what it is and how many times 100 ms pass before it (a byte each),
/// its length (two bytes, lowest first) and its bytes.
///
/// # Panics
/// If it keeps more than it may, never comes to rest, or shows in the end what is not stored.
pub fn save_data(script: &[u8]) {
    let config = Config { max_journal_bytes: JOURNAL, writer: Some(1), seed: Some(1), ..Config::default() };
    World::new(config, false).play(script);
}

/// The same in the format of the original.
///
/// # Panics
/// As above.
pub fn original(script: &[u8]) {
    let config = Config { max_journal_bytes: JOURNAL, writer: Some(1), seed: Some(1), ..Config::nexus() };
    World::new(config, true).play(script);
}

impl World {
    fn new(config: Config, is_original: bool) -> Self {
        let (store, bus, now) = (StoreLimits::default(), BusLimits::default(), Instant::ZERO);
        let mut subject = if is_original {
            Subject::Original(Box::new(original::Machine::new(config, store, bus, now, START)))
        } else {
            Subject::Ours(Box::new(Machine::new(config, store, bus, now, START)))
        };
        let opened = ask!(&mut subject, machine => machine.open(now, RecordKey::new("players", "1")));
        let (record, view, _) = opened.expect("the name is good");
        Self { now, subject, record, view, stored: None, versions: 0, trouble: 0 }
    }

    fn play(mut self, mut script: &[u8]) {
        self.run(Duration::from_secs(1));
        while let Some((&[what, wait, low, high], rest)) = script.split_first_chunk() {
            let (bytes, rest) = rest.split_at(usize::from(u16::from_le_bytes([low, high])).min(rest.len()));
            script = rest;
            self.run(Duration::from_millis(100 * u64::from(wait)));
            self.step(what, bytes);
            self.settle();
        }
        self.trouble = 0;
        self.run(REST);
        self.check();
    }

    fn step(&mut self, what: u8, bytes: &[u8]) {
        let (now, id) = (self.now, self.record);
        match what % 8 {
            0..3 => self.handle(Input::Received(id, Bytes::copy_from_slice(bytes))),
            3 => self.overwrite(&String::from_utf8_lossy(bytes)),
            4 => {
                let change = match bytes {
                    [] => Change::Remove,
                    [by] => Change::Increment(i64::from(*by).into()),
                    _ => Change::Set(Arc::new(String::from_utf8_lossy(bytes).into())),
                };
                // Refused where there is no number, or no room.
                let _ = ask!(&mut self.subject, machine => machine.write(now, id, "n", change).is_ok());
            }
            5 => match &mut self.subject {
                Subject::Ours(machine) => drop(machine.flush(now, id)),
                Subject::Original(machine) => drop(machine.flush(id)),
            },
            6 => self.handle(Input::Gap(id)),
            _ => self.trouble = bytes.first().copied().unwrap_or(0),
        }
    }

    /// Somebody else stores a value, and behind a line break metadata.
    fn overwrite(&mut self, text: &str) {
        let (value, metadata) = text.split_once('\n').unwrap_or((text, ""));
        self.put(Record::new(value).with_metadata(metadata));
    }

    fn put(&mut self, record: Record) -> Version {
        self.versions += 1;
        let version = Version::new(self.versions.to_string());
        self.stored = Some(Stored { record, version: version.clone(), modified: START });
        version
    }

    fn handle(&mut self, input: Input) {
        let now = self.now;
        ask!(&mut self.subject, machine => machine.handle(now, input));
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.settle();
            let now = self.now;
            let next = ask!(&mut self.subject, machine => machine.next_wakeup(now));
            assert!(next.is_none_or(|at| at > now), "nothing is due any more");
            let Some(next) = next.filter(|at| *at < end) else { break };
            self.now = next;
        }
        self.now = end;
        self.settle();
    }

    /// Does what is wanted, and answers at once.
    fn settle(&mut self) {
        for _ in 0..STEPS {
            let now = self.now;
            let Some(output) = ask!(&mut self.subject, machine => machine.poll(now)) else {
                let stats = ask!(&self.subject, machine => machine.stats());
                assert!(stats.journal_bytes <= JOURNAL, "{} bytes wait for the store", stats.journal_bytes);
                return;
            };
            match output {
                Output::Get(id, _) => self.handle(Input::Got(id, Ok(self.stored.clone()))),
                Output::Put(id, _, record, precondition) => {
                    let result = self.write(record, &precondition).map_err(Arc::new);
                    self.handle(Input::PutDone(id, result));
                }
                Output::Publish(id, _) => self.handle(Input::Published(id, Ok(()))),
                Output::Subscribe(id, _) => self.handle(Input::Subscribed(id, Ok(()))),
                _ => {}
            }
        }
        panic!("it never comes to rest");
    }

    fn write(&mut self, record: Record, precondition: &Precondition) -> Result<Version, Error> {
        let fails = match precondition {
            Precondition::Absent => self.stored.is_some(),
            Precondition::Is(version) => self.stored.as_ref().map(|stored| &stored.version) != Some(version),
            _ => false,
        };
        let trouble = self.trouble % 4;
        self.trouble /= 4;
        let unknown = || Error::new(ErrorKind::Unknown, "no answer");
        match trouble {
            _ if fails => Err(Error::new(ErrorKind::Conflict, "somebody else was faster")),
            1 => Err(unknown()),
            2 => {
                self.put(record);
                Err(unknown())
            }
            3 => Err(Error::new(ErrorKind::Unavailable, "not now")),
            _ => Ok(self.put(record)),
        }
    }

    /// What could be loaded shows what is stored.
    fn check(&self) {
        if !matches!(self.view.load_state(), LoadState::Loaded) {
            return;
        }
        let text = self.stored.as_ref().map_or("{}", |stored| &stored.record.value);
        let stored: Value = serde_json::from_str(text).expect("what was loaded is JSON");
        let fields = stored.as_object().cloned().unwrap_or_default();
        self.view.with(|shown| {
            let same =
                |(name, value): (&String, &Value)| shown.get(name).map(|shown| &**shown) == Some(value);
            assert!(
                shown.len() == fields.len() && fields.iter().all(same),
                "{shown:?}, and {stored} is stored"
            );
        });
    }
}
