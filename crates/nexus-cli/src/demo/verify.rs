//! `nexus demo --verify FILE`: a data file against the side ledger of the runs that wrote it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::judge::{Verdict, judge};
use super::operation::{Operation, Standing};
use super::saved;
use super::side_ledger::{Line, parse, path_beside};
use crate::args::MAX_PLAYERS;
use crate::failure::Failure;

/// The runs that a side ledger tells of: each one's store, and its operations by player.
type Runs = Vec<(String, BTreeMap<u32, Vec<Operation>>)>;

/// Checks every run in the file; true if each reported operation is there once.
pub(super) fn run(data: &Path) -> Result<bool, Failure> {
    let mut sound = true;
    for (store, players) in read_runs(&path_beside(data))? {
        let verdict = check(data, &store, players)?;
        print(&store, &verdict);
        sound &= verdict.clean();
    }
    println!(
        "{}",
        if sound { "every operation that was reported durable is in the file, once" } else { "BROKEN" }
    );
    Ok(sound)
}

/// Judges a run as if every server had been killed: what was not reported durable may be missing.
fn check(data: &Path, store: &str, players: BTreeMap<u32, Vec<Operation>>) -> Result<Verdict, Failure> {
    let saved = saved::read(data, store)?;
    let most = players.keys().chain(saved.keys()).max().map_or(0, |most| *most as usize + 1);
    let mut by_number = vec![Vec::new(); most];
    for (player, operations) in players {
        by_number[player as usize] = operations;
    }
    Ok(judge(&by_number, &saved, &BTreeSet::from([KILLED])))
}

/// The number of the server that a side ledger's operations are laid to.
const KILLED: usize = 0;

fn read_runs(path: &Path) -> Result<Runs, Failure> {
    let failed = |error: std::io::Error| Failure::because(format!("cannot read {}", path.display()), &error);
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut runs = Runs::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = parse(&line.map_err(failed)?).filter(|line| is_possible(line, number));
        match (line, runs.last_mut()) {
            (Some(Line::Run(store)), _) => runs.push((store, BTreeMap::new())),
            (Some(Line::Issued(id, coins)), Some((_, players))) => {
                let operations: &mut Vec<Operation> = players.entry(id.player).or_default();
                place(operations, id.index as usize, coins);
            }
            (Some(Line::Durable(id)), Some((_, players))) => {
                let operation = players.get_mut(&id.player).and_then(|all| all.get_mut(id.index as usize));
                let unknown =
                    || Failure::new(format!("{}: a durable operation that nobody asked for", path.display()));
                operation.ok_or_else(unknown)?.standing = Standing::Durable;
            }
            // The last line of a killed run, cut short, or somebody else's file.
            _ => {}
        }
    }
    if runs.is_empty() {
        return Err(Failure::new(format!("{} tells of no run", path.display())));
    }
    Ok(runs)
}

/// A player has at most as many operations as there are lines, and there are only so many players: a damaged file
/// must not ask for more memory than it is worth.
fn is_possible(line: &Line, number: usize) -> bool {
    match line {
        Line::Run(_) => true,
        Line::Issued(id, _) | Line::Durable(id) => id.player < MAX_PLAYERS && id.index as usize <= number,
    }
}

/// Lines of one player may stand out of order: two servers asked at the same moment.
fn place(operations: &mut Vec<Operation>, index: usize, coins: i64) {
    while operations.len() <= index {
        operations.push(Operation::asked(KILLED, 0));
    }
    operations[index] = Operation::asked(KILLED, coins);
}

fn print(store: &str, verdict: &Verdict) {
    println!(
        "{store}: {} operations reported durable: {} lost, {} doubled; {} others asked for, {} of them in the file; \
         coins {} by ledger, {} by file; {} phantom, {} wrong sums",
        verdict.durable,
        verdict.lost,
        verdict.doubled,
        verdict.at_risk,
        verdict.at_risk_survived,
        verdict.coins_by_ledger,
        verdict.coins_by_file,
        verdict.phantom,
        verdict.wrong_sums,
    );
}
