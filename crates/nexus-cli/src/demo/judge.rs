//! The verdict: what the ledger says against what the file holds.

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{Operation, Standing};
use super::saved::SavedPlayer;
use super::tally::times_marked;

/// Counts of operations by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Accepted or better.
    pub(super) accepted: u64,
    /// Reported durable.
    pub(super) durable: u64,
    /// Had to be in the file, and is not.
    pub(super) lost: u64,
    /// Counted more than once.
    pub(super) doubled: u64,
    /// Refused, or never asked for, and yet in the file.
    pub(super) phantom: u64,
    /// Accepted by the killed server and not yet durable: may be in the file or not.
    pub(super) at_risk: u64,
    /// Of those, the ones that are.
    pub(super) at_risk_survived: u64,
    /// Turned down by a server that runs, although the player could afford it.
    pub(super) refused: u64,
    /// Answered with "unknown".
    pub(super) doubtful: u64,
    /// Coins that the operations found in the file add up to.
    pub(super) coins_by_ledger: i64,
    /// Coins in the file.
    pub(super) coins_by_file: i64,
    /// Players whose coins differ from the sum of their operations by more than what was at risk.
    pub(super) wrong_sums: u64,
}

impl Verdict {
    pub(super) fn clean(&self) -> bool {
        self.lost == 0 && self.refused == 0 && self.doubled == 0 && self.phantom == 0 && self.wrong_sums == 0
    }
}

/// Judges every operation of every player; `killed` are the servers that died without closing.
pub(super) fn judge(
    players: &[Vec<Operation>],
    saved: &BTreeMap<u32, SavedPlayer>,
    killed: &BTreeSet<usize>,
) -> Verdict {
    let mut verdict = Verdict::default();
    let nothing = SavedPlayer::default();
    for (player, operations) in (0..).zip(players) {
        let record = saved.get(&player).unwrap_or(&nothing);
        judge_player(&mut verdict, operations, record, killed);
    }
    verdict
}

fn judge_player(
    verdict: &mut Verdict,
    operations: &[Operation],
    record: &SavedPlayer,
    killed: &BTreeSet<usize>,
) {
    let mut sum = 0;
    let mut slack = 0;
    for (index, operation) in (0..).zip(operations) {
        let times = times_marked(index, |field| record.number(field));
        let at_risk = killed.contains(&operation.server) && may_be_cut(operation.standing);
        sum += operation.coins * i64::from(times);
        slack += if at_risk { operation.coins.abs() } else { 0 };
        let turned_down = operation.standing == Standing::Refused;
        verdict.refused += u64::from(turned_down && !killed.contains(&operation.server));
        count(verdict, operation.standing, at_risk, times);
    }
    let next = u32::try_from(operations.len()).unwrap_or(u32::MAX);
    verdict.phantom += u64::from(times_marked(next, |field| record.number(field)) > 0);
    verdict.coins_by_ledger += sum;
    verdict.coins_by_file += record.coins();
    verdict.wrong_sums += u64::from((record.coins() - sum).abs() > slack);
}

/// Whether the death of its server may undo an operation of this standing.
fn may_be_cut(standing: Standing) -> bool {
    matches!(standing, Standing::Issued | Standing::Accepted)
}

fn count(verdict: &mut Verdict, standing: Standing, at_risk: bool, times: u32) {
    verdict.doubled += u64::from(times > 1);
    match standing {
        Standing::Unaffordable | Standing::Refused => verdict.phantom += u64::from(times > 0),
        Standing::Doubtful => verdict.doubtful += 1,
        Standing::Issued | Standing::Accepted if at_risk => {
            verdict.accepted += 1;
            verdict.at_risk += 1;
            verdict.at_risk_survived += u64::from(times > 0);
        }
        Standing::Issued => verdict.doubtful += 1,
        Standing::Accepted | Standing::Durable => {
            verdict.accepted += 1;
            verdict.durable += u64::from(standing == Standing::Durable);
            verdict.lost += u64::from(times == 0);
        }
    }
}

#[cfg(test)]
mod tests;
