//! Writes that wait are committed together, and yet each is on its own.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join_all;
use transport_sqlite::{Options, SqliteStore};
use transport_traits::{DataStore, Error, ErrorKind, Precondition, Record, Version, WallTime};

use crate::support::{Place, bulky, key, number, number_of, put, store, store_with};

/// Does all the writes in one go: they are queued while somebody else holds the file.
fn together(
    place: &Place,
    store: &SqliteStore,
    writes: Vec<(&str, Record, Precondition)>,
) -> Vec<Result<Version, Error>> {
    let holder = place.outside();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writes = writes.into_iter().map(|(name, record, condition)| store.put(key(name), record, condition));
    let mut all = Box::pin(join_all(writes));
    assert!((&mut all).now_or_never().is_none());
    holder.execute_batch("COMMIT").unwrap();
    block_on(all)
}

fn kinds(outcomes: Vec<Result<Version, Error>>) -> Vec<Option<ErrorKind>> {
    outcomes.into_iter().map(|outcome| outcome.err().map(|error| error.kind())).collect()
}

#[test]
fn waiting_writes_share_a_commit() {
    let (place, store) = store();
    let names: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let writes = names.iter().map(|name| (&**name, number(1), Precondition::Absent)).collect();
    let versions: BTreeSet<String> =
        together(&place, &store, writes).into_iter().map(|version| version.unwrap().to_string()).collect();
    assert_eq!(versions.len(), 200, "each has its own version");
    // All writes of a commit bear its time. The writer may have taken the first before the others came.
    let times: BTreeSet<WallTime> = block_on(join_all(names.iter().map(|name| store.get(key(name)))))
        .into_iter()
        .map(|stored| stored.unwrap().unwrap().modified)
        .collect();
    assert!(times.len() <= 2, "{} commits", times.len());
}

#[test]
fn a_conflict_fails_alone() {
    let (place, store) = store();
    let there = put(&store, "there", number(1)).unwrap();
    let writes = vec![
        ("first", number(1), Precondition::Always),
        ("there", number(2), Precondition::Absent),
        ("there", number(3), Precondition::Is(there.clone())),
        ("there", number(4), Precondition::Is(there)),
        ("last", number(5), Precondition::Always),
    ];
    let outcomes = kinds(together(&place, &store, writes));
    let conflict = Some(ErrorKind::Conflict);
    assert_eq!(outcomes, [None, conflict, None, conflict, None]);
    assert_eq!(["first", "there", "last"].map(|name| number_of(&store, name)), [1, 3, 5]);
}

#[test]
fn a_write_without_room_fails_alone() {
    let (place, store) = store_with(Options::default().max_pages(60).history_versions(0));
    let huge = || bulky(1_000_000);
    let writes = vec![
        ("a", number(1), Precondition::Always),
        ("b", number(2), Precondition::Always),
        ("huge", huge(), Precondition::Always),
        ("c", number(3), Precondition::Always),
        ("d", huge(), Precondition::Always),
        ("e", number(4), Precondition::Always),
    ];
    let outcomes = kinds(together(&place, &store, writes));
    let full = Some(ErrorKind::Unavailable);
    assert_eq!(outcomes, [None, None, full, None, full, None]);
    assert_eq!(["a", "b", "c", "e"].map(|name| number_of(&store, name)), [1, 2, 3, 4]);
}

#[test]
fn writes_of_a_record_keep_their_order() {
    let (place, store) = store();
    let writes = (1..=100).map(|n| ("k", number(n), Precondition::Always)).collect();
    together(&place, &store, writes).into_iter().for_each(|outcome| drop(outcome.unwrap()));
    assert_eq!(number_of(&store, "k"), 100);
}

#[test]
fn more_writes_than_the_queue_holds_wait_and_are_done() {
    let (place, store) = store();
    let names: Vec<String> = (0..3_000).map(|n| n.to_string()).collect();
    let writes = names.iter().map(|name| (&**name, number(1), Precondition::Absent)).collect();
    assert!(together(&place, &store, writes).iter().all(Result::is_ok));
    assert_eq!(place.ask::<u32>("SELECT count(*) FROM records"), 3_000);
}

#[test]
fn writes_to_a_file_that_others_hold_are_all_refused() {
    let (place, store) = store_with(Options::default().busy_timeout(std::time::Duration::ZERO));
    let holder = place.outside();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writes = (0..50).map(|n| store.put(key("k"), number(n), Precondition::Always));
    let outcomes = kinds(block_on(join_all(writes)));
    assert_eq!(outcomes, vec![Some(ErrorKind::Unavailable); 50]);
}
