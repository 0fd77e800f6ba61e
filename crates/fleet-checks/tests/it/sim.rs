//! The simulated fleet: it holds under every scenario, repeats, and its checkers find what is wrong on purpose.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use fleet_checks::sim::swarm::{Swarm, seed, swarm};
use fleet_checks::sim::{
    Crowd, Planted, SCENARIOS, Script, ScriptError, explain, fleet_repeats, plot, repeats, scale, watch,
};

fn script(name: &str) -> Script {
    Script::find(name).expect("a scenario of the project")
}

fn first_seeds(names: &[&str], seeds: u64) -> Swarm {
    let scripts: Vec<_> = names.iter().map(|&name| (name.to_owned(), script(name))).collect();
    swarm(&scripts, 1..1 + seeds, &|_, _, _| ControlFlow::Continue(()))
}

#[test]
fn the_first_seeds_of_every_scenario_are_without_violation() {
    let swarm = first_seeds(&SCENARIOS.map(|(name, _)| name), 3);
    assert!(swarm.violations.is_empty(), "{swarm}");
    assert_eq!(swarm.runs, 3 * SCENARIOS.len() as u64);
}

/// A frame that had failed eight times by chance waited for 15 s although the bus took everything else, and heartbeats waited
/// behind it.
#[test]
fn what_repeats_for_long_holds_up_nobodys_heartbeats() {
    let script = Script::parse(include_str!("repeats-for-long.toml")).expect("a scenario");
    assert_eq!(seed(6130, &script.scenario(6130), None).violations, []);
}

#[test]
fn a_seed_repeats_exactly_also_when_somebody_watches() {
    let scenario = script("swarm").scenario(7);
    let report = seed(7, &scenario, None);
    assert_eq!(report, seed(7, &scenario, None));
    assert_ne!(report.trace_hash, seed(8, &scenario, None).trace_hash);
    let (watched, seen) = watch(7, &scenario, None);
    assert_eq!(report, watched);
    assert_eq!(seen.samples.len() as u64, report.seconds);
}

#[test]
fn a_run_gives_what_it_gives_in_every_build_with_and_without_the_real_machines() {
    assert_eq!(repeats(), Ok(()));
    assert_eq!(fleet_repeats(), Ok(()));
}

#[test]
fn every_planted_bug_is_found_by_its_checker_within_30_seeds() {
    let is_found = |planted: Planted| {
        let script = script(planted.scenario());
        (1..=30).any(|number| {
            let report = seed(number, &script.scenario(number), Some(planted));
            report.violations.iter().any(|(checker, _)| *checker == planted.finder())
        })
    };
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(&planted) = Planted::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            assert!(is_found(planted), "{planted:?} is not found by {}", planted.finder());
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
}

#[test]
fn a_scenario_is_refused_that_sets_what_does_not_exist_or_makes_no_sense() {
    let refused = |line: &str| Script::parse(&format!("about = \"x\"\n{line}")).expect_err(line);
    assert!(matches!(refused("losss = 0.1"), ScriptError::Unknown(name) if name == "losss"));
    assert!(matches!(refused("loss = -0.1"), ScriptError::Range(_)));
    assert!(matches!(refused("servers = [4, 2]"), ScriptError::Range(_)));
    assert!(matches!(refused("servers = \"many\""), ScriptError::Form(_)));
    assert!(matches!(Script::find("absent"), Err(ScriptError::Absent { .. })));
}

#[test]
fn what_a_seed_makes_of_one_number_does_not_depend_on_the_others_that_are_drawn() {
    let script =
        |more: &str| Script::parse(&format!("about = \"x\"\nloss = [0.0, 1.0]\n{more}")).expect("a script");
    let (alone, among) = (script(""), script("crash = { sometimes = 0.1 }\nservers = [2, 7]"));
    let losses = |script: &Script| (1..9).map(|seed| script.scenario(seed).bus.loss).collect::<Vec<_>>();
    assert_eq!(losses(&alone), losses(&among));
    assert!(losses(&alone).is_sorted_by(|a, b| a != b), "another seed draws another number");
}

#[test]
fn a_script_that_a_seed_has_pinned_is_that_scenario_with_every_seed_and_reads_back() {
    let pinned = script("swarm").pinned(3);
    let text = pinned.to_string();
    let read = Script::parse(&text).expect("it writes what it reads");
    let scenario = |script: &Script, seed| format!("{:?}", script.scenario(seed));
    assert_eq!(scenario(&read, 1), scenario(&script("swarm"), 3));
    assert_eq!(scenario(&read, 1), scenario(&pinned, 2));
}

#[test]
fn an_explanation_is_of_readable_length_and_gives_a_scenario() {
    let text = explain(&script("crashes"), 1, "no checker of this name");
    assert!(text.lines().count() < 100, "{text}");
    assert!(text.contains("about = "), "{text}");
}

#[test]
fn a_picture_has_a_curve_for_each_thing_that_is_followed() {
    let scenario = script("lost-messages").scenario(1);
    let picture = plot("lost <messages>", &scenario, &watch(1, &scenario, None).1.samples);
    assert_eq!(picture.matches("<polyline").count(), 5);
    assert!(picture.contains("lost &lt;messages&gt;") && !picture.contains("NaN"), "{picture}");
}

#[test]
fn a_crowd_comes_to_see_the_same_also_where_messages_are_lost_and_repeats_exactly() {
    let calm = scale(Crowd::new(20, 3, 5));
    assert_eq!((calm.fewest, calm.entries), (60, 60));
    assert!(calm.equal_after.expect("all see the same") < Duration::from_secs(1), "{calm:?}");
    assert_eq!(calm, scale(Crowd::new(20, 3, 5)));
    let lossy = scale(Crowd { loss: 0.2, ..Crowd::new(20, 3, 5) });
    assert!(lossy.equal_after.is_some() && lossy.pulls > 0, "{lossy:?}");
    assert_ne!(calm, lossy);
}
