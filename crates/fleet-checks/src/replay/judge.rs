//! Judges a scenario by what must hold, whatever was recorded.

use std::collections::BTreeMap;

use serde_json::Value;
use transport_traits::limits::json_encoded_len;

use super::judge_saves;
use super::recording::{Call, Scenario};
use super::report::Outcome;
use super::value::text;
use super::world::Observed;

/// What a rule says: nothing if it does not apply.
pub(crate) type Finding = Option<Result<(), String>>;

/// Applies every rule.
pub(crate) fn judge(scenario: &Scenario, observed: &Observed) -> Outcome {
    let mut findings = vec![within_limit(scenario, observed)];
    findings.extend(subscriptions(scenario).iter().map(|of| received_once_in_order(scenario, observed, of)));
    findings.extend(judge_saves::findings(scenario, observed));
    let findings: Vec<_> = findings.into_iter().flatten().collect();
    if findings.is_empty() {
        return Outcome::Unjudged("no rule applies".to_owned());
    }
    let problems: Vec<_> = findings.into_iter().filter_map(Result::err).collect();
    if problems.is_empty() { Outcome::Passed } else { Outcome::Failed(problems) }
}

/// No frame is over the limit.
fn within_limit(scenario: &Scenario, observed: &Observed) -> Finding {
    let limit = scenario.setup.max_encoded_bytes?;
    let own = observed.published.iter().filter(|published| published.server != "external");
    let largest = own.map(|published| json_encoded_len(published.message.as_bytes())).max()?;
    let problem = || format!("a frame has {largest} bytes, JSON-encoded once more, of {limit} allowed");
    Some(if largest <= limit { Ok(()) } else { Err(problem()) })
}

/// An inner topic on a server, and the place of the call that subscribed to it.
struct Subscription<'a> {
    server: &'a str,
    topic: &'a str,
    since: usize,
    callbacks: usize,
}

/// All inner topics that servers subscribe to.
fn subscriptions(scenario: &Scenario) -> Vec<Subscription<'_>> {
    let mut all: Vec<Subscription<'_>> = Vec::new();
    for (since, call) in scenario.calls.iter().enumerate().filter(|(_, call)| call.call == "Subscribe") {
        let (server, topic) = (call.server.as_str(), call.text(0).unwrap_or_default());
        match all.iter_mut().find(|of| (of.server, of.topic) == (server, topic)) {
            Some(of) => of.callbacks += 1,
            None => all.push(Subscription { server, topic, since, callbacks: 1 }),
        }
    }
    all
}

/// Every accepted publish is received once and in order; what the bus loses is told as a gap.
fn received_once_in_order(scenario: &Scenario, observed: &Observed, of: &Subscription<'_>) -> Finding {
    let accepted = accepted(scenario, observed, of.topic);
    let required = required(scenario, of, &accepted);
    if required.is_empty() {
        return None;
    }
    let heard: Vec<String> = observed
        .received
        .iter()
        .filter(|received| (received.server.as_str(), received.topic.as_str()) == (of.server, of.topic))
        .map(|received| text(&received.message))
        .collect();
    let place = format!("inner topic {} on server {}", of.topic, of.server);
    let problem = missing(scenario, observed, of, &required, &heard)
        .or_else(|| surplus(scenario, of, &accepted, &heard))
        .or_else(|| disorder(of, &accepted, &heard));
    Some(problem.map_or(Ok(()), |problem| Err(format!("{place}: {problem}"))))
}

/// A publish that the call accepted: the place of the call, the sender, the message.
struct Accepted<'a> {
    at: usize,
    sender: &'a str,
    message: String,
}

fn accepted<'a>(scenario: &'a Scenario, observed: &Observed, topic: &str) -> Vec<Accepted<'a>> {
    let publishes = scenario.calls.iter().enumerate().filter(|(_, call)| {
        call.call == "Publish" && call.text(0) == Some(topic) && is_alive(scenario, &call.server, call)
    });
    let taken = publishes.filter(|(at, _)| !observed.failed_calls.contains(&(at + 1)));
    taken.map(|(at, call)| Accepted { at, sender: &call.server, message: text(&call.args[1]) }).collect()
}

/// Those that must arrive: after the subscription, from and to servers that live on.
fn required<'a>(scenario: &Scenario, of: &Subscription<'_>, accepted: &'a [Accepted<'_>]) -> Vec<&'a str> {
    let subscribed = scenario.calls[of.since].at.step();
    let crashes =
        |server: &str| scenario.calls.iter().any(|call| call.call == "Crash" && call.server == server);
    if crashes(of.server) || !is_alive(scenario, of.server, &scenario.calls[of.since]) {
        return Vec::new();
    }
    let after = |publish: &&Accepted<'_>| {
        publish.at > of.since
            && scenario.calls[publish.at].at.step() >= subscribed
            && !crashes(publish.sender)
    };
    accepted.iter().filter(after).map(|publish| publish.message.as_str()).collect()
}

/// Whether a server has started and not crashed when a call comes.
pub(crate) fn is_alive(scenario: &Scenario, server: &str, call: &Call) -> bool {
    let at = call.at.step();
    let started = scenario.servers.iter().any(|known| known.id == server && known.start.step() <= at);
    let crashed = |other: &Call| other.call == "Crash" && other.server == server && other.at.step() <= at;
    started && !scenario.calls.iter().any(crashed)
}

/// How often each message is there.
fn counts<'a>(messages: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for message in messages {
        *counts.entry(message).or_default() += 1;
    }
    counts
}

fn missing(
    scenario: &Scenario,
    observed: &Observed,
    of: &Subscription<'_>,
    required: &[&str],
    heard: &[String],
) -> Option<String> {
    let heard = counts(heard.iter().map(String::as_str));
    let lost = counts(required.iter().copied())
        .into_iter()
        .find(|(message, times)| heard.get(message).copied().unwrap_or(0) < times * of.callbacks);
    let (message, times) = lost?;
    let loses = scenario.setup.faults.iter().any(|fault| fault.on == "deliver" && fault.fault == "drop");
    let told = observed.gaps.contains_key(&(of.server.to_owned(), of.topic.to_owned()));
    let problem = if loses { "and no gap tells of it" } else { "though the bus loses nothing" };
    (!(loses && told))
        .then(|| format!("{message} was accepted {times} times and did not arrive as often, {problem}"))
}

fn surplus(
    scenario: &Scenario,
    of: &Subscription<'_>,
    accepted: &[Accepted<'_>],
    heard: &[String],
) -> Option<String> {
    let from_outside = from_outside(scenario, of.topic);
    let sent = accepted.iter().map(|publish| publish.message.as_str());
    let sent = counts(sent.chain(from_outside.iter().map(String::as_str)));
    let most = |message: &str| sent.get(message).copied().unwrap_or(0) * of.callbacks;
    let doubled =
        counts(heard.iter().map(String::as_str)).into_iter().find(|&(message, times)| times > most(message));
    doubled.map(|(message, times)| {
        format!("{message} arrived {times} times, {} at most were sent", most(message))
    })
}

/// What was published from outside on an inner topic.
fn from_outside(scenario: &Scenario, topic: &str) -> Vec<String> {
    let calls = scenario.calls.iter().filter(|call| call.call == "ExternalPublish");
    let frames = calls.filter_map(|call| serde_json::from_str::<Value>(call.text(0)?).ok());
    let messages = frames.filter_map(|frame| Some(frame.get(topic)?.as_array()?.clone()));
    messages.flatten().map(|message| text(&message)).collect()
}

/// Looks at the messages of each sender that no other one has sent too.
fn disorder(of: &Subscription<'_>, accepted: &[Accepted<'_>], heard: &[String]) -> Option<String> {
    let senders: BTreeMap<&str, ()> = accepted.iter().map(|publish| (publish.sender, ())).collect();
    senders.into_keys().find_map(|sender| {
        let others = counts(accepted.iter().filter(|of| of.sender != sender).map(|of| of.message.as_str()));
        let own = accepted.iter().filter(|publish| publish.sender == sender);
        let own: Vec<&str> = own
            .map(|publish| publish.message.as_str())
            .filter(|message| !others.contains_key(message))
            .collect();
        let known = counts(own.iter().copied());
        let arrived = heard.iter().map(String::as_str).filter(|message| known.contains_key(message));
        // Every callback got the message in its turn.
        let arrived: Vec<&str> = arrived.step_by(of.callbacks).collect();
        let mut rest = own.iter();
        let overtaken = arrived.iter().find(|message| !rest.any(|sent| sent == *message));
        overtaken.map(|message| format!("{message} of server {sender} arrived out of order"))
    })
}
