//! Save data: reads, operations of ours and of others, and what a flush makes of them.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nexus_store::machine::{Input, Machine, Output, RecordId};
use nexus_store::{Change, Config, View};
use serde_json::{Number, Value, json};
use transport_traits::{BusLimits, Instant, RecordKey, StoreLimits, Version, WallTime};

use crate::{STEPS, Step};

/// 2026-01-01 00:00 UTC.
const START: WallTime = WallTime::from_micros(1_767_225_600_000_000);

/// Records that are open where no step needs one of its own.
const RECORDS: usize = 64;

/// A server whose services answer at once: the store with what is asked for, the bus with silence.
struct Server {
    machine: Machine,
    now: Instant,
    records: Vec<(RecordId, Arc<View>)>,
    /// What was published, in order.
    published: Vec<Bytes>,
    writes: usize,
}

impl Server {
    /// One that has opened so many records, of which the store has none. Servers that open as many call them alike.
    fn new(writer: u64, records: usize) -> Self {
        let config = Config { writer: Some(writer), seed: Some(writer), ..Config::default() };
        let limits = (StoreLimits::default(), BusLimits::default());
        let machine = Machine::new(config, limits.0, limits.1, Instant::ZERO, START);
        let mut server =
            Self { machine, now: Instant::ZERO, records: Vec::new(), published: Vec::new(), writes: 0 };
        for number in 0..records {
            let key = RecordKey::new("PlayerDataStore", format!("PlayerList${number:08}"));
            let (id, view, _) = server.machine.open(server.now, key).expect("the name is a usable one");
            server.machine.tell_changes(id, false);
            server.records.push((id, view));
        }
        server.settle();
        server
    }

    fn settle(&mut self) {
        while let Some(output) = self.machine.poll(self.now) {
            let answer = match output {
                Output::Get(id, _) => Input::Got(id, Ok(None)),
                Output::Subscribe(id, _) => Input::Subscribed(id, Ok(())),
                Output::Publish(id, message) => {
                    self.published.push(message.body);
                    Input::Published(id, Ok(()))
                }
                Output::Put(id, _, record, _) => {
                    black_box(record);
                    self.writes += 1;
                    Input::PutDone(id, Ok(Version::new(self.writes.to_string())))
                }
                _ => continue,
            };
            self.machine.handle(self.now, answer);
        }
    }

    fn write(&mut self, record: usize, field: &str, change: Change) {
        let (id, _) = self.records[record];
        self.machine.write(self.now, id, field, change).expect("the journal has room");
    }
}

fn set(number: usize) -> Change {
    Change::Set(Arc::new(json!({ "level": number, "pet": "Shadow Wolf" })))
}

pub(crate) fn read() -> Step {
    let mut server = Server::new(1, 1);
    let fields: Vec<String> = (0..10).map(|number| format!("field {number}")).collect();
    fields.iter().for_each(|field| server.write(0, field, set(1)));
    server.settle();
    let view = Arc::clone(&server.records[0].1);
    Box::new(move |number| {
        let value: Option<Arc<Value>> = view.get(&fields[number % fields.len()]);
        assert!(black_box(value).is_some(), "all fields are there");
    })
}

pub(crate) fn apply() -> Step {
    let mut server = Server::new(1, RECORDS);
    Box::new(move |number| {
        let record = number / 2 % RECORDS;
        match number % 2 {
            0 => server.write(record, "coins", Change::Increment(Number::from(1))),
            _ => server.write(record, "pet", set(number)),
        }
        server.settle();
    })
}

pub(crate) fn receive() -> Step {
    let (mut sender, mut receiver) = (Server::new(1, STEPS), Server::new(2, STEPS));
    for number in 0..STEPS {
        sender.write(number, "pet", set(number));
        sender.settle();
    }
    assert_eq!(sender.published.len(), STEPS, "the first operation of a record is announced at once");
    let messages = sender.published;
    Box::new(move |number| {
        let (id, _) = receiver.records[number];
        receiver.machine.handle(receiver.now, Input::Received(id, messages[number].clone()));
        receiver.settle();
        assert!(receiver.records[number].1.get("pet").is_some(), "the operation is seen");
    })
}

pub(crate) fn flush() -> Step {
    let mut server = Server::new(1, RECORDS);
    Box::new(move |number| {
        server.now += Duration::from_millis(100);
        server.write(number % RECORDS, "pet", set(number));
        let (id, _) = server.records[number % RECORDS];
        let before = server.writes;
        server.machine.flush(server.now, id);
        server.settle();
        assert!(server.writes > before, "the record is written");
    })
}
