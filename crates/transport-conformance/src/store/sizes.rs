//! Sizes at and over the limits, counted as the store says.

use transport_traits::limits::SizeLimit;
use transport_traits::{Precondition, Record, RecordKey};

use super::refusals::{every_call, list_refused};
use super::{STORE, Stores, json, key, number};
use crate::support::{LARGEST_TRIED, kind, ok, one_too_large, text_of, tried};

/// Writes whose size is `over` above one limit each, with that limit.
fn writes(stores: &Stores, over: usize) -> Vec<(SizeLimit, RecordKey, Record)> {
    let limits = stores.here.limits();
    let text = |limit: Option<SizeLimit>, before: &str, after: &str| {
        tried(limit).and_then(|limit| Some((limit, text_of(limit, over, before, after)?)))
    };
    let value = text(limits.value, r#"{"a":""#, r#""}"#);
    let metadata = tried(limits.metadata).map(|limit| (limit, "x".repeat(limit.max + over)));
    let name = text(limits.key, "", "");
    let store = text(limits.store_name, "", "");
    [
        value.map(|(limit, value)| (limit, key("k"), Record::new(value))),
        metadata.map(|(limit, metadata)| (limit, key("k"), number(1).with_metadata(metadata))),
        name.map(|(limit, name)| (limit, key(&name), number(1))),
        store.map(|(limit, store)| (limit, RecordKey::new(store, "k"), number(1))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(super) async fn what_is_as_large_as_a_limit_is_taken(stores: &Stores) {
    for (limit, key, record) in writes(stores, 0) {
        ok(
            stores.here.put(key.clone(), record.clone(), Precondition::Absent).await,
            format_args!("{limit:?}"),
        );
        let stored =
            ok(stores.there.get(key.clone()).await, format_args!("{limit:?}")).expect("it was written");
        assert!(json(&stored.record.value) == json(&record.value), "the value came back, {limit:?}");
        assert!(stored.record.metadata == record.metadata, "the metadata came back, {limit:?}");
        let listed = stores.listed(&key.store, &key.key).await;
        assert!(listed == [&*key.key], "the key is listed, {limit:?}");
        ok(stores.here.delete(key, Precondition::Always).await, format_args!("{limit:?}"));
    }
}

pub(super) async fn what_is_over_a_limit_is_refused_with_both_sizes(stores: &Stores) {
    for (limit, key, record) in writes(stores, 1) {
        let end = kind(stores.here.put(key, record, Precondition::Always).await);
        assert_eq!(end, Some(one_too_large(limit)), "{limit:?}");
    }
    assert_eq!(stores.get("k").await, None, "what is refused is not written");
}

pub(super) async fn every_call_checks_the_names_it_is_given(stores: &Stores) {
    let limits = stores.here.limits();
    let check = async |limit: SizeLimit, key: RecordKey| {
        for (call, end) in every_call(&*stores.here, &key).await {
            assert_eq!(end, Some(one_too_large(limit)), "{call}, {limit:?}");
        }
    };
    if let Some((limit, name)) = tried(limits.key).and_then(|limit| Some((limit, text_of(limit, 1, "", "")?)))
    {
        check(limit, RecordKey::new(STORE, name)).await;
    }
    if let Some((limit, name)) =
        tried(limits.store_name).and_then(|limit| Some((limit, text_of(limit, 1, "", "")?)))
    {
        check(limit, RecordKey::new(name.as_str(), "k")).await;
        list_refused(stores, &name, one_too_large(limit)).await;
    }
}

pub(super) async fn large_values_come_back_whole(stores: &Stores) {
    let largest = stores.here.limits().value.map_or(LARGEST_TRIED, |limit| limit.max);
    // Six bytes for one character, should the store count an encoded form.
    let letters: String = ('a'..='z').cycle().take((largest / 8).min(1 << 20)).collect();
    let record = Record::new(format!(r#"{{"a":"{letters}"}}"#));
    stores.put("k", record.clone()).await;
    let stored = stores.get("k").await.expect("it was written");
    assert!(json(&stored.record.value) == json(&record.value), "{} bytes", record.value.len());
}
