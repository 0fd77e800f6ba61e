//! What was asked of each server life, and what became of it: kept outside of the machines.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use nexus_store::machine::{Outcome, Ticket};
use nexus_store::{FlushError, Unsaved};
use serde_json::Value;
use transport_traits::RecordKey;

/// The operations of one server life on one record. Each adds its number to a sum of the life's own, makes something of a
/// seat, increments the life's own count, then the one that all share, and makes three more fields of its own what goes with
/// how many there were: one by Set, one by Max, and one by Set and Remove in turn.
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

/// The field to which one life adds the number of each of its operations: 1, 2, 3 and so on. What comes of a beginning of
/// those is a triangular number, and no other where one of them counts twice.
pub(super) fn sum(life: u64) -> String {
    format!("sum{life}")
}

/// How many operations of a life are in its sum; `None` if it is the sum of no beginning of them.
pub(super) fn summed(stored: &Value, life: u64) -> Option<i64> {
    let sum = number(stored, &sum(life));
    let count = (sum.checked_mul(8)?.checked_add(1)?.checked_isqrt()? - 1) / 2;
    (count * (count + 1) / 2 == sum).then_some(count)
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

    /// Whether it is unknown which operations of a life are in a record.
    pub(super) fn is_doubtful(&self, life: u64, key: &RecordKey) -> bool {
        self.0.get(&(life, key.clone())).is_some_and(|account| account.undetermined > 0)
    }

    /// What is wrong with a record as the store holds it at the end, when everything that could be saved is.
    pub(super) fn check(&self, key: &RecordKey, stored: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let (mut least, mut most) = (0, 0);
        for ((life, _), account) in self.0.iter().filter(|((_, of), _)| of == key) {
            let count = number(stored, &own(*life));
            let (low, high) = account.bounds();
            if !(low..=high).contains(&count) {
                wrong.push(format!("{key}: operations of life {life} count {count}, not {low} to {high}"));
            }
            let (low, high) = account.shares(count, number(stored, &last(*life)));
            (least, most) = (least + low, most + high);
        }
        let shared = number(stored, SHARED);
        if !(least..=most).contains(&shared) {
            wrong.push(format!("{key}: shared increments count {shared}, not {least} to {most}"));
        }
        wrong
    }

    /// Whether what survived of each life is a beginning of what it did, each operation once. What a machine reported as
    /// undetermined may be missing in the middle.
    pub(super) fn check_prefix(&self, key: &RecordKey, stored: &Value) -> Option<String> {
        let accounts = self.0.iter().filter(|((_, of), account)| of == key && account.undetermined == 0);
        accounts.map(|((life, _), _)| life).find_map(|life| {
            let [count, set, max] =
                [own(*life), last(*life), high(*life)].map(|field| number(stored, &field));
            let mark = stored.get(odd(*life)).and_then(Value::as_i64);
            let marks = |number: i64| (number % 2 == 1).then_some(number);
            // They come one after the other.
            let is_beginning = summed(stored, *life).is_some_and(|begun| {
                let fits = mark == marks(max) || (max == begun && mark == marks(max - 1));
                fits && [begun, count, set, max, begun - 1].is_sorted_by(|before, after| before >= after)
            });
            let text = || {
                let sum = number(stored, &sum(*life));
                let writes = format!("Set {set}, Max {max}, mark {mark:?}");
                format!("{key}: of life {life} a sum of {sum}, {count} increments survived, {writes}")
            };
            (!is_beginning).then(text)
        })
    }
}

fn number(stored: &Value, field: &str) -> i64 {
    stored.get(field).and_then(Value::as_i64).unwrap_or(0)
}

impl Account {
    /// How many of the operations may be in the store.
    fn bounds(&self) -> (i64, i64) {
        let sure = if self.cut_off { self.durable } else { self.accepted };
        ((sure - self.undetermined).max(0), self.accepted)
    }

    /// How many of the shared increments may be in the store, where there are so many of the own ones and the Set is this. It
    /// comes between the two.
    fn shares(&self, count: i64, set: i64) -> (i64, i64) {
        if self.undetermined == 0 {
            return (set.min(count), count);
        }
        let slack = i64::from(self.cut_off) + self.undetermined;
        ((self.bounds().0 - slack).max(0), self.accepted)
    }
}
