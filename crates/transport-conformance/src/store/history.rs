//! Past states, where they are claimed, and the refusal where they are not.

use transport_traits::{ErrorKind, Version, VersionInfo};

use super::{Stores, key, number, number_in};
use crate::support::{ok, refused};

async fn versions(stores: &Stores, name: &str) -> Vec<VersionInfo> {
    ok(stores.there.versions(key(name)).await, format_args!("the states of {name:?}"))
}

/// The number in a past state.
async fn past(stores: &Stores, name: &str, version: &Version) -> Option<u64> {
    let stored =
        ok(stores.there.get_version(key(name), version.clone()).await, format_args!("state {version}"));
    stored.inspect(|stored| assert_eq!(stored.version, *version)).as_ref().map(number_in)
}

pub(super) async fn history_that_is_not_claimed_is_refused(stores: &Stores) {
    let version = stores.put("k", number(1)).await;
    if stores.here.capabilities().history {
        return;
    }
    refused(stores.here.versions(key("k")).await, ErrorKind::Unsupported, "versions");
    refused(stores.here.get_version(key("k"), version).await, ErrorKind::Unsupported, "get_version");
}

pub(super) async fn past_states_are_listed_latest_first_and_can_be_read(stores: &Stores) {
    if !stores.here.capabilities().history {
        return;
    }
    assert_eq!(versions(stores, "k").await, []);
    let mut written = Vec::new();
    for n in 0..3 {
        written.push(stores.put("k", number(n).with_metadata("m").with_users(["7".into()])).await);
    }
    let known = versions(stores, "k").await;
    assert!(known.iter().map(|info| &info.version).eq(written.iter().rev()), "{known:?} of {written:?}");
    assert!(known.is_sorted_by(|later, earlier| later.modified >= earlier.modified), "{known:?}");
    for (n, (version, info)) in (0..).zip(written.iter().zip(known.iter().rev())) {
        assert_eq!(past(stores, "k", version).await, Some(n));
        assert!(!info.deleted);
        let state = ok(stores.there.get_version(key("k"), version.clone()).await, "a state");
        let state = state.expect("it was just found");
        assert_eq!((&*state.record.metadata, state.record.users.len()), ("m", 1));
        assert_eq!(state.modified, info.modified, "both say the same time");
    }
    let latest = stores.get("k").await.expect("it was written");
    assert_eq!((&latest.version, latest.modified), (&known[0].version, known[0].modified));
}

pub(super) async fn a_deletion_is_a_state_that_holds_nothing(stores: &Stores) {
    if !stores.here.capabilities().history {
        return;
    }
    let first = stores.put("k", number(1)).await;
    stores.delete("k").await;
    stores.delete("k").await;
    let known = versions(stores, "k").await;
    let deleted: Vec<bool> = known.iter().map(|info| info.deleted).collect();
    assert_eq!(deleted, [true, false], "deleting what is not there is no state");
    assert_eq!(past(stores, "k", &first).await, Some(1));
    assert_eq!(past(stores, "k", &known[0].version).await, None);

    stores.put("k", number(2)).await;
    let deleted: Vec<bool> = versions(stores, "k").await.iter().map(|info| info.deleted).collect();
    assert_eq!(deleted, [false, true, false]);
}

pub(super) async fn states_that_a_record_never_had_are_not_found(stores: &Stores) {
    if !stores.here.capabilities().history {
        return;
    }
    let real = stores.put("k", number(1)).await;
    for name in ["", "x", "-1", "00", "99999999999999999999", "\0", "\u{e9}", &format!("0{real}")] {
        assert_eq!(past(stores, "k", &Version::new(name)).await, None, "{name:?}");
    }
    assert_eq!(past(stores, "never written", &Version::new("1")).await, None);
}
