//! The limits of a store, kept in every sliding window.

use std::collections::BTreeMap;

use transport_traits::limits::{FleetRate, Load, SizeLimit};
use transport_traits::{ErrorKind, Instant, Record, StoreLimits};

use super::StoreCall;
use crate::{HostId, SlidingWindow};

/// What was taken of each rate.
#[derive(Debug, Default)]
pub(super) struct Usage {
    reads: BTreeMap<HostId, SlidingWindow>,
    writes: BTreeMap<HostId, SlidingWindow>,
    total: BTreeMap<(), SlidingWindow>,
}

/// Whether the store can take a call at all.
pub(super) fn check_sizes(limits: &StoreLimits, call: &StoreCall) -> Result<(), ErrorKind> {
    let check = |limit: Option<SizeLimit>, what: &str, text: &str| {
        let checked = limit.map_or(Ok(()), |limit| limit.check(what, text.as_bytes()));
        checked.map_err(|error| error.kind())
    };
    let (store, key) = match call {
        StoreCall::Get(key) | StoreCall::Put(key, ..) | StoreCall::Delete(key, _) => {
            (&key.store, Some(&key.key))
        }
        StoreCall::List(store, _) => (store, None),
    };
    if store.is_empty() || key.is_some_and(|key| key.is_empty()) {
        return Err(ErrorKind::Invalid);
    }
    key.map_or(Ok(()), |key| check(limits.key, "key", key))?;
    check(limits.store_name, "store name", store)?;
    if let StoreCall::Put(_, record, _) = call {
        check_form(record)?;
        check(limits.value, "value", &record.value)?;
        check(limits.metadata, "metadata", &record.metadata)?;
    }
    Ok(())
}

/// A value is a JSON object, and metadata is plain printable ASCII.
fn check_form(record: &Record) -> Result<(), ErrorKind> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    let is_object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&record.value).is_ok();
    if is_object && record.metadata.bytes().all(is_plain) { Ok(()) } else { Err(ErrorKind::Invalid) }
}

impl Usage {
    /// Takes a call from the rates that it counts for. False, and nothing is taken, if that is over one.
    pub(super) fn take(
        &mut self,
        limits: &StoreLimits,
        load: Load,
        now: Instant,
        from: HostId,
        is_write: bool,
    ) -> bool {
        let (own, rate) =
            if is_write { (&mut self.writes, limits.writes) } else { (&mut self.reads, limits.reads) };
        let own = rate.map(|rate| (window(own, from, rate), rate));
        let total = limits.requests.map(|rate| (window(&mut self.total, (), rate), rate));
        let mut windows: Vec<_> = own.into_iter().chain(total).collect();
        let fits = windows.iter_mut().all(|(window, rate)| window.count(now) < rate.allowed(load) as usize);
        if fits {
            windows.iter_mut().for_each(|(window, _)| {
                window.record(now);
            });
        }
        fits
    }
}

fn window<K: Ord>(windows: &mut BTreeMap<K, SlidingWindow>, of: K, rate: FleetRate) -> &mut SlidingWindow {
    windows.entry(of).or_insert_with(|| SlidingWindow::new(rate.window))
}
