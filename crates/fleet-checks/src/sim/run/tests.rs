//! Cases that seeds of the swarm once came upon, scripted: each must come to pass, and no checker may find anything in it.

use std::time::Duration;

use fleet_sim::{CutKind, HostId};

use super::super::check::{is_held_up, pool_view};
use super::super::excuses::Excuses;
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

#[test]
fn a_second_is_a_second_however_many_deeds_there_are() {
    let scenario = scenario("");
    for deeds in 0..13 {
        let mut fleet = Fleet::new(1, &scenario, None);
        fleet.second(deeds, &mut None);
        assert_eq!(fleet.sim.now(), Instant::ZERO + Duration::from_secs(1), "{deeds} deeds");
    }
}

/// Whether a checker finds a bug in a run.
fn finds(checker: &str, planted: Planted, scenario: &Scenario) -> bool {
    run(1, scenario, Some(planted)).violations.iter().any(|(of, _)| *of == checker)
}

#[test]
fn who_leaves_silently_is_noticed_however_many_deeds_there_are() {
    for deeds in [5, 6, 7] {
        assert!(finds("leave", Planted::LeavesSilently, &scenario(&format!("deeds = {deeds}"))), "{deeds}");
    }
}

#[test]
fn who_is_taken_for_dead_wrongly_is_noticed_also_where_there_may_be_cuts_or_pauses() {
    for trouble in ["", "cut = 0.1", "pause = 0.1\npause_s = 7"] {
        let scenario = scenario(trouble);
        let mut fleet = Fleet::new(1, &scenario, Some(Planted::NoHeartbeats));
        seconds(&mut fleet, 15);
        contribute(&mut fleet, DEAD, "h0/1");
        for number in 0..50 {
            contribute(&mut fleet, WITNESS, &format!("h1/{number}"));
            seconds(&mut fleet, 1);
        }
        assert!(fleet.violations.iter().any(|(checker, _)| *checker == "false deaths"), "{trouble}");
    }
}

#[test]
fn who_is_cut_off_or_stands_still_for_long_is_excused_for_a_timeout_and_no_longer() {
    let at = |seconds: u64| Instant::ZERO + Duration::from_secs(seconds);
    let mut excuses = Excuses::default();
    excuses.paused(DEAD, at(10), at(17));
    assert_eq!(excuses.until(DEAD), None, "it may be as slow as that");
    excuses.paused(DEAD, at(17), at(18));
    assert_eq!(excuses.until(DEAD), Some(at(18 + 35)));
    assert_eq!(excuses.until(OTHER), None);
    excuses.unheard(at(40));
    assert_eq!(excuses.until(OTHER), Some(at(40 + 35)));
    excuses.healed(at(30));
    assert_eq!([DEAD, OTHER].map(|host| excuses.until(host)), [Some(at(30 + 35)); 2]);
}

#[test]
fn a_ghost_is_noticed_soon_after_trouble_ended_also_where_there_were_cuts() {
    let scenario = scenario("cut = 0.000001");
    let mut fleet = Fleet::new(1, &scenario, Some(Planted::KeepsGhosts));
    contribute(&mut fleet, DEAD, "h0/1");
    seconds(&mut fleet, 10);
    assert!(fleet.crash(DEAD));
    fleet.heal();
    seconds(&mut fleet, 40);
    assert_eq!(fleet.violations, [], "it is not late");
    seconds(&mut fleet, 10);
    assert!(fleet.violations.iter().any(|(checker, _)| *checker == "ghosts"));
}
