//! Runs repeat exactly.

use fleet_sim::{Delay, Sim};
use transport_traits::Precondition;

use crate::support::{Puppet, fleet, get, ms, publish, put, secs};

/// A run in which everything happens that can.
fn play(seed: u64) -> Sim<Puppet> {
    let (mut sim, hosts) = fleet(5, seed);
    sim.bus.faults.delay = Delay::LongTail { median: ms(50), most: secs(2) };
    let faults = &mut sim.bus.faults;
    (faults.loss, faults.duplication, faults.failure, faults.unknown) = (0.1, 0.1, 0.1, 0.1);
    let faults = &mut sim.store.faults;
    (faults.unavailable, faults.throttled, faults.conflict) = (0.1, 0.1, 0.1);
    (faults.unknown_before, faults.unknown_after, faults.unknown_late) = (0.1, 0.1, 0.1);
    faults.latency = Delay::Between(ms(5), ms(300));
    sim.keep_trace(1_000);
    for round in 0..200 {
        let host = hosts[sim.rng.usize(..5)];
        match sim.rng.u32(..8) {
            0 => put(&mut sim, host, "{}", Precondition::Always),
            1 => get(&mut sim, host),
            2 => sim.pause(host, ms(700)),
            3 => sim.set_clock(host, round * 1_000),
            4 => crate::support::start(&mut sim, host),
            _ => publish(&mut sim, host, &round.to_string()),
        }
        sim.run(ms(20));
    }
    sim
}

#[test]
fn equal_seeds_give_equal_traces_and_others_do_not() {
    assert_eq!(play(1).trace_hash(), play(1).trace_hash());
    let lines = |seed| play(seed).trace().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(lines(1), lines(1));
    assert_ne!(play(1).trace_hash(), play(2).trace_hash());
}

#[test]
fn the_hash_of_a_run_is_the_same_on_every_machine_and_in_every_build() {
    assert_eq!(format!("{:016x}", play(1).trace_hash()), "26acf05c0df72310");
}

#[test]
fn a_trace_reads_as_what_happened() {
    let (mut sim, hosts) = fleet(1, 1);
    sim.keep_trace(3);
    publish(&mut sim, hosts[0], "x");
    sim.note("that was all");
    sim.run(secs(1));
    sim.crash(hosts[0]);
    let lines: Vec<String> = sim.trace().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        ["0.010000s h0 receives #1", "0.010000s h0 gets the answer to call 0", "1.000000s h0 crashes"]
    );
}
