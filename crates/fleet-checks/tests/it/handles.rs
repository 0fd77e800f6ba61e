//! The handles that users hold, with their drivers, on the deterministic executor.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bulk_messaging::BulkMessaging;
use fleet_checks::sim::repeats;
use fleet_sim::{Delay, HostId, Ports, Process, Sim, swarm};
use nexus_store::{NexusStore, SaveData};
use server_pool::Pools;
use transport_traits::{RecordKey, Timer, presets};

/// What a server knew last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    coins: i64,
    online: Vec<String>,
}

type Knowledge = Arc<Mutex<Seen>>;

async fn sleep(ports: &Ports, seconds: u64) {
    let timer = ports.timer();
    timer.sleep_until(timer.now() + Duration::from_secs(seconds)).await;
}

fn coins(bank: &SaveData) -> i64 {
    bank.get("coins").and_then(|coins| coins.as_i64()).unwrap_or(0)
}

/// A server put together as users do it: it is online, and earns a coin a second for ten seconds.
async fn server(ports: Ports, knowledge: Knowledge) {
    let (bus, timer, seed) = (ports.bus(), ports.timer(), ports.seed());
    let mut config = bulk_messaging::Config::new("bulk");
    config.seed = Some(seed);
    let (bulk, driver) =
        BulkMessaging::new(bus.clone(), bus, timer.clone(), config).expect("it fits the bus");
    ports.spawn(driver);
    let bulk = Arc::new(bulk);
    let config = server_pool::Config::new(ports.host().to_string()).with_seed(seed);
    let pools = Pools::new(bulk.clone(), bulk.clone(), timer.clone(), config);
    let (pools, driver) = pools.expect("it fits the bus");
    ports.spawn(driver);
    let online = pools.open::<bool>("online").await.expect("the name is good");
    online.contribute(&ports.host().to_string(), &true).expect("it is small");
    let writer = Some(seed % (1 << 48));
    let config = nexus_store::Config { writer, seed: Some(seed), ..Default::default() };
    let (store, driver) = NexusStore::new(ports.store(), bulk.clone(), bulk, timer, config);
    ports.spawn(driver);
    let bank = store.open(RecordKey::new("town", "bank")).await.expect("the name is good");
    for second in 0.. {
        if second < 10 {
            bank.increment("coins", 1).expect("a coin is a number");
        }
        let mut keys: Vec<String> = online.iter().map(|entry| entry.key.to_string()).collect();
        keys.sort();
        *knowledge.lock().expect("nobody panics here") = Seen { coins: coins(&bank), online: keys };
        sleep(&ports, 1).await;
    }
}

fn fleet(sim: &mut Sim<Process>) -> (Vec<HostId>, Vec<Knowledge>) {
    sim.bus.limits = presets::ROBLOX_MESSAGING;
    sim.bus.faults.delay =
        Delay::LongTail { median: Duration::from_millis(80), most: Duration::from_secs(2) };
    (sim.bus.faults.loss, sim.bus.faults.duplication, sim.bus.faults.failure) = (0.1, 0.1, 0.1);
    let faults = &mut sim.store.faults;
    (faults.unavailable, faults.conflict, faults.unknown_after, faults.unknown_before) = (0.1, 0.1, 0.1, 0.1);
    faults.timeout = Delay::Fixed(Duration::from_secs(1));
    let launch = |_| {
        let knowledge = Knowledge::default();
        let host = sim.launch_app(|ports| server(ports, knowledge.clone()));
        (host, knowledge)
    };
    (0..3).map(launch).unzip()
}

#[test]
fn servers_of_real_handles_count_every_coin_once_and_see_each_other() {
    swarm(1..6, |sim| {
        let (_, knowledge) = fleet(sim);
        sim.run(Duration::from_secs(90));
        let online = ["h0", "h1", "h2"].map(String::from).to_vec();
        for seen in knowledge {
            assert_eq!(*seen.lock().unwrap(), Seen { coins: 30, online: online.clone() });
        }
    });
}

#[test]
fn the_entry_of_a_crashed_server_goes_and_what_it_saved_stays() {
    swarm(1..4, |sim| {
        let (hosts, knowledge) = fleet(sim);
        sim.run(Duration::from_secs(60));
        sim.crash(hosts[0]);
        sim.run(Duration::from_secs(60));
        let seen = knowledge[1].lock().unwrap().clone();
        assert_eq!(seen, Seen { coins: 30, online: ["h1", "h2"].map(String::from).to_vec() });
    });
}

#[test]
fn a_run_of_async_code_is_the_same_on_every_machine_and_in_every_build() {
    assert_eq!(repeats(), Ok(()));
}

#[test]
fn a_run_of_real_handles_repeats_exactly() {
    let hash = |seed| {
        let mut sim = Sim::new(seed);
        fleet(&mut sim);
        sim.run(Duration::from_secs(20));
        sim.trace_hash()
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}
