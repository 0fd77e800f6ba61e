//! Fields that all servers set and remove by turns. Whose turn was last is read off the log of what was stored.
//!
//! A value is used once, and it says whose it is and of which of that life's operations. Each operation touches one seat,
//! between the increment of its sum and the one of its count: those two say of every stored state which operations are in it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use fleet_sim::{Commit, HostId};
use serde_json::Value;
use transport_traits::RecordKey;

use super::ledger::{Ledger, own, summed};

/// The fields.
const SEATS: [&str; 2] = ["seat0", "seat1"];

/// The seat that an operation of any life touches.
pub(super) const fn seat(number: i64) -> &'static str {
    SEATS[(number % 2) as usize]
}

/// What an operation of a life makes of it: every third removes what is there.
pub(super) fn value(life: u64, number: i64) -> Option<i64> {
    let is_taken = number % 3 != 0;
    is_taken.then_some(life as i64 * 1_000_000 + number)
}

/// On which host a life ran, and what it saw on the seat before each of its operations on a record, in their order.
type Seen = BTreeMap<u64, (HostId, Vec<Option<i64>>)>;

/// What was seen of each record.
#[derive(Debug, Default)]
pub(super) struct Seats(BTreeMap<RecordKey, Seen>);

impl Seats {
    /// The next operation of a life on a record came after this.
    pub(super) fn note(&mut self, (host, life): (HostId, u64), key: &RecordKey, seen: Option<i64>) {
        let lives = self.0.entry(key.clone()).or_default();
        lives.entry(life).or_insert((host, Vec::new())).1.push(seen);
    }

    /// What is wrong with a state that a record had. A seat must be what it was before, or what one of the operations made of
    /// it that came with the state: of each life the last of those. And it is nothing that a server had seen when it replaced
    /// it by an operation that it has stored itself since: with that it stores all that it saw before.
    pub(super) fn check(&self, key: &RecordKey, commits: &[Commit], ledger: &Ledger) -> Option<String> {
        let lives = self.0.get(key)?;
        let is_sure = |life: u64| !ledger.is_doubtful(life, key);
        let mut replaced = BTreeSet::new();
        let mut before = Value::Null;
        for commit in commits.iter().filter(|commit| commit.key == *key) {
            let text = commit.record.as_ref().map_or("{}", |record| &record.value);
            let after = serde_json::from_str(text).unwrap_or(Value::Null);
            let fallen = lives.keys().find_map(|life| fallen(&before, &after, *life));
            let step = Step { lives, before: &before, after: &after };
            replaced.extend(
                lives.keys().filter(|life| is_sure(**life)).flat_map(|life| step.stored(*life, commit.by)),
            );
            let wrong = || SEATS.iter().find_map(|seat| step.check(seat, &is_sure, &replaced));
            let wrong = fallen.or_else(wrong);
            if let Some(wrong) = wrong {
                return Some(format!("{key} at {}: {wrong}", commit.at));
            }
            before = after;
        }
        None
    }
}

/// From one state of a record to the next.
struct Step<'a> {
    lives: &'a Seen,
    before: &'a Value,
    after: &'a Value,
}

impl Step<'_> {
    fn check(&self, seat: &str, is_sure: &dyn Fn(u64) -> bool, replaced: &BTreeSet<i64>) -> Option<String> {
        let shown = |state: &Value| state.get(seat).and_then(Value::as_i64);
        let (before, after) = (shown(self.before), shown(self.after));
        let (mut allowed, mut is_touched) = (BTreeSet::new(), false);
        for (life, (_, seen)) in self.lives {
            let touches = |number: &i64| self::seat(*number) == seat;
            if !is_sure(*life) {
                let all = 1..=seen.len() as i64;
                allowed.extend(all.filter(touches).map(|number| value(*life, number)));
                continue;
            }
            let (sure, possible) = self.came(*life);
            let last = sure.clone().rfind(touches);
            let maybe = (last.map_or(*possible.start(), |last| last + 1)..=*possible.end()).filter(touches);
            allowed.extend(last.into_iter().chain(maybe).map(|number| value(*life, number)));
            is_touched |= last.is_some();
        }
        if after.is_some_and(|value| replaced.contains(&value)) {
            return Some(format!("{seat} is {after:?} again, which was replaced"));
        }
        if !is_touched {
            allowed.insert(before);
        }
        (!allowed.contains(&after))
            .then(|| format!("{seat} is {after:?}, and was {before:?}: not in {allowed:?}"))
    }

    /// What the operations of a life replaced that came with this step, if their own server took it.
    fn stored(&self, life: u64, by: Option<HostId>) -> impl Iterator<Item = i64> {
        let (host, seen) = &self.lives[&life];
        let own = self.came(life).0.filter(move |_| by == Some(*host));
        own.filter_map(|number| seen.get(usize::try_from(number - 1).ok()?).copied().flatten())
    }

    /// Which operations of a life came with this step for sure, and which at most.
    fn came(&self, life: u64) -> (RangeInclusive<i64>, RangeInclusive<i64>) {
        let (before, after) = (Extent::of(self.before, life), Extent::of(self.after, life));
        (before.begun + 1..=after.done, before.done + 1..=after.begun)
    }
}

/// How many operations of a life are in a state.
struct Extent {
    /// So many have touched their seat.
    done: i64,
    /// So many may have: of the last the write before that is there.
    begun: i64,
}

impl Extent {
    fn of(state: &Value, life: u64) -> Self {
        let done = count(state, life);
        let begun = summed(state, life).filter(|begun| *begun > done);
        Self { done, begun: begun.unwrap_or(done) }
    }
}

fn count(state: &Value, life: u64) -> i64 {
    state.get(own(life)).and_then(Value::as_i64).unwrap_or(0)
}

fn fallen(before: &Value, after: &Value, life: u64) -> Option<String> {
    let (before, after) = (count(before, life), count(after, life));
    (after < before).then(|| format!("of life {life} {after} operations are left of {before}"))
}
