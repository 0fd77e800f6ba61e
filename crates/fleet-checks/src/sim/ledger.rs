//! What was asked of each server life, and what became of it: kept outside of the machines.

use std::collections::BTreeMap;

use nexus_store::machine::{Outcome, Ticket};
use nexus_store::{FlushError, Unsaved};
use serde_json::Value;
use transport_traits::RecordKey;

/// The operations of one server life on one record: increments of a field of its own, each followed by one of the field
/// that all share, and by what goes with how many there were in three more fields of its own: a Set, a Max, and by turns a
/// Set and a Remove.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) accepted: i64,
    durable: i64,
    /// Operations that the machine said it does not know the fate of: each was applied once or never.
    undetermined: i64,
    /// It may be that not all was saved.
    cut_off: bool,
    flushes: BTreeMap<Ticket, i64>,
}

/// All accounts, by server life and record.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<(u64, RecordKey), Account>);

/// The field that all lives increment.
pub(super) const SHARED: &str = "shared";

/// What the names of the fields begin with that one life increments.
pub(super) const OWN: &str = "own";

/// The field that one life increments.
pub(super) fn own(life: u64) -> String {
    format!("{OWN}{life}")
}

/// The field that one life sets to the number of its increments.
pub(super) fn last(life: u64) -> String {
    format!("last{life}")
}

/// The field that one life raises to the number of its increments.
pub(super) fn high(life: u64) -> String {
    format!("high{life}")
}

/// The field that one life sets to the number of its increments where that is odd, and else removes.
pub(super) fn odd(life: u64) -> String {
    format!("odd{life}")
}

impl Ledger {
    pub(super) fn account(&mut self, life: u64, key: &RecordKey) -> &mut Account {
        self.0.entry((life, key.clone())).or_default()
    }

    /// How many increments of its own counter a life was told to be accepted.
    pub(super) fn accepted(&self, life: u64, key: &RecordKey) -> i64 {
        self.0.get(&(life, key.clone())).map_or(0, |account| account.accepted)
    }

    /// A flush that a life asked for and never heard of again.
    pub(super) fn unanswered(&self, life: u64) -> Option<String> {
        let mut accounts = self.0.iter().filter(|((of, _), _)| *of == life);
        let (_, key) = accounts.find(|(_, account)| !account.flushes.is_empty())?.0;
        Some(format!("life {life} waits for a flush of {key}"))
    }

    /// A record of which operations were reported as of unknown fate.
    pub(super) fn undetermined(&self) -> Option<String> {
        let ((life, key), account) = self.0.iter().find(|(_, account)| account.undetermined > 0)?;
        Some(format!("{} operations of life {life} on {key} are undetermined", account.undetermined))
    }

    pub(super) fn flushing(&mut self, life: u64, key: &RecordKey, ticket: Ticket) {
        let account = self.account(life, key);
        account.flushes.insert(ticket, account.accepted);
    }

    /// Takes an answer of a life's machine.
    pub(super) fn answered(&mut self, life: u64, ticket: Ticket, outcome: &Outcome) {
        let result = match outcome {
            Outcome::Flushed(result) => result,
            Outcome::ShutDown(report) => return self.shut_down(life, &report.unsaved),
            _ => return,
        };
        for account in self.0.iter_mut().filter(|((of, _), _)| *of == life).map(|(_, account)| account) {
            let Some(accepted) = account.flushes.remove(&ticket) else { continue };
            match result {
                Ok(()) => account.durable = account.durable.max(accepted),
                Err(FlushError::Undetermined { operations }) => account.undetermined += *operations as i64,
                Err(_) => {}
            }
        }
    }

    pub(super) fn crashed(&mut self, life: u64) {
        self.0.iter_mut().filter(|((of, _), _)| *of == life).for_each(|(_, account)| account.cut_off = true);
    }

    /// A life ended in good order, and says what it could not save.
    fn shut_down(&mut self, life: u64, unsaved: &[Unsaved]) {
        for Unsaved { key, undetermined, .. } in unsaved {
            let account = self.account(life, key);
            account.cut_off = true;
            account.undetermined += *undetermined as i64;
        }
    }

    /// What is wrong with a record as the store holds it at the end, when everything that could be saved is.
    pub(super) fn check(&self, key: &RecordKey, stored: &Value) -> Vec<String> {
        let number = |field: &str| stored.get(field).and_then(Value::as_i64).unwrap_or(0);
        let mut wrong = Vec::new();
        let (mut least, mut most) = (0, 0);
        for ((life, _), account) in self.0.iter().filter(|((_, of), _)| of == key) {
            let count = number(&own(*life));
            let (low, high) = account.bounds();
            if !(low..=high).contains(&count) {
                wrong.push(format!("{key}: operations of life {life} count {count}, not {low} to {high}"));
            }
            // The shared increment comes after the own one: a life that ended in between has one less.
            least += (low - account.slack()).max(0);
            most += high;
        }
        let shared = number(SHARED);
        if !(least..=most).contains(&shared) {
            wrong.push(format!("{key}: shared increments count {shared}, not {least} to {most}"));
        }
        wrong
    }

    /// Whether what survived of each life that ended is a beginning of what it did. What a machine reported as
    /// undetermined may be missing in the middle.
    pub(super) fn check_prefix(&self, key: &RecordKey, stored: &Value) -> Option<String> {
        let number = |field: &str| stored.get(field).and_then(Value::as_i64).unwrap_or(0);
        let accounts = self.0.iter().filter(|((_, of), account)| of == key && account.undetermined == 0);
        accounts.map(|((life, _), _)| life).find_map(|life| {
            let (count, set, max) = (number(&own(*life)), number(&last(*life)), number(&high(*life)));
            let mark = stored.get(odd(*life)).and_then(Value::as_i64);
            let marks = |number: i64| (number % 2 == 1).then_some(number);
            // They come one after the other.
            let is_beginning = count >= set && set >= max && max >= count - 1;
            let fits = mark == marks(max) || (max == count && mark == marks(max - 1));
            let text = || {
                format!(
                    "{key}: of life {life} {count} increments survived, Set {set}, Max {max}, mark {mark:?}"
                )
            };
            (!is_beginning || !fits).then(text)
        })
    }
}

impl Account {
    /// How many of the operations may be in the store.
    fn bounds(&self) -> (i64, i64) {
        let sure = if self.cut_off { self.durable } else { self.accepted };
        ((sure - self.undetermined).max(0), self.accepted)
    }

    fn slack(&self) -> i64 {
        i64::from(self.cut_off) + self.undetermined
    }
}
