//! What the store does to calls, and what it never does.

use fleet_sim::Delay;
use transport_traits::limits::{FleetRate, SizeLimit};
use transport_traits::{ErrorKind, Precondition, Record, Version};

use crate::support::{fleet, get, key, ms, put, secs};

/// When a writer was told what, ms.
type Told = (u64, Result<String, ErrorKind>);

/// Plays one write under some faults, and says what its writer was told and when, and what the store holds at the end.
fn write_under(set: impl Fn(&mut fleet_sim::StoreFaults)) -> (Vec<Told>, Option<String>) {
    let (mut sim, hosts) = fleet(1, 1);
    sim.store.faults.timeout = Delay::Fixed(ms(500));
    sim.store.faults.lateness = Delay::Fixed(secs(2));
    set(&mut sim.store.faults);
    put(&mut sim, hosts[0], "{}", Precondition::Absent);
    sim.run(secs(5));
    let told = sim.node(hosts[0]).expect("it runs").put.clone();
    (told, sim.store.get(&key()).map(|stored| stored.record.value.to_string()))
}

#[test]
fn a_write_is_answered_by_what_became_of_it() {
    let there = Some("{}".to_owned());
    assert_eq!(write_under(|_| ()), (vec![(20, Ok("1".into()))], there.clone()));
    let refused = |kind| (vec![(20, Err(kind))], None);
    assert_eq!(write_under(|faults| faults.unavailable = 1.0), refused(ErrorKind::Unavailable));
    let throttled = ErrorKind::Throttled { retry_after: None };
    assert_eq!(write_under(|faults| faults.throttled = 1.0), refused(throttled));
    assert_eq!(write_under(|faults| faults.conflict = 1.0), refused(ErrorKind::Conflict));
    let unknown = vec![(500, Err(ErrorKind::Unknown))];
    assert_eq!(write_under(|faults| faults.unknown_before = 1.0), (unknown.clone(), None));
    assert_eq!(write_under(|faults| faults.unknown_after = 1.0), (unknown.clone(), there.clone()));
    assert_eq!(write_under(|faults| faults.unknown_late = 1.0), (unknown, there));
}

#[test]
fn of_two_writes_on_one_state_one_happens() {
    let (mut sim, hosts) = fleet(2, 1);
    put(&mut sim, hosts[0], "{}", Precondition::Absent);
    sim.run(secs(1));
    for &host in &hosts {
        put(&mut sim, host, r#"{"a":1}"#, Precondition::Is(Version::new("1")));
    }
    sim.run(secs(1));
    assert_eq!(sim.node(hosts[0]).unwrap().put[1].1, Ok("2".into()));
    assert_eq!(sim.node(hosts[1]).unwrap().put[0].1, Err(ErrorKind::Conflict));
    assert_eq!(sim.store.commits().len(), 2);
    assert_eq!(sim.store.commits()[1].by, Some(hosts[0]));
}

#[test]
fn a_read_shows_the_last_write_also_another_programs() {
    let (mut sim, hosts) = fleet(1, 1);
    get(&mut sim, hosts[0]);
    sim.run(secs(1));
    sim.write_record(key(), Record::new(r#"{"b":2}"#));
    get(&mut sim, hosts[0]);
    sim.run(secs(1));
    assert_eq!(sim.node(hosts[0]).unwrap().got, [Ok(None), Ok(Some(r#"{"b":2}"#.to_owned()))]);
    assert_eq!(sim.store.commits()[0].by, None);
}

#[test]
fn sizes_and_rates_are_kept() {
    let (mut sim, hosts) = fleet(2, 1);
    sim.store.limits.value = Some(SizeLimit::chars(3));
    sim.store.limits.writes = Some(FleetRate::per_minute(2));
    sim.store.limits.requests = Some(FleetRate::per_minute(4));
    for value in ["{  }", "{ }", "{ }", "{}"] {
        put(&mut sim, hosts[0], value, Precondition::Always);
    }
    (0..3).for_each(|_| get(&mut sim, hosts[1]));
    sim.run(secs(1));
    let throttled = ErrorKind::Throttled { retry_after: None };
    let told: Vec<_> = sim.node(hosts[0]).unwrap().put.iter().map(|(_, result)| result.clone()).collect();
    let too_large = ErrorKind::TooLarge { size: 4, limit: 3 };
    assert_eq!(told, [Err(too_large), Err(throttled), Ok("1".into()), Ok("2".into())].map(|told| told));
    let got = &sim.node(hosts[1]).unwrap().got;
    assert_eq!(got.iter().filter(|got| **got == Err(throttled)).count(), 1, "of three: {got:?}");
    assert_eq!(sim.store.stats().over_rate, 2);
}

#[test]
fn a_call_of_a_server_that_crashed_is_carried_out() {
    let (mut sim, hosts) = fleet(1, 1);
    put(&mut sim, hosts[0], "{}", Precondition::Absent);
    sim.crash(hosts[0]);
    sim.run(secs(1));
    assert!(sim.store.get(&key()).is_some());
}
