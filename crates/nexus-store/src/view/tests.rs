//! Reading and changing a view, also at the same time.

use std::sync::Arc;
use std::thread;

use serde_json::json;
use transport_traits::RecordKey;

use super::View;
use crate::Object;

fn count_to(view: &View, count: u64) {
    view.edit(|object| object.insert("count".into(), Arc::new(json!(count))));
}

fn count(view: &View) -> u64 {
    view.with(|object| object["count"].as_u64().unwrap())
}

#[test]
fn a_change_is_seen_by_every_later_read() {
    let view = View::new(RecordKey::new("players", "7"));
    assert_eq!(view.get("count"), None);
    for n in 1..=3 {
        count_to(&view, n);
        assert_eq!([count(&view), count(&view)], [n, n], "read with the lock, and then without");
        assert_eq!(view.snapshot()["count"], view.get("count").unwrap());
    }
    let old = view.replace(Arc::default());
    assert_eq!((old.len(), view.get("count"), view.snapshot().len()), (1, None, 0));
}

#[test]
fn fields_that_a_reader_holds_do_not_change_under_it() {
    let view = View::new(RecordKey::new("players", "7"));
    count_to(&view, 1);
    let snapshot = view.snapshot();
    view.with(|fields| {
        count_to(&view, 2);
        assert_eq!(count(&view), 2);
        assert_eq!(fields["count"], Arc::new(json!(1)));
    });
    assert_eq!(snapshot["count"], Arc::new(json!(1)));
}

#[test]
fn fields_that_nobody_holds_are_changed_in_place() {
    let view = View::new(RecordKey::new("players", "7"));
    count_to(&view, 1);
    let address = || view.with(std::ptr::from_ref::<Object>);
    let before = address();
    count_to(&view, 2);
    assert_eq!((before, count(&view)), (address(), 2));
}

#[test]
fn reads_of_other_threads_never_go_back_and_end_at_the_last_change() {
    const LAST: u64 = 20_000;
    let view = View::new(RecordKey::new("players", "7"));
    count_to(&view, 0);
    let follow = || {
        let mut seen = 0;
        while seen < LAST {
            let now = count(&view);
            assert!(now >= seen, "{now} after {seen}");
            seen = now;
        }
    };
    thread::scope(|scope| {
        let readers = [scope.spawn(follow), scope.spawn(follow)];
        (1..=LAST).for_each(|n| count_to(&view, n));
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}
