//! Readers of a table do not wait for each other.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::*;

fn set(table: &Table<u8>, key: &str, value: &str) {
    let change =
        Change::Set { key: key.into(), value: value.into(), owner: "s".into(), reason: Reason::Updated };
    table.take(Notice::Changed(change), &mut Vec::new());
}

#[test]
fn a_look_up_waits_neither_for_a_snapshot_nor_for_a_writer_that_waits_for_one() {
    let table = Arc::new(Table::<u8>::new(8));
    set(&table, "k", "1");
    let snapshot = table.contents.read();
    let writer = thread::spawn({
        let table = table.clone();
        move || set(&table, "k", "2")
    });
    // Until the writer waits: no other may come before it then.
    while table.contents.try_upgradable_read().is_some() {
        thread::yield_now();
    }
    let (sender, found) = channel();
    let reader = thread::spawn({
        let table = table.clone();
        move || sender.send((table.get("k"), table.len()))
    });
    let found = found.recv_timeout(Duration::from_secs(60)).expect("the look-up does not wait");
    assert_eq!(found, (Some(Arc::new(1)), 1));
    drop(snapshot);
    writer.join().unwrap();
    reader.join().unwrap().unwrap();
    assert_eq!(table.get("k").as_deref(), Some(&2));
}

#[test]
fn to_follow_the_changes_waits_for_no_snapshot() {
    let table = Table::<u8>::new(8);
    set(&table, "k", "1");
    let snapshot = table.contents.read();
    let (entries, _events) = table.watch();
    assert_eq!(entries.len(), 1);
    drop(snapshot);
}

#[test]
fn those_who_follow_no_more_leave_nothing_behind() {
    let table = Table::<u8>::new(8);
    for _ in 0..100 {
        drop(table.watch());
    }
    assert_eq!(table.readers.lock().len(), 1);
}
