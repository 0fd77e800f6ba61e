//! Updates that move a coin: all of it happens or nothing, and once.
//!
//! Each takes one from `gold`, adds one to `silver`, and counts in a field of its server's life.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleet_sim::Commit;
use nexus_store::machine::{Outcome, Ticket, UpdateChanges, UpdateInput, UpdateOutcome};
use serde_json::Value;
use transport_traits::RecordKey;

/// The field that every transfer takes one from.
pub(super) const GOLD: &str = "gold";

/// The field that every transfer adds one to.
pub(super) const SILVER: &str = "silver";

/// The field that counts the transfers of one life.
pub(super) fn own(life: u64) -> String {
    format!("moved{life}")
}

/// The function of the update.
pub(super) fn transfer(input: &UpdateInput, life: u64) -> UpdateChanges {
    let change = |field: &str, by: i64| {
        let old = input.fields.get(field).and_then(|value| value.as_ref()?.as_i64()).unwrap_or(0);
        (Arc::from(field), Some(Arc::new(Value::from(old + by))))
    };
    let fields = vec![change(GOLD, -1), change(SILVER, 1), change(&own(life), 1)];
    UpdateChanges { fields, users: None }
}

/// What became of the transfers of one life on one record.
#[derive(Debug, Default)]
struct Account {
    done: i64,
    unknown: i64,
    /// The same of one that was answered while its server went on.
    doubtful: bool,
    open: Vec<Ticket>,
}

/// All accounts, by life and record.
#[derive(Debug, Default)]
pub(super) struct Transfers(BTreeMap<(u64, RecordKey), Account>);

impl Transfers {
    /// A life asked for one; `is_done` if it was told at once that it is done.
    pub(super) fn asked(&mut self, life: u64, key: &RecordKey, ticket: Ticket, is_done: bool) {
        let account = self.0.entry((life, key.clone())).or_default();
        if is_done {
            account.done += 1;
        } else {
            account.open.push(ticket);
        }
    }

    /// Takes an answer of a life's machine, which is about to end or goes on.
    pub(super) fn answered(&mut self, life: u64, ticket: Ticket, outcome: &Outcome, goes_on: bool) {
        let Outcome::Updated(outcome) = outcome else { return };
        let mut accounts = self.0.iter_mut().filter(|((of, _), _)| *of == life);
        let account = accounts.find_map(|(_, account)| {
            let place = account.open.iter().position(|open| *open == ticket)?;
            account.open.swap_remove(place);
            Some(account)
        });
        match (account, outcome) {
            (Some(account), UpdateOutcome::Committed(_)) => account.done += 1,
            (Some(account), UpdateOutcome::Unknown(_)) => {
                account.unknown += 1;
                account.doubtful |= goes_on;
            }
            _ => {}
        }
    }

    /// An update that a life asked for and never heard of again.
    pub(super) fn unanswered(&self, life: u64) -> Option<String> {
        let mut accounts = self.0.iter().filter(|((of, _), _)| *of == life);
        let (_, key) = accounts.find(|(_, account)| !account.open.is_empty())?.0;
        Some(format!("life {life} waits for an update of {key}"))
    }

    /// A record of which a life that went on was told that the outcome of an update is unknown.
    pub(super) fn doubtful(&self) -> Option<String> {
        let ((life, key), _) = self.0.iter().find(|(_, account)| account.doubtful)?;
        Some(format!("life {life} is told that the outcome of an update of {key} is unknown"))
    }

    /// The transfers that a life waited for when it ended happened or not.
    pub(super) fn ended(&mut self, life: u64) {
        for (_, account) in self.0.iter_mut().filter(|((of, _), _)| *of == life) {
            account.unknown += std::mem::take(&mut account.open).len() as i64;
        }
    }

    /// What is wrong with a record as the store holds it at the end.
    pub(super) fn check(&self, key: &RecordKey, stored: &Value) -> Option<String> {
        self.0.iter().filter(|((_, of), _)| of == key).find_map(|((life, _), account)| {
            let count = number(stored, &own(*life));
            let (least, most) = (account.done, account.done + account.unknown);
            let wrong = || format!("{key}: transfers of life {life} count {count}, not {least} to {most}");
            (!(least..=most).contains(&count)).then(wrong)
        })
    }
}

/// What is wrong with any state that a record ever had: half of a transfer.
pub(super) fn halves(commits: &[Commit]) -> Option<String> {
    commits.iter().find_map(|commit| {
        let value = commit.record.as_ref().map_or("{}", |record| &record.value);
        let value = serde_json::from_str(value).unwrap_or(Value::Null);
        let (gold, silver) = (number(&value, GOLD), number(&value, SILVER));
        let (key, at) = (&commit.key, commit.at);
        (gold + silver != 0).then(|| format!("{key} at {at}: gold {gold} and silver {silver} do not add up"))
    })
}

fn number(object: &Value, field: &str) -> i64 {
    object.get(field).and_then(Value::as_i64).unwrap_or(0)
}
