//! What a record keeps once nothing happens to it any more.

use std::sync::Arc;

use serde_json::json;
use transport_traits::{
    BusLimits, Error, ErrorKind, Instant, RecordKey, StoreLimits, Stored, Version, WallTime,
};

use super::super::record::Record;
use super::super::{Input, Machine, Output, RecordId};
use crate::Config;
use crate::change::Change;
use crate::view::View;

/// A machine with one open record, and a store and a bus that answer at once.
struct Quiet {
    machine: Machine,
    id: RecordId,
    now: Instant,
    stored: Option<Stored>,
    /// What the store answers instead.
    failure: Option<ErrorKind>,
}

impl Quiet {
    fn open() -> Self {
        let config = Config { seed: Some(1), ..Config::default() };
        let (now, wall) = (Instant::ZERO, WallTime::from_micros(1_767_225_600_000_000));
        let mut machine = Machine::new(config, StoreLimits::default(), BusLimits::default(), now, wall);
        let (id, _, _) = machine.open(now, RecordKey::new("players", "7")).unwrap();
        Self { machine, id, now, stored: None, failure: None }
    }

    /// Lets ten seconds pass: more than any delay but the revalidation's.
    fn rest(&mut self) {
        let end = self.now + std::time::Duration::from_secs(10);
        let mut outputs = 0;
        loop {
            while let Some(output) = self.machine.poll(self.now) {
                outputs += 1;
                assert!(outputs < 1_000, "it comes to no rest: {output:?}");
                if let Some(input) = self.answer(output) {
                    self.machine.handle(self.now, input);
                }
            }
            let Some(next) = self.machine.next_wakeup(self.now).filter(|next| *next <= end) else { break };
            self.now = next;
        }
        self.now = end;
    }

    fn answer(&mut self, output: Output) -> Option<Input> {
        let failure = self.failure.map(|kind| Arc::new(Error::new(kind, "as the test wants it")));
        Some(match output {
            Output::Subscribe(id, _) => Input::Subscribed(id, Ok(())),
            Output::Publish(id, _) => Input::Published(id, Ok(())),
            Output::Get(id, _) => Input::Got(id, failure.map_or(Ok(self.stored.clone()), Err)),
            Output::Put(id, _, record, _) => match failure {
                Some(error) => Input::PutDone(id, Err(error)),
                None => {
                    let version = Version::new(format!("{}", self.now.as_micros()));
                    let modified = WallTime::default();
                    self.stored = Some(Stored { record, version: version.clone(), modified });
                    Input::PutDone(id, Ok(version))
                }
            },
            _ => return None,
        })
    }

    fn record(&self) -> &Record {
        &self.machine.records[&self.id]
    }

    fn is_at_rest(&self) -> bool {
        self.record().busy.is_tidy() && self.record().journal.is_tidy()
    }

    fn set(&mut self, value: u64) {
        let change = Change::Set(Arc::new(json!(value)));
        self.machine.write(self.now, self.id, "coins", change).unwrap();
    }
}

#[test]
fn a_record_at_rest_has_given_back_what_it_was_busy_with() {
    let mut quiet = Quiet::open();
    assert!(!quiet.is_at_rest(), "it is still to be loaded");
    quiet.rest();
    assert!(quiet.is_at_rest(), "loaded: {:?}", quiet.record());
    for value in 1..=3 {
        quiet.set(value);
        assert!(!quiet.is_at_rest(), "it is to be saved");
        quiet.rest();
        assert!(quiet.is_at_rest(), "saved and told: {:?}", quiet.record());
        assert_eq!(
            quiet.stored.as_ref().unwrap().record.value.as_ref(),
            json!({ "coins": value }).to_string()
        );
    }
}

#[test]
fn flushes_that_nobody_waits_for_any_more_leave_nothing_behind_while_the_store_is_away() {
    let mut quiet = Quiet::open();
    quiet.rest();
    quiet.failure = Some(ErrorKind::Unavailable);
    quiet.set(1);
    for _ in 0..100 {
        let ticket = quiet.machine.flush(quiet.now, quiet.id);
        quiet.rest();
        assert_eq!(quiet.record().busy.flushes.len(), 1);
        quiet.machine.handle(quiet.now, Input::CancelFlush(quiet.id, ticket));
        assert!(quiet.record().busy.flushes.is_empty());
    }
}

#[test]
fn what_a_given_up_flush_would_have_told_of_undetermined_operations_the_next_one_tells() {
    let mut quiet = Quiet::open();
    quiet.rest();
    quiet.failure = Some(ErrorKind::Unavailable);
    quiet.set(1);
    quiet.machine.records.get_mut(&quiet.id).unwrap().busy.undetermined += 2;
    let first = quiet.machine.flush(quiet.now, quiet.id);
    assert_eq!(quiet.record().busy.undetermined, 0, "it will tell");
    quiet.machine.handle(quiet.now, Input::CancelFlush(quiet.id, first));
    assert_eq!(quiet.record().busy.undetermined, 2);
    quiet.machine.flush(quiet.now, quiet.id);
    assert_eq!(quiet.record().busy.flushes[0].undetermined, 2);
}

#[test]
fn a_record_comes_to_rest_after_the_store_was_away() {
    let mut quiet = Quiet::open();
    quiet.rest();
    quiet.set(1);
    quiet.failure = Some(ErrorKind::Unavailable);
    quiet.rest();
    assert!(quiet.record().busy.failures > 1 && quiet.record().busy.not_before > quiet.now, "it waits");
    quiet.failure = None;
    for _ in 0..6 {
        quiet.rest();
    }
    assert!(quiet.is_at_rest(), "{:?}", quiet.record());
}

/// What stands for a record beside its contents, on usual machines: 1,000,000 records may be open.
#[cfg(target_pointer_width = "64")]
#[test]
fn a_record_at_rest_is_small() {
    assert!(size_of::<Record>() <= 232, "{}", size_of::<Record>());
    assert!(size_of::<View>() <= 72, "{}", size_of::<View>());
}
