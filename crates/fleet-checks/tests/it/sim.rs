//! The simulated fleet: it holds under the swarm, repeats, and its checkers find what is wrong on purpose.

use fleet_checks::sim::swarm::{seed, swarm};
use fleet_checks::sim::{Planted, Scenario, run};

#[test]
fn the_first_seeds_of_the_swarm_are_without_violation() {
    let swarm = swarm(1, 24, &|_, _| ());
    assert!(swarm.violations.is_empty(), "{swarm}");
}

#[test]
fn a_seed_repeats_exactly() {
    assert_eq!(seed(7, None), seed(7, None));
    assert_ne!(seed(7, None).trace_hash, seed(8, None).trace_hash);
}

#[test]
fn every_planted_bug_is_found_by_its_checker_within_30_seeds() {
    for planted in Planted::ALL {
        let finders = match planted {
            Planted::SetsForIncrements | Planted::WritesBlindly | Planted::AnswersBeforeTheWrite => "ledger",
            Planted::NoBudget => "budget",
            Planted::SwapsMessages => "order",
            Planted::KeepsGhosts => "ghosts",
            Planted::NoHeartbeats => "false deaths",
            Planted::DeafSaves => "save data",
        };
        let finds = |number| {
            let report = run(number, &Scenario::random(number), Some(planted));
            report.violations.iter().any(|(checker, _)| *checker == finders)
        };
        assert!((1..=30).any(finds), "{planted:?} is not found by the checker of {finders}");
    }
}
