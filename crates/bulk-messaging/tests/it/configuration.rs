//! Configurations that cannot work, and what is derived from a bus.

use std::sync::Arc;
use std::time::Duration;

use bulk_messaging::machine::{Input, Machine};
use bulk_messaging::{Budget, Config, ConfigError, Fragmentation};
use transport_traits::limits::{Content, ReceiveCounting, SizeLimit};
use transport_traits::{BusLimits, ErrorKind, Instant, Outgoing, presets};

use crate::support::{at, drain_outputs, machine, publishes};

fn error(bus: &BusLimits, change: impl FnOnce(&mut Config)) -> Option<ConfigError> {
    let mut config = Config::new("real");
    change(&mut config);
    Machine::new(config, bus, Instant::ZERO).err()
}

/// Plays failures, holes, a fragment and a drain through a machine of this configuration.
fn play(change: impl Fn(&mut Config)) {
    let mut machine = machine(SizeLimit::bytes(1_024), |config| {
        config.budget = Budget::AtMost { publishes: 2, window: Duration::from_secs(60) };
        change(config);
    });
    machine.handle(at(5), Input::Watch("t".into()));
    for failure in [ErrorKind::Unavailable, ErrorKind::Throttled { retry_after: Some(Duration::MAX) }] {
        for time in (5..200_005).step_by(40_000) {
            machine.push(at(5), Outgoing::new("t", "1"), None).expect("room");
            for (id, _) in publishes(&drain_outputs(&mut machine, at(time))) {
                machine.handle(at(time), Input::Published { id, result: Err(failure) });
            }
            let _soon = machine.next_wakeup();
        }
    }
    for frame in [r#"{"~":["1a...5"],"t":[1]}"#, r#"{"~":["1b...5.2"],"t":[{"~":"1/5:ab"}]}"#] {
        machine.handle(at(300_000), Input::Received(frame.into()));
    }
    machine.handle(at(300_000), Input::Drain);
    drain_outputs(&mut machine, at(300_001));
    let _soon = machine.next_wakeup();
}

#[test]
fn every_duration_may_be_as_long_as_there_are() {
    let longest = Duration::MAX;
    let changes: [fn(&mut Config, Duration); 8] = [
        |config, longest| config.linger = longest,
        |config, longest| config.hole_timeout = longest,
        |config, longest| config.retry_hole_timeout = longest,
        |config, longest| (config.retry_backoff, config.max_retry_backoff) = (longest, longest),
        |config, longest| config.max_retry_backoff = longest,
        |config, longest| config.drain_timeout = longest,
        |config, longest| config.budget = Budget::AtMost { publishes: 2, window: longest },
        |config, longest| config.fragmentation.insert(Fragmentation::default()).timeout = longest,
    ];
    changes.into_iter().for_each(|change| play(|config| change(config, longest)));
}

#[test]
fn every_known_bus_works_with_the_defaults() {
    let buses = [
        presets::ROBLOX_MESSAGING,
        presets::OPEN_CLOUD_MESSAGING,
        presets::REDIS_PUB_SUB,
        presets::NATS_CORE,
        presets::POSTGRES_NOTIFY,
        presets::AWS_IOT_CORE,
        presets::AWS_SNS,
        presets::ABLY,
        presets::PUSHER_CHANNELS,
        presets::GOOGLE_PUB_SUB,
        presets::UDP_SAFE,
        presets::UDP_FLOOR,
        BusLimits::default(),
    ];
    for bus in buses {
        let machine = Machine::new(Config::new("real"), &bus, Instant::ZERO).expect("the defaults fit");
        let limits = machine.limits();
        assert_eq!(limits.content, Content::Text);
        assert!(limits.body.is_some_and(|body| body.max >= 300), "{limits:?}");
        assert_eq!((limits.send, limits.receive_topic), (None, None));
    }
}

#[test]
fn what_cannot_work_is_refused_with_the_reason() {
    let bus = presets::ROBLOX_MESSAGING;
    let second = Duration::from_secs(1);
    type Case = (fn(&mut Config), fn(&ConfigError) -> bool);
    let cases: [Case; 13] = [
        (|config| config.topic = "x".repeat(81).into(), |error| matches!(error, ConfigError::Topic(_))),
        (|config| config.sender = Some("".into()), |error| matches!(error, ConfigError::Sender(_))),
        (|config| config.sender = Some("a.b".into()), |error| matches!(error, ConfigError::Sender(_))),
        (
            |config| config.sender = Some("x".repeat(33).into()),
            |error| matches!(error, ConfigError::Sender(_)),
        ),
        (|config| config.incarnation = Some(1 << 53), |error| matches!(error, ConfigError::Incarnation(_))),
        (
            |config| config.max_batch_bytes = Some(SizeLimit::json_encoded(1_025)),
            |error| matches!(error, ConfigError::BatchTooLarge { wanted: 1_025, limit: 1_024 }),
        ),
        (
            |config| config.max_batch_bytes = Some(SizeLimit::bytes(100)),
            |error| matches!(error, ConfigError::BatchTooSmall { max: 100, .. }),
        ),
        (
            |config| config.max_in_flight = 65,
            |error| matches!(error, ConfigError::OutOfRange { name: "max_in_flight", .. }),
        ),
        (
            |config| config.max_queued_bytes = 1_000,
            |error| matches!(error, ConfigError::OutOfRange { name: "max_queued_bytes", .. }),
        ),
        (
            |config| config.retry_backoff = Duration::ZERO,
            |error| matches!(error, ConfigError::OutOfRange { name: "retry_backoff", .. }),
        ),
        (
            |config| config.max_inbox_messages = 0,
            |error| matches!(error, ConfigError::OutOfRange { name: "max_inbox_messages", .. }),
        ),
        (
            |config| config.budget = Budget::AtMost { publishes: 1, window: Duration::from_secs(1) },
            |error| matches!(error, ConfigError::Budget),
        ),
        (
            |config| config.budget = Budget::AtMost { publishes: 9, window: Duration::ZERO },
            |error| matches!(error, ConfigError::Budget),
        ),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        let error = error(&bus, change).expect("it cannot work");
        assert!(expected(&error), "case {number}: {error:?}");
        assert!(!error.to_string().is_empty());
    }
    let fine = Budget::AtMost { publishes: 2, window: second };
    assert!(error(&bus, |config| config.budget = fine).is_none());
}

#[test]
fn a_bus_that_counts_deliveries_needs_a_budget_of_ones_own() {
    let mut bus = presets::ROBLOX_MESSAGING;
    bus.receive_counting = ReceiveCounting::PerDelivery;
    assert!(matches!(error(&bus, |_| ()), Some(ConfigError::NoShare)));
    assert!(error(&bus, |config| config.budget = Budget::Unlimited).is_none());
}

#[test]
fn beside_originals_frames_are_json_on_their_topic_and_one_inner_topic_has_one_under_way() {
    let bus = presets::ROBLOX_MESSAGING;
    let mut machine = Machine::new(Config::nexus(), &bus, at(0)).expect("a fitting configuration");
    assert_eq!(machine.real_topics().collect::<Vec<_>>(), ["NexusBulkMessagingService".into()]);
    let long = |number: u32| format!("\"{number}{}\"", "x".repeat(700));
    let mut send = |topic: &str, number| {
        machine.push(at(0), Outgoing::new(topic, long(number)), None).expect("room");
        publishes(&drain_outputs(&mut machine, at(0)))
    };
    let first = send("t", 1).remove(0);
    assert!(first.1.ends_with(format!(r#""t":[{}]}}"#, long(1)).as_bytes()));
    assert!(send("t", 2).is_empty(), "the first one is under way");
    assert_eq!(send("u", 3).len(), 1);
    machine.handle(at(1), Input::Published { id: first.0, result: Ok(()) });
    assert_eq!(publishes(&drain_outputs(&mut machine, at(1))).len(), 1);
}

#[test]
fn senders_without_a_name_get_different_ones_of_8_characters() {
    let name = |seed: Option<u64>| {
        let mut config = Config::new("real");
        config.seed = seed;
        let machine =
            Machine::new(config, &BusLimits::default(), Instant::ZERO).expect("a fitting configuration");
        Arc::<str>::from(machine.sender())
    };
    let (one, other) = (name(None), name(None));
    assert_ne!(one, other);
    assert_eq!(one.len(), 8);
    assert_eq!(name(Some(5)), name(Some(5)));
}
