//! The recordings of the original pool library, played to our machines. Weaknesses 19 (join-storm), 20
//! (joins-restart-refresh), 21 (pool-loss-stays), 22 (ghosts-of-the-crashed), 23 (message-per-change), 24
//! (former-owner-interferes) and 25 (silent-pool) among them.

use fleet_checks::replay_pool::{Recording, replay};

const RECORDINGS: &str = include_str!("../../recordings/pool-wire.json");

#[test]
fn every_recorded_scenario_comes_out_as_recorded_or_as_it_should_have() {
    let verdicts = replay(&Recording::parse(RECORDINGS).unwrap());
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.faults.is_empty()).collect();
    assert!(failed.is_empty(), "{}", failed.iter().map(|verdict| format!("{verdict}\n")).collect::<String>());
    let hazards = verdicts.iter().filter(|verdict| verdict.hazard).count();
    assert_eq!((verdicts.len(), hazards), (34, 13 + 5));
}

#[test]
fn another_outcome_than_the_recorded_fails() {
    let mut recording: serde_json::Value = serde_json::from_str(RECORDINGS).unwrap();
    let scenarios = recording["scenarios"].as_array_mut().unwrap();
    scenarios.retain(|scenario| scenario["name"] == "ownership-moves");
    scenarios[0]["contributions"]["A"] = serde_json::json!(["nobody"]);
    scenarios[0]["events"].as_array_mut().unwrap().pop();
    let verdicts = replay(&Recording::parse(&recording.to_string()).unwrap());
    assert_eq!(verdicts[0].faults.len(), 2, "{}", verdicts[0]);
}
