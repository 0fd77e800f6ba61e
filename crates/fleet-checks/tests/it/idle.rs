//! What a fleet costs in which nobody does anything.

use std::time::Duration;

use fleet_checks::sim::{Parts, Server};
use fleet_sim::{HostId, Sim};
use transport_traits::{RecordKey, presets};

/// A server with a pool and a record, on a bus like Roblox's.
fn launch(sim: &mut Sim<Server>, number: u64) -> HostId {
    let host = sim.add_host();
    let mut bulk = bulk_messaging::Config::new("bulk");
    bulk.seed = Some(number);
    let pools = server_pool::Config::new(host.to_string()).with_seed(number);
    let saves =
        nexus_store::Config { writer: Some(number), seed: Some(number), ..nexus_store::Config::default() };
    let mut parts = Parts::new(bulk, pools, vec!["online".into()]);
    parts.saves = Some((saves, vec![RecordKey::new("town", "bank")], sim.store.limits.clone()));
    let limits = sim.bus.limits.clone();
    sim.start(host, |now| Server::new(now, parts, &limits));
    host
}

fn fleet(servers: u64) -> (Sim<Server>, Vec<HostId>) {
    let mut sim = Sim::new(1);
    sim.bus.limits = presets::ROBLOX_MESSAGING;
    let hosts = (1..=servers).map(|number| launch(&mut sim, number)).collect();
    sim.run(Duration::from_secs(60));
    (sim, hosts)
}

#[test]
fn an_idle_server_publishes_little_more_than_its_heartbeats() {
    let (mut sim, hosts) = fleet(5);
    sim.bus.published.clear();
    sim.run(Duration::from_secs(60));
    for host in hosts {
        let count = sim.bus.published.iter().filter(|published| published.from == host).count();
        assert!((30..=34).contains(&count), "{host} publishes {count} times in an idle minute");
    }
    assert_eq!(sim.store.commits().len(), 0, "nor does anybody write");
}

/// What the dead have published still counts for a minute, while the limit falls with the number of servers. Nobody can know,
/// but who uses less than half of his share leaves room for it.
#[test]
fn an_idle_fleet_of_which_half_is_gone_at_once_is_not_refused() {
    let (mut sim, hosts) = fleet(10);
    assert_eq!(sim.bus.stats().over_rate, 0);
    hosts[..5].iter().for_each(|host| drop(sim.crash(*host)));
    sim.run(Duration::from_secs(60));
    assert_eq!(sim.bus.stats().over_rate, 0);
}
