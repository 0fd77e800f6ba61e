//! Reading, writing, deleting, and the conditions for it.

use futures::executor::block_on;
use transport_memory::MemoryStore;
use transport_mocks::ManualTimer;
use transport_traits::{DataStore, DataStoreExt, ErrorKind, Precondition, Record, Timer, Version};

use crate::support::{kind, player, store};

#[test]
fn a_record_is_read_as_it_was_written_by_every_server_at_once() {
    let (store, timer) = store(|_| {});
    let record = Record::new(r#" {"coins": 1}"#).with_metadata("m").with_users(["7".into()]);
    let version = block_on(store.create(player("ann"), record.clone())).unwrap();
    let read = block_on(store.join().get(player("ann"))).unwrap().unwrap();
    assert_eq!((read.record, read.version, read.modified), (record, version, timer.wall_clock()));
    assert_eq!(block_on(store.get(player("bob"))).unwrap(), None);
}

#[test]
fn nothing_happens_before_the_first_poll() {
    let store = MemoryStore::unlimited();
    drop(store.create(player("ann"), Record::new("{}")));
    assert_eq!(block_on(store.get(player("ann"))).unwrap(), None);
    assert_eq!((store.stats().reads, store.stats().writes), (1, 0));
}

/// What a key is in before a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Unknown,
    Deleted,
    Present,
}

fn in_state(before: Before) -> (MemoryStore, Version) {
    let store = MemoryStore::unlimited();
    let mut version = Version::new("none");
    if before != Before::Unknown {
        version = block_on(store.create(player("ann"), Record::new("{}"))).unwrap();
    }
    if before == Before::Deleted {
        block_on(store.delete(player("ann"), Precondition::Always)).unwrap();
    }
    (store, version)
}

#[test]
fn a_write_or_deletion_happens_where_its_precondition_holds() {
    use Before::{Deleted, Present, Unknown};
    let check = |before, condition: fn(Version) -> Precondition, puts: bool, deletes: bool| {
        let verdict = |holds: bool| (!holds).then_some(ErrorKind::Conflict);
        let (store, version) = in_state(before);
        let put = store.put(player("ann"), Record::new(r#"{"new":1}"#), condition(version));
        assert_eq!(kind(block_on(put)), verdict(puts), "put on {before:?}");
        let value = block_on(store.get(player("ann"))).unwrap().map(|stored| stored.record.value.len());
        assert_eq!(value, if puts { Some(9) } else { (before == Present).then_some(2) }, "{before:?}");

        let (store, version) = in_state(before);
        let delete = block_on(store.delete(player("ann"), condition(version)));
        assert_eq!(kind(delete), verdict(deletes), "delete on {before:?}");
        let left = block_on(store.get(player("ann"))).unwrap().is_some();
        assert_eq!(left, before == Present && !deletes, "{before:?}");
    };
    let is_another = |_| Precondition::Is(Version::new("another"));
    check(Unknown, |_| Precondition::Always, true, true);
    check(Deleted, |_| Precondition::Always, true, true);
    check(Present, |_| Precondition::Always, true, true);
    check(Unknown, |_| Precondition::Absent, true, true);
    check(Deleted, |_| Precondition::Absent, true, true);
    check(Present, |_| Precondition::Absent, false, false);
    check(Unknown, Precondition::Is, false, false);
    check(Deleted, Precondition::Is, false, false);
    check(Present, Precondition::Is, true, true);
    check(Present, is_another, false, false);
}

#[test]
fn versions_never_repeat_also_after_a_deletion() {
    let store = MemoryStore::unlimited();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(block_on(store.create(player("ann"), Record::new("{}"))).unwrap());
        let last = seen.last().unwrap().clone();
        seen.push(block_on(store.compare_and_swap(player("ann"), last, Record::new("{}"))).unwrap());
        block_on(store.delete(player("ann"), Precondition::Always)).unwrap();
    }
    let names: std::collections::BTreeSet<_> = seen.iter().map(Version::as_str).collect();
    assert_eq!(names.len(), seen.len());
    for version in seen {
        let stale = store.compare_and_swap(player("ann"), version, Record::new("{}"));
        assert_eq!(kind(block_on(stale)), Some(ErrorKind::Conflict));
    }
}

#[test]
fn a_value_is_a_json_object_and_nothing_else() {
    let store = MemoryStore::unlimited();
    let check = |value: &str, expect: Option<ErrorKind>| {
        let put = store.put(player("ann"), Record::new(value), Precondition::Always);
        assert_eq!(kind(block_on(put)), expect, "{value}");
    };
    for object in ["{}", " \n\t{\"a\":[1,{}]} ", r#"{"ä":"\ud83d\ude00"}"#] {
        check(object, None);
    }
    let nested = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    check(&format!(r#"{{"a":{nested}}}"#), None);
    for other in ["", " ", "[]", "1", "null", "\"{}\"", "{", "{}}", "{}x", "{a:1}", "\u{a0}{}", &nested] {
        check(other, Some(ErrorKind::Invalid));
    }
    assert_eq!(block_on(store.versions(player("ann"))).unwrap().len(), 4);
}

#[test]
fn stores_do_not_share_keys() {
    let store = MemoryStore::unlimited();
    let guild = transport_traits::RecordKey::new("guilds", "ann");
    block_on(store.create(player("ann"), Record::new("{}"))).unwrap();
    assert_eq!(block_on(store.get(guild)).unwrap(), None);
}

#[test]
fn a_write_is_dated_by_the_stores_clock() {
    let timer = ManualTimer::new();
    let limits = transport_traits::StoreLimits::default();
    let store = MemoryStore::new(limits, crate::support::ALONE, std::sync::Arc::new(timer.clone()));
    timer.advance(crate::support::SECOND);
    block_on(store.create(player("ann"), Record::new("{}"))).unwrap();
    let read = block_on(store.get(player("ann"))).unwrap().unwrap();
    assert_eq!(read.modified, timer.wall_clock());
}
