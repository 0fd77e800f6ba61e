//! Cases that seeds of the swarm once came upon, scripted: each must come to pass, and no checker may find anything in it.

use std::time::Duration;

use fleet_sim::{CutKind, HostId};

use super::super::check::{is_held_up, pool_view};
use super::super::fleet::Fleet;
use super::super::{Scenario, Script};
use super::*;

const DEAD: HostId = HostId(0);
const WITNESS: HostId = HostId(1);
const OTHER: HostId = HostId(2);

/// For how long a ghost may be seen of whose end everybody could have known at once.
const PATIENCE: Duration = Duration::from_secs(30 + 12);

fn scenario(more: &str) -> Scenario {
    let text = format!("about = \"three servers, and what the test does to them\"\nservers = 3\n{more}");
    Script::parse(&text).expect("a scenario").scenario(1)
}

fn seconds(fleet: &mut Fleet<'_>, count: u32) {
    (0..count).for_each(|_| fleet.second(0, &mut None));
}

fn contribute(fleet: &mut Fleet<'_>, host: HostId, key: &str) {
    fleet.sim.act(host, |server, now| {
        let pool = server.pools.id(POOL);
        server.pools.call(now).contribute(now.instant, pool, key, "1".into()).expect("it fits");
    });
}

/// Whether a server shows anything of the dead one.
fn shows(fleet: &Fleet<'_>, host: HostId) -> bool {
    pool_view(&fleet.sim, host).is_some_and(|view| view.keys().any(|key| key.starts_with("h0/")))
}

/// A fleet that has settled, and sees an entry of the one that is to die.
fn settled(scenario: &Scenario) -> Fleet<'_> {
    let mut fleet = Fleet::new(1, scenario, None);
    contribute(&mut fleet, DEAD, "h0/1");
    seconds(&mut fleet, 30);
    assert!(shows(&fleet, WITNESS) && shows(&fleet, OTHER));
    fleet
}

/// How long it took, to the second, until the witness showed an entry of the dead server for the last time.
fn haunted(fleet: &mut Fleet<'_>) -> Duration {
    let dead_since = fleet.gone[&DEAD];
    let mut last = Duration::ZERO;
    for _ in 0..PATIENCE.as_secs() * 3 {
        seconds(fleet, 1);
        if shows(fleet, WITNESS) {
            last = fleet.sim.now().since(dead_since);
        }
    }
    assert!(!shows(fleet, WITNESS) && !shows(fleet, OTHER));
    last
}

/// A server published two frames and crashed before it could say that the bus had taken the first. Who missed that one
/// held the second back for as long as it may, and took it for a sign of life then.
#[test]
fn what_waited_behind_a_hole_for_a_crashed_sender_makes_no_ghost() {
    let scenario = scenario("accept_ms = 900\ncrash = 0.01");
    let mut fleet = settled(&scenario);
    let cut = fleet.sim.bus.cut([DEAD], [WITNESS], CutKind::Drop);
    contribute(&mut fleet, DEAD, "h0/2");
    fleet.sim.run(Duration::from_millis(600));
    fleet.sim.bus.mend(cut);
    contribute(&mut fleet, DEAD, "h0/3");
    fleet.sim.run(Duration::from_millis(600));
    assert!(is_held_up(&fleet.sim), "the second frame waits for the first");
    assert!(fleet.crash(DEAD));
    assert!(haunted(&mut fleet) > PATIENCE, "it waited for as long as it may");
    assert_eq!(fleet.violations, []);
}

/// Nothing was heard for a while after a server crashed: views turned stale, and all got a full timeout when they were fresh
/// again.
#[test]
fn a_view_that_was_stale_gives_the_dead_a_full_timeout_and_makes_no_ghost() {
    let scenario = scenario("crash = 0.01");
    let mut fleet = settled(&scenario);
    assert!(fleet.crash(DEAD));
    fleet.sim.bus.faults.loss = 1.0;
    seconds(&mut fleet, 18);
    fleet.sim.bus.faults.loss = 0.0;
    assert!(haunted(&mut fleet) > PATIENCE, "the dead one got a full timeout");
    assert_eq!(fleet.violations, []);
}

/// Two claim a key that do not hear each other, so that neither gives way.
#[test]
fn who_is_taken_for_dead_is_known_also_where_all_its_keys_pass_to_others() {
    let scenario = scenario("crash = 0.01");
    let mut fleet = Fleet::new(1, &scenario, None);
    seconds(&mut fleet, 10);
    for (from, to) in [(DEAD, WITNESS), (WITNESS, DEAD)] {
        let _ = fleet.sim.bus.cut([from], [to], CutKind::Drop);
    }
    for host in [WITNESS, DEAD] {
        contribute(&mut fleet, host, "player0");
        seconds(&mut fleet, 1);
    }
    let owner =
        |fleet: &Fleet<'_>| pool_view(&fleet.sim, OTHER).expect("it has a pool")["player0"].owner.to_string();
    assert_eq!(owner(&fleet), "h0", "the last to claim it");
    assert!(fleet.crash(DEAD));
    seconds(&mut fleet, 50);
    assert_eq!(owner(&fleet), "h1");
    let expired = &fleet.sim.node(OTHER).expect("it runs").pools.expired;
    assert!(expired.iter().any(|(_, server)| &**server == "h0"), "{expired:?}");
    assert_eq!(fleet.violations, []);
}

#[test]
fn a_server_that_starts_while_the_bus_carries_nothing_knows_the_pool_from_its_checkpoint() {
    let scenario = scenario("checkpoints = 1");
    let mut fleet = settled(&scenario);
    let shards = fleet.sim.store.commits().iter().filter(|commit| &*commit.key.store == "server-pool");
    assert!(shards.count() > 0, "somebody writes");
    fleet.sim.bus.faults.loss = 1.0;
    let host = fleet.sim.add_host();
    fleet.start(host);
    seconds(&mut fleet, 2);
    assert!(shows(&fleet, host));
}
