//! Whether a seed gives the same run here as everywhere: on this machine, in this build.

use std::time::Duration;

use super::{Script, swarm};
use fleet_sim::{Delay, Ports, Process, Sim};
use futures::StreamExt;
use transport_traits::{DataStore, Outgoing, Precondition, Publisher, Record, RecordKey, Subscriber, Timer};

/// The hash of everything that happens in [`play`], as it was when that was last changed.
const EXPECTED: u64 = 0xbd72_862d_f96b_e562;

/// A server of async code that uses everything there is, and draws all chances from its seed.
async fn server(ports: Ports) {
    let (bus, store, timer) = (ports.bus(), ports.store(), ports.timer());
    let mut rng = fastrand::Rng::with_seed(ports.seed());
    let key = RecordKey::new("shop", "till");
    let mut heard = bus.subscribe("news".into()).await.expect("the name is good");
    let (teller, clock) = (ports.clone(), timer.clone());
    ports.spawn(async move {
        while let Some(delivery) = heard.next().await {
            let note = serde_json::json!({ "heard": format!("{delivery:?} at {}", clock.now()) });
            let record = Record::new(note.to_string());
            let _ = teller.store().put(RecordKey::new("log", "last"), record, Precondition::Always).await;
        }
    });
    for round in 0..20 {
        let _ = bus.publish(Outgoing::new("news", format!("{round} from {}", ports.host()))).await;
        let before = store.get(key.clone()).await.ok().flatten();
        let precondition = before.map_or(Precondition::Absent, |stored| Precondition::Is(stored.version));
        let _ = store.put(key.clone(), Record::new(format!("{{\"round\":{round}}}")), precondition).await;
        timer.sleep_until(timer.now() + Duration::from_millis(rng.u64(1..500))).await;
    }
}

/// A short run of async code with every kind of trouble, and the hash of everything that happened.
fn play() -> u64 {
    let mut sim: Sim<Process> = Sim::new(1);
    sim.bus.faults.delay =
        Delay::LongTail { median: Duration::from_millis(80), most: Duration::from_secs(2) };
    (sim.bus.faults.loss, sim.bus.faults.duplication, sim.bus.faults.failure) = (0.1, 0.1, 0.1);
    let faults = &mut sim.store.faults;
    faults.latency = Delay::Between(Duration::from_millis(5), Duration::from_millis(300));
    (faults.unavailable, faults.conflict, faults.unknown_after, faults.unknown_late) = (0.1, 0.1, 0.1, 0.1);
    faults.timeout = Delay::Fixed(Duration::from_secs(1));
    let hosts = [(); 3].map(|()| sim.launch_app(server));
    sim.run(Duration::from_secs(2));
    sim.reconnect(hosts[0]);
    sim.pause(hosts[1], Duration::from_secs(1));
    sim.crash(hosts[2]);
    sim.start_app(hosts[2], server);
    sim.run(Duration::from_secs(20));
    sim.trace_hash()
}

/// The hash of everything that happens in seed 7 of `swarm`. What machines say, and when, is in it, and what is done to
/// them: whoever changes any of it on purpose puts the hash here that `cargo xtask sim --seeds 0` prints.
const FLEET: u64 = 0xd008_cb2e_65fd_7db4;

const SEED: u64 = 7;

/// Runs a fleet of the real machines, the same as everywhere.
///
/// # Errors
/// What came of it if that is another than where the hash was noted: the machines or the scenario are others, or else this build
/// or machine gives other results for them.
pub fn fleet_repeats() -> Result<(), String> {
    let script = Script::find("swarm").expect("a scenario of the project");
    let hash = swarm::seed(SEED, &script.scenario(SEED), None).trace_hash;
    let other =
        || format!("seed {SEED} of swarm gives {hash:#018x}, and {FLEET:#018x} was noted in `repeat.rs`");
    if hash == FLEET { Ok(()) } else { Err(other()) }
}

/// Plays a short run of async code, the same as everywhere.
///
/// # Errors
/// What came of it if that is another than elsewhere: then no seed of another machine or build means anything here.
pub fn repeats() -> Result<(), String> {
    let hash = play();
    let other = || format!("a run that gives {EXPECTED:#018x} everywhere gives {hash:#018x} here");
    if hash == EXPECTED { Ok(()) } else { Err(other()) }
}
