//! Async code on virtual time.

use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleet_sim::{Delay, HostId, Ports, Process, Sim, swarm};
use futures::StreamExt;
use transport_traits::{
    DataStore, DataStoreExt, Delivery, ErrorKind, Precondition, PublisherExt, Record, RecordKey, Subscriber,
    Timer, Version,
};

use crate::support::{key, ms, secs};

type Log = Arc<Mutex<Vec<String>>>;

fn said(log: &Log) -> Vec<String> {
    log.lock().expect("nobody panics here").clone()
}

fn say(log: &Log, line: String) {
    log.lock().expect("nobody panics here").push(line);
}

async fn sleep(ports: &Ports, time: Duration) {
    let timer = ports.timer();
    timer.sleep_until(timer.now() + time).await;
}

/// Says its host's name once a second, and logs what it hears and when.
async fn chatter(ports: Ports, log: Log) {
    let (bus, timer) = (ports.bus(), ports.timer());
    let mut heard = bus.subscribe("hall".into()).await.expect("the name is good");
    let speaker = ports.clone();
    ports.spawn(async move {
        loop {
            let _ = speaker.bus().send("hall", speaker.host().to_string()).await;
            sleep(&speaker, secs(1)).await;
        }
    });
    while let Some(Delivery::Message(body)) = heard.next().await {
        let text = str::from_utf8(&body).expect("all say text");
        say(&log, format!("{} {}: {text}", timer.now(), ports.host()));
    }
}

fn chat(sim: &mut Sim<Process>, servers: usize) -> (Log, Vec<HostId>) {
    let log = Log::default();
    let hosts = (0..servers).map(|_| sim.launch_app(|ports| chatter(ports, log.clone()))).collect();
    (log, hosts)
}

fn wild(seed: u64) -> (u64, Vec<String>) {
    let mut sim = Sim::new(seed);
    (sim.bus.faults.loss, sim.bus.faults.duplication) = (0.2, 0.2);
    sim.bus.faults.delay = Delay::Between(ms(1), ms(500));
    let (log, hosts) = chat(&mut sim, 4);
    sim.run(secs(10));
    sim.crash(hosts[1]);
    sim.pause(hosts[2], secs(3));
    sim.run(secs(10));
    (sim.trace_hash(), said(&log))
}

#[test]
fn tasks_hear_each_other_at_the_time_that_the_bus_takes() {
    let mut sim = Sim::new(1);
    let (log, _) = chat(&mut sim, 2);
    sim.run(ms(500));
    let at = "0.010000s";
    let mut said = said(&log);
    said.sort();
    let expected = ["h0: h0", "h0: h1", "h1: h1"].map(|line| format!("{at} {line}"));
    assert_eq!(said, expected, "the first server spoke before the second was there");
}

#[test]
fn async_runs_repeat_exactly() {
    assert_eq!(wild(1), wild(1));
    assert_ne!(wild(1).0, wild(2).0);
}

#[test]
fn a_crash_ends_every_task_and_a_new_process_starts_afresh() {
    let mut sim = Sim::new(1);
    let (log, hosts) = chat(&mut sim, 1);
    sim.run(ms(1_500));
    sim.crash(hosts[0]);
    sim.run(secs(10));
    assert_eq!(said(&log).len(), 2);
    sim.start_app(hosts[0], |ports| chatter(ports, log.clone()));
    sim.run(ms(500));
    assert_eq!(said(&log).len(), 3);
}

#[test]
fn a_process_exits_when_its_main_task_ends() {
    let mut sim = Sim::new(1);
    let host = sim.launch_app(|ports| async move {
        let forever = ports.clone();
        ports.spawn(async move {
            loop {
                sleep(&forever, secs(1)).await;
            }
        });
        sleep(&ports, secs(3)).await;
    });
    sim.run(ms(2_999));
    assert!(sim.node(host).is_some());
    sim.run(ms(1));
    assert!(sim.node(host).is_none());
}

#[test]
fn a_subscription_that_is_dropped_takes_up_nothing_any_more() {
    let mut sim = Sim::new(1);
    let host = sim.launch_app(|ports| async move {
        let bus = ports.bus();
        drop(bus.subscribe("hall".into()).await);
        bus.send("hall", "nobody").await.unwrap();
        std::future::pending().await
    });
    sim.run(secs(1));
    assert!(sim.node(host).is_some());
    assert_eq!((sim.bus.stats().publishes, sim.bus.stats().deliveries), (1, 0));
}

#[test]
fn records_are_written_read_listed_and_deleted() {
    let mut sim = Sim::new(1);
    let host = sim.launch_app(|_| std::future::pending());
    let deeds = |ports: Ports| async move {
        let store = ports.store();
        let first = store.create(key(), Record::new("{}")).await?;
        let again = store.create(key(), Record::new("{}")).await.unwrap_err().kind();
        let listed: Vec<_> = store.list("s".into(), "".into()).map(Result::unwrap).collect().await;
        let stale = Precondition::Is(Version::new("stale"));
        let kept = store.delete(key(), stale).await.unwrap_err().kind();
        store.delete(key(), Precondition::Is(first.clone())).await?;
        let gone = store.get(key()).await?;
        let second = store.create(key(), Record::new("{}")).await?;
        let nameless = store.get(RecordKey::new("s", "")).await.unwrap_err().kind();
        assert_ne!(first, second, "no version is used twice");
        Ok::<_, transport_traits::Error>((again, listed.len(), kept, gone, nameless))
    };
    let done = sim.block_on(host, secs(10), deeds).expect("it takes less").unwrap();
    assert_eq!(done, (ErrorKind::Conflict, 1, ErrorKind::Conflict, None, ErrorKind::Invalid));
    assert_eq!(sim.store.commits().iter().filter(|commit| commit.record.is_none()).count(), 1);
}

#[test]
fn what_takes_too_long_or_runs_nowhere_gives_nothing() {
    let mut sim = Sim::new(1);
    let host = sim.launch_app(|_| std::future::pending());
    let slow = |ports: Ports| async move { sleep(&ports, secs(5)).await };
    assert_eq!(sim.block_on(host, secs(4), slow), None);
    assert_eq!(sim.block_on(host, secs(6), slow), Some(()));
    sim.crash(host);
    assert_eq!(sim.block_on(host, secs(6), slow), None);
}

#[test]
fn chance_finds_the_order_of_tasks_in_which_a_race_is_lost() {
    // Two tasks of one process read, and then write one more each without a precondition.
    let race = |seeds: Range<u64>| {
        swarm(seeds, |sim| {
            let host = sim.launch_app(|ports| async move {
                let (done, log) = (ports.clone(), Log::default());
                for name in ["a", "b"] {
                    let log = log.clone();
                    ports.spawn(async move { say(&log, name.to_owned()) });
                }
                sleep(&done, secs(1)).await;
                assert_eq!(said(&log), ["a", "b"], "tasks run in the order in which they were spawned");
            });
            sim.run(secs(2));
            assert!(sim.node(host).is_none());
        });
    };
    assert!(catch_unwind(|| race(1..20)).is_err());
}

#[test]
fn the_hash_of_an_async_run_is_the_same_on_every_machine_and_in_every_build() {
    assert_eq!(format!("{:016x}", wild(1).0), "461082196c9b2f7d");
}

#[test]
fn a_subscription_is_told_that_its_connection_broke() {
    let (mut sim, log) = (Sim::new(1), Log::default());
    let heard = log.clone();
    let host = sim.launch_app(|ports| async move {
        let mut hall = ports.bus().subscribe("hall".into()).await.expect("the name is good");
        while let Some(delivery) = hall.next().await {
            say(&heard, format!("{delivery:?}"));
        }
    });
    sim.run(secs(1));
    sim.reconnect(host);
    assert_eq!(said(&log), ["Gap"]);
}
