//! Writes and deletions on a condition.

use std::collections::HashSet;

use transport_traits::{DataStoreExt, ErrorKind, Precondition, Version};

use super::{Stores, key, number};
use crate::support::{kind, refused};

/// What a key is in before a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Unknown,
    Deleted,
    Present,
}

/// Brings `name` there; the version that it was given last, if any.
async fn bring(stores: &Stores, name: &str, before: Before) -> Version {
    if before == Before::Unknown {
        return Version::new("none");
    }
    let version = stores.put(name, number(1)).await;
    if before == Before::Deleted {
        stores.delete(name).await;
    }
    version
}

/// A condition made of the version that the record had last, and where it holds.
type Condition = (fn(Version) -> Precondition, &'static [Before]);

pub(super) async fn a_write_or_deletion_happens_only_where_its_precondition_holds(stores: &Stores) {
    use Before::{Deleted, Present, Unknown};
    let conditions: [Condition; 3] = [
        (|_| Precondition::Always, &[Unknown, Deleted, Present]),
        (|_| Precondition::Absent, &[Unknown, Deleted]),
        (Precondition::Is, &[Present]),
    ];
    for (at, (condition, holding)) in conditions.into_iter().enumerate() {
        for before in [Unknown, Deleted, Present] {
            let holds = holding.contains(&before);
            let verdict = (!holds).then_some(ErrorKind::Conflict);
            let left = |done| if holds { done } else { (before == Present).then_some(1) };

            let name = format!("put {at} {before:?}");
            let seen = bring(stores, &name, before).await;
            let put = stores.there.put(key(&name), number(2), condition(seen)).await;
            assert_eq!(kind(put), verdict, "{name}");
            assert_eq!(stores.number(&name).await, left(Some(2)), "{name}");

            let name = format!("delete {at} {before:?}");
            let seen = bring(stores, &name, before).await;
            assert_eq!(kind(stores.there.delete(key(&name), condition(seen)).await), verdict, "{name}");
            assert_eq!(stores.number(&name).await, left(None), "{name}");
        }
    }
}

pub(super) async fn a_version_is_good_once(stores: &Stores) {
    let first = stores.put("k", number(1)).await;
    let swap = |n| stores.there.compare_and_swap(key("k"), first.clone(), number(n));
    assert_eq!(kind(swap(2).await), None);
    refused(swap(3).await, ErrorKind::Conflict, "the same version once more");
    let stale = stores.here.delete(key("k"), Precondition::Is(first.clone())).await;
    refused(stale, ErrorKind::Conflict, "a deletion of a version that was replaced");
    assert_eq!(stores.number("k").await, Some(2));
}

pub(super) async fn versions_never_repeat_also_after_a_deletion(stores: &Stores) {
    let mut seen = HashSet::new();
    for round in 0..20 {
        for _ in 0..2 {
            assert!(seen.insert(stores.put("k", number(1)).await), "round {round}");
        }
        stores.delete("k").await;
    }
}

pub(super) async fn a_version_that_the_store_never_gave_conflicts(stores: &Stores) {
    let real = stores.put("k", number(1)).await;
    let padded = [format!("0{real}"), format!("{real} "), format!("{real}\0")];
    let forged = ["", "0", "1", "-1", "99999999999999999999", "no such", "\u{e9}", "\0", "'"];
    for name in padded.iter().map(String::as_str).chain(forged).filter(|name| *name != real.as_str()) {
        let version = || Precondition::Is(Version::new(name));
        refused(stores.here.put(key("k"), number(2), version()).await, ErrorKind::Conflict, name);
        refused(stores.here.delete(key("k"), version()).await, ErrorKind::Conflict, name);
        refused(stores.here.put(key("absent"), number(2), version()).await, ErrorKind::Conflict, name);
    }
    assert_eq!((stores.number("k").await, stores.number("absent").await), (Some(1), None));
}

pub(super) async fn a_record_that_was_made_again_is_not_what_it_was_before(stores: &Stores) {
    let before = stores.put("k", number(1)).await;
    stores.delete("k").await;
    stores.put("k", number(1)).await;
    let stale = stores.there.compare_and_swap(key("k"), before, number(2)).await;
    refused(stale, ErrorKind::Conflict, "a version from before the deletion");
    assert_eq!(stores.number("k").await, Some(1));
}
