//! Processes that die while they write.

use std::collections::BTreeMap;
use std::process::Child;

use transport_sqlite::SqliteStore;

use crate::child::{self, Lines};
use crate::support::{Place, number_of};

/// Kills a writing child after so many acknowledgements, and gives the last number acknowledged for each
/// record, up to its end.
fn acknowledged_until_killed(after: usize, mut child: Child, mut lines: Lines) -> BTreeMap<String, u64> {
    let mut acknowledged = BTreeMap::new();
    let mut take = |line: String| {
        let (name, n) = line.split_once(' ').unwrap();
        acknowledged.insert(name.to_owned(), n.parse().unwrap());
    };
    lines.by_ref().take(after).for_each(&mut take);
    child.kill().unwrap();
    lines.for_each(&mut take);
    child.wait().unwrap();
    acknowledged
}

fn check_kills(part: &str) {
    let place = Place::new();
    for after in [1, 50, 500, 2_000] {
        let (child, lines) = child::start(part, &place.path);
        let acknowledged = acknowledged_until_killed(after, child, lines);
        assert!(!acknowledged.is_empty());

        let store = SqliteStore::open(&place.path).unwrap();
        for (name, n) in acknowledged {
            // The write under way when the process died may be there too.
            let found = number_of(&store, &name);
            assert!(found == n || found == n + 1, "{name}: {n} was acknowledged, {found} is there");
        }
        place.check_integrity();
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    check_kills("write full");
}

#[test]
fn what_was_acknowledged_survives_a_kill_with_less_durability_too() {
    check_kills("write normal");
}

#[test]
fn a_kill_in_the_middle_does_not_stop_other_processes() {
    let place = Place::new();
    let store = SqliteStore::open(&place.path).unwrap();
    for _ in 0..3 {
        let (child, lines) = child::start("write full", &place.path);
        acknowledged_until_killed(100, child, lines);
        crate::sharing::add_one(&store, "survivor");
    }
    assert_eq!(number_of(&store, "survivor"), 3);
}
