//! The rows about pools.

use std::time::Duration;

use fleet_sim::{Delay, HostId, Sim};

use super::{BUS_DELAY, POOL, Row, launch, put, seconds, sim};
use crate::sim::Server;

pub(super) fn rows() -> [Row; 6] {
    [join(), frequent_joins(), loss(), crash(), updates(), hops()]
}

const STEP: Duration = Duration::from_millis(50);

/// Servers with so many entries each, which all know all.
fn fleet(seed: u64, servers: usize, entries: usize) -> (Sim<Server>, Vec<HostId>) {
    let mut sim = sim(seed);
    let hosts: Vec<HostId> = (0..servers).map(|_| launch(&mut sim, &[])).collect();
    for &host in &hosts {
        (0..entries).for_each(|entry| put(&mut sim, host, &format!("{host}-{entry}"), 1));
    }
    let all = servers * entries;
    sim.run_until(seconds(600), seconds(1), |sim| hosts.iter().all(|host| known(sim, *host) == all));
    (sim, hosts)
}

fn known(sim: &Sim<Server>, host: HostId) -> usize {
    sim.node(host).map_or(0, |server| server.pools.view(server.pools.id(POOL)).len())
}

fn join() -> Row {
    let (mut sim, _) = fleet(1, 100, 100);
    sim.run(seconds(60));
    let before = sim.bus.stats();
    let joiner = launch(&mut sim, &[]);
    let took = sim.run_until(seconds(300), STEP, |sim| known(sim, joiner) == 10_000);
    let took = took.map_or("not within 300 s".into(), |took| format!("{:.1} s", took.as_secs_f64()));
    Row {
        weakness: (19, "join-storm"),
        original: "100 × 100: 10,001 messages, 50 s; under the receive limit 8,119 of 10,000 are learnt",
        ours: format!(
            "{} requests of all servers, their heartbeats included, {took}; {} of 10,000",
            sim.bus.stats().publishes - before.publishes,
            known(&sim, joiner)
        ),
    }
}

fn frequent_joins() -> Row {
    let (mut sim, _) = fleet(1, 50, 50);
    let joiner = launch(&mut sim, &[]);
    for _ in 0..12 {
        sim.run(seconds(10));
        launch(&mut sim, &[]);
    }
    Row {
        weakness: (20, "joins-restart-refresh"),
        original: "50 × 50, a join every 10 s: 1,050 of 2,500 known after 120 s",
        ours: format!("{} of 2,500 known after 120 s", known(&sim, joiner)),
    }
}

/// How many views are wrong after a minute of changes and one without, while messages get lost.
fn wrong_views(seed: u64) -> usize {
    let (mut sim, hosts) = fleet(seed, 50, 10);
    sim.bus.faults.loss = 0.01;
    for number in 0..300_u64 {
        let (host, entry) = (hosts[sim.rng.usize(..50)], sim.rng.u32(..10));
        let key = format!("{host}-{entry}");
        if sim.rng.u32(..4) == 0 {
            sim.act(host, |server, now| {
                let pool = server.pools.id(POOL);
                server.pools.withdraw(now, pool, &key);
            });
        } else {
            put(&mut sim, host, &key, number + 2);
        }
        sim.run(seconds(1) / 5);
    }
    sim.run(seconds(60));
    let own = |host: HostId| {
        let server = sim.node(host).expect("it runs");
        server
            .pools
            .view(server.pools.id(POOL))
            .iter()
            .filter(move |(_, shown)| *shown.owner == *host.to_string())
    };
    let truth: std::collections::BTreeMap<_, _> = hosts.iter().flat_map(|host| own(*host)).collect();
    let is_wrong = |host: &&HostId| {
        let server = sim.node(**host).expect("it runs");
        !server.pools.view(server.pools.id(POOL)).iter().eq(truth.iter().map(|(key, shown)| (*key, *shown)))
    };
    hosts.iter().filter(is_wrong).count()
}

fn loss() -> Row {
    let wrong: usize = (0..10).map(wrong_views).sum();
    Row {
        weakness: (21, "pool-loss-stays"),
        original: "1 % loss: 482 of 500 server views are wrong for good",
        ours: format!(
            "{wrong} of 500 are wrong a minute after the last change, while messages still get lost"
        ),
    }
}

fn crash() -> Row {
    let (mut sim, hosts) = fleet(1, 50, 10);
    sim.crash(hosts[0]);
    let gone = |sim: &Sim<Server>| hosts[1..].iter().all(|host| known(sim, *host) == 490);
    let took = sim.run_until(seconds(120), STEP, gone);
    let newcomer = launch(&mut sim, &[]);
    sim.run(seconds(10));
    let took = took.map_or("not within 120 s".into(), |took| format!("after {:.1} s", took.as_secs_f64()));
    Row {
        weakness: (22, "ghosts-of-the-crashed"),
        original: "entries of a crashed server stay for ever, and newcomers see another view",
        ours: format!(
            "nobody of 49 sees them {took} (timeout 30 s); a newcomer sees {} of 490",
            known(&sim, newcomer)
        ),
    }
}

fn updates() -> Row {
    let (mut sim, hosts) = fleet(1, 10, 30);
    sim.run(seconds(60));
    let before = sim.bus.stats();
    for second in 0..60 {
        for &host in &hosts {
            (0..30).for_each(|entry| put(&mut sim, host, &format!("{host}-{entry}"), second + 2));
        }
        sim.run(seconds(1));
    }
    let (after, allowed) = (sim.bus.stats(), 40 + 80 * hosts.len());
    Row {
        weakness: (23, "message-per-change"),
        original: "one update a second a player: 10 to 15 times over the receive limit",
        ours: format!(
            "10 servers with 30 players: {} requests in the minute for 18,000 updates, {allowed} allowed, {} refused",
            after.publishes - before.publishes,
            after.over_rate - before.over_rate
        ),
    }
}

/// 200 players on 20 servers hop about once in half a minute. Deliveries with a long tail overtake each other all the time.
fn hops() -> Row {
    let (mut sim, hosts) = fleet(1, 20, 0);
    sim.bus.faults.delay = Delay::LongTail { median: BUS_DELAY, most: seconds(5) };
    let mut at: Vec<usize> = (0..200).map(|player| player % 20).collect();
    (0..200).for_each(|player| put(&mut sim, hosts[at[player]], &format!("player{player}"), 0));
    for hop in 1..=600 {
        let (player, to) = (sim.rng.usize(..200), sim.rng.usize(..20));
        let (key, from) = (format!("player{player}"), std::mem::replace(&mut at[player], to));
        put(&mut sim, hosts[to], &key, hop);
        sim.run(seconds(1) / 5);
        if from != to {
            sim.act(hosts[from], |server, now| {
                let pool = server.pools.id(POOL);
                server.pools.withdraw(now, pool, &key);
            });
        }
    }
    sim.run(seconds(60));
    let newcomer = launch(&mut sim, &[]);
    sim.run(seconds(30));
    let server = sim.node(newcomer).expect("it runs");
    let view = server.pools.view(server.pools.id(POOL));
    let is_right = |player: &usize| {
        let shown = view.get(format!("player{player}").as_str());
        shown.is_some_and(|shown| *shown.owner == *hosts[at[*player]].to_string())
    };
    let (missing, right) = (200 - view.len(), (0..200).filter(is_right).count());
    Row {
        weakness: (24, "former-owner-interferes"),
        original: "2 % of hops out of order: 109 of 200 refresh loops dead, 54 % of players missing for newcomers",
        ours: format!("after 600 hops a newcomer misses {missing} of 200, and sees {right} where they are"),
    }
}
