//! Compares what was observed with what was recorded.

use std::fmt;

use serde_json::Value;
use transport_traits::limits::json_encoded_len;

use super::compare_saves;
use super::recording::{Published, Received, Returned, Scenario};
use super::value::{same, same_text};
use super::world::{self, Observed};

/// A field that came out otherwise than recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) field: &'static str,
    pub(crate) what: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.what)
    }
}

/// Everything that differs, the first of each field.
pub(crate) fn compare(scenario: &Scenario, observed: &Observed) -> Vec<Mismatch> {
    let found = [
        ("published", published(scenario, observed)),
        ("received", received(scenario, observed)),
        ("returns", returns(scenario, observed)),
        ("store", compare_saves::store(scenario, observed)),
        ("caches", compare_saves::caches(scenario, observed)),
        ("on_update", compare_saves::on_update(scenario, observed)),
        ("store_requests", compare_saves::store_requests(scenario, observed)),
    ];
    found.into_iter().filter_map(|(field, what)| what.map(|what| Mismatch { field, what })).collect()
}

/// Publishes in the order of time and server; those of one server at one time in their own order.
fn published(scenario: &Scenario, observed: &Observed) -> Option<String> {
    let mut recorded: Vec<_> = scenario.published.iter().collect();
    recorded.sort_by_key(|published| (published.at.step(), published.server.clone()));
    let mut ours: Vec<_> = observed.published.iter().collect();
    ours.sort_by_key(|published| (published.at, published.server.clone()));
    first_difference(&recorded, &ours, |recorded, ours| same_publish(recorded, ours))
}

fn same_publish(recorded: &Published, ours: &world::Published) -> bool {
    let failed = !matches!(recorded.failed, Value::Null | Value::Bool(false));
    (recorded.at.step(), &recorded.server, &recorded.topic, failed)
        == (ours.at, &ours.server, &ours.topic, ours.failed)
        && (recorded.bytes, recorded.encoded_bytes)
            == (ours.message.len(), json_encoded_len(ours.message.as_bytes()))
        && same_text(&recorded.message, &ours.message)
}

/// What subscribers got, each inner topic of a server in its order.
fn received(scenario: &Scenario, observed: &Observed) -> Option<String> {
    let mut recorded: Vec<_> = scenario.received.iter().collect();
    recorded.sort_by_key(|received| (received.server.clone(), received.topic.clone(), received.at.step()));
    let mut ours: Vec<_> = observed.received.iter().collect();
    ours.sort_by_key(|received| (received.server.clone(), received.topic.clone(), received.at));
    first_difference(&recorded, &ours, |recorded, ours| same_receipt(recorded, ours))
}

fn same_receipt(recorded: &Received, ours: &world::Received) -> bool {
    (recorded.at.step(), &recorded.server, &recorded.topic) == (ours.at, &ours.server, &ours.topic)
        && same(&recorded.message, &ours.message)
}

/// What calls returned: of errors only that they are errors, and nothing is the same as nil.
fn returns(scenario: &Scenario, observed: &Observed) -> Option<String> {
    let counts = |returned: &&Returned| !returned.error.is_null() || !returned.value.is_null();
    let mut recorded: Vec<_> = scenario.returns.iter().filter(counts).collect();
    recorded.sort_by_key(|returned| returned.call);
    let errors = observed.failed_calls.iter().map(|&call| (call, None));
    let values = observed.values.iter().filter(|(_, value)| !value.is_null());
    let values = values.map(|(&call, value)| (call, Some(value)));
    let mut ours: Vec<_> = errors.chain(values).collect();
    ours.sort_by_key(|(call, _)| *call);
    first_difference(&recorded, &ours, |recorded, (call, ours)| {
        recorded.call == *call
            && recorded.error.is_null() == ours.is_some()
            && same(&recorded.value, ours.unwrap_or(&Value::Null))
    })
}

/// Says where two lists differ first, if they do.
fn first_difference<R: fmt::Debug, O: fmt::Debug>(
    recorded: &[R],
    ours: &[O],
    same: impl Fn(&R, &O) -> bool,
) -> Option<String> {
    let differ = recorded.iter().zip(ours).position(|(recorded, ours)| !same(recorded, ours));
    let at = differ.or((recorded.len() != ours.len()).then_some(recorded.len().min(ours.len())))?;
    let (recorded_len, ours_len) = (recorded.len(), ours.len());
    let (recorded, ours) = (shown(recorded.get(at)), shown(ours.get(at)));
    Some(format!("number {} of {recorded_len} is {recorded}, ours of {ours_len} is {ours}", at + 1))
}

pub(crate) fn shown(item: Option<&impl fmt::Debug>) -> String {
    const MOST: usize = 300;
    let text = item.map_or_else(|| "missing".to_owned(), |item| format!("{item:?}"));
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST).chain("…".chars()).collect()
}
