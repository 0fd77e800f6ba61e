//! The rows about save data.

use std::sync::Arc;

use fleet_sim::{HostId, Sim};
use nexus_store::Change;
use serde_json::Value;
use transport_traits::RecordKey;

use super::{Row, launch, percent, seconds, sim};
use crate::sim::{Server, check};

pub(super) fn rows() -> [Row; 4] {
    [increments(), lost_messages(), rewrites(), crashes()]
}

fn keys(count: usize) -> Vec<RecordKey> {
    (0..count).map(|key| RecordKey::new("players", key.to_string())).collect()
}

fn write(sim: &mut Sim<Server>, host: HostId, key: &RecordKey, change: Change) {
    let written = sim.act(host, |server, now| {
        let saves = server.saves.as_mut()?;
        let id = saves.id(key);
        saves.call(now).write(now.instant, id, "coins", change).ok()
    });
    assert_eq!(written, Some(Some(())), "there is room for a write");
}

fn set(number: u64) -> Change {
    Change::Set(Arc::new(Value::from(number)))
}

/// How many of some increments a second by each server, over a minute, are lost.
fn lost_increments(seed: u64, servers: usize, every: u64) -> (u64, u64) {
    let (mut sim, keys) = (sim(seed), keys(1));
    let hosts: Vec<HostId> = (0..servers).map(|_| launch(&mut sim, &keys)).collect();
    let mut made = 0;
    for second in 0..60 {
        for &host in hosts.iter().filter(|host| (u64::from(host.0) * 7 + second) % every == 0) {
            write(&mut sim, host, &keys[0], Change::Increment(1.into()));
            made += 1;
        }
        sim.run(seconds(1));
    }
    sim.run(seconds(30));
    let stored = check::stored(&sim, &keys[0]);
    (made - stored.get("coins").and_then(Value::as_u64).unwrap_or(0), made)
}

fn increments() -> Row {
    let sum = |runs: Vec<(u64, u64)>| {
        let (lost, made) = runs.into_iter().fold((0, 0), |sum, run| (sum.0 + run.0, sum.1 + run.1));
        format!("{lost} of {made} lost")
    };
    let two = sum((0..50).map(|seed| lost_increments(seed, 2, 60)).collect());
    let ten = sum((0..5).map(|seed| lost_increments(seed, 10, 1)).collect());
    Row {
        weakness: (1, "lost-increments"),
        original: "2 servers, one each in 60 s: 7.5 % lost; 10 servers, one a second each: 91.4 %",
        ours: format!("2 servers: {two}; 10 servers: {ten}"),
    }
}

fn lost_messages() -> Row {
    let differing = |loss: f64| {
        let (mut sim, keys) = (sim(1), keys(10));
        let hosts: Vec<HostId> = (0..10).map(|_| launch(&mut sim, &keys)).collect();
        sim.bus.faults.loss = loss;
        for number in 0..120 {
            let (host, key) = (sim.rng.usize(..10), sim.rng.usize(..10));
            write(&mut sim, hosts[host], &keys[key], set(number));
            sim.run(seconds(1));
        }
        sim.run(seconds(60));
        percent(1.0 - check::share_of_saves(&sim, &keys), 1.0)
    };
    Row {
        weakness: (5, "lost-message-splits-caches"),
        original: "1 / 5 / 20 % loss: 1.06 / 4.50 / 20.33 % of receivers are wrong for good",
        ours: format!(
            "{} / {} / {} are wrong a minute later, while messages still get lost",
            differing(0.01),
            differing(0.05),
            differing(0.2)
        ),
    }
}

fn rewrites() -> Row {
    let writes = |servers: usize| {
        let (mut sim, keys) = (sim(1), keys(1));
        let hosts: Vec<HostId> = (0..servers).map(|_| launch(&mut sim, &keys)).collect();
        sim.run(seconds(5));
        write(&mut sim, hosts[0], &keys[0], set(1));
        sim.run(seconds(60));
        sim.store.stats().writes
    };
    Row {
        weakness: (7, "receivers-rewrite"),
        original: "one Set, 10 servers: 10 writes; 50 servers: 601 transforms",
        ours: format!("10 servers: {} write; 50 servers: {} write", writes(10), writes(50)),
    }
}

/// Whether a value is lost that was set up to 10 s before its server crashed, as long as the original waits.
fn is_lost(seed: u64, others: usize) -> bool {
    let (mut sim, keys) = (sim(seed), keys(1));
    let hosts: Vec<HostId> = (0..=others).map(|_| launch(&mut sim, &keys)).collect();
    sim.run(seconds(5));
    write(&mut sim, hosts[0], &keys[0], set(1));
    let life = seconds(10).mul_f64(sim.rng.f64());
    sim.run(life);
    sim.crash(hosts[0]);
    sim.run(seconds(60));
    check::stored(&sim, &keys[0]).get("coins").is_none()
}

fn crashes() -> Row {
    let lost = |others: usize| (0..300).filter(|seed| is_lost(*seed, others)).count();
    Row {
        weakness: (9, "crash-loses-unflushed"),
        original: "136 of 300 crashes lose the value, with nobody else open",
        ours: format!(
            "{} of 300 crashes up to 10 s after the Set with nobody else open, {} of 300 with one other",
            lost(0),
            lost(1)
        ),
    }
}
