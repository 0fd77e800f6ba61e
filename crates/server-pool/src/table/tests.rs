//! Readers of a table do not wait for each other, and keep nobody from writing.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::*;

fn set(table: &Table<u8>, key: &str, value: &str) {
    let change =
        Change::Set { key: key.into(), value: value.into(), owner: "s".into(), reason: Reason::Updated };
    table.take(Notice::Changed(change), &mut Vec::new());
}

fn table() -> Arc<Table<u8>> {
    let table = Arc::new(Table::new(8));
    set(&table, "k", "1");
    table
}

/// A thread that writes, and has come as far as to wait for the look-ups under way: no other may write then.
fn waiting_writer(table: &Arc<Table<u8>>) -> thread::JoinHandle<()> {
    let writer = thread::spawn({
        let table = table.clone();
        move || set(&table, "k", "2")
    });
    while table.rows.try_upgradable_read().is_some() {
        thread::yield_now();
    }
    writer
}

/// As long as one look-up began before the last ended, and so on, the rows were never free.
#[test]
fn a_look_up_that_comes_later_does_not_pass_by_a_writer() {
    let table = table();
    let first = table.rows.read();
    let writer = waiting_writer(&table);
    assert!(table.rows.try_read().is_none(), "the next look-up is behind the writer");
    drop(first);
    writer.join().unwrap();
    assert_eq!(table.get("k").as_deref(), Some(&2));
}

/// Together with the next: a writer comes to the rows in its turn, and a snapshot is not made in it.
#[test]
fn a_writer_has_its_turn_before_it_waits_for_look_ups() {
    let table = table();
    let look_up = table.rows.read();
    let writer = waiting_writer(&table);
    assert!(table.turn.try_lock().is_none());
    drop(look_up);
    writer.join().unwrap();
}

#[test]
fn a_look_up_waits_neither_for_a_snapshot_nor_for_a_writer_that_waits_for_one() {
    let table = table();
    let writer = {
        let table = table.clone();
        move || set(&table, "k", "2")
    };
    let (sender, found) = channel();
    let look_up = {
        let table = table.clone();
        move || sender.send((table.get("k"), table.len()))
    };
    let threads = Mutex::new(Vec::new());
    let (entries, ()) = table.copy(
        |_| {
            assert!(table.turn.try_lock().is_none(), "nobody writes, nor waits for the rows to do so");
            threads.lock().push(thread::spawn(writer.clone()));
            let look_up = look_up.clone();
            threads.lock().push(thread::spawn(move || drop(look_up())));
            let found = found.recv_timeout(Duration::from_secs(60)).expect("the look-up does not wait");
            found == (Some(Arc::new(1)), 1)
        },
        |_| (),
    );
    assert_eq!(*entries[0].value, 1);
    threads.into_inner().into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(table.get("k").as_deref(), Some(&2));
}

#[test]
fn to_follow_the_changes_waits_for_no_look_up() {
    let table = table();
    let look_up = table.rows.read();
    let (entries, _events) = table.watch();
    assert_eq!(entries.len(), 1);
    drop(look_up);
}

#[test]
fn snapshots_are_in_order_whatever_the_order_of_the_rows() {
    let table = Table::<u8>::new(8);
    let mut keys: Vec<_> = (0..1_000).map(|number: u32| number.to_string()).collect();
    keys.iter().for_each(|key| set(&table, key, "1"));
    keys.sort();
    let found: Vec<_> = table.entries(|owner| owner == "s").into_iter().map(|entry| entry.key).collect();
    assert!(found.iter().map(|key| &**key).eq(keys.iter()));
    let (watched, _events) = table.watch();
    assert!(watched.is_sorted_by_key(|entry| entry.key.clone()));
    assert_eq!((watched.len(), table.entries(|owner| owner == "t").len()), (1_000, 0));
}

#[test]
fn those_who_follow_no_more_leave_nothing_behind() {
    let table = table();
    for _ in 0..100 {
        drop(table.watch());
    }
    assert_eq!(table.turn.lock().followers.len(), 1);
}
