//! The list of bugs goes with the sources.

use std::collections::BTreeSet;
use std::fs;

use super::read;
use crate::cargo;

#[test]
fn every_bug_finds_its_place_and_changes_it() {
    for mutant in read().expect("the list is readable") {
        let text = fs::read_to_string(cargo::root().join(&mutant.file)).expect("its file is there");
        assert_ne!(mutant.plant(&text).as_ref(), Ok(&text), "{} changes nothing", mutant.name);
        mutant.plant(&text).unwrap();
    }
}

#[test]
fn bugs_have_names_of_their_own_and_all_three_machines_have_some() {
    let list = read().expect("the list is readable");
    let names: BTreeSet<_> = list.iter().map(|mutant| &mutant.name).collect();
    assert_eq!(names.len(), list.len());
    for machine in ["nexus-store", "server-pool", "bulk-messaging"] {
        let place = format!("crates/{machine}/src/machine");
        assert!(list.iter().any(|mutant| mutant.file.starts_with(&place)), "{machine}");
    }
}

#[test]
fn a_bug_whose_text_stands_nowhere_or_twice_is_refused() {
    let mutant = read().expect("the list is readable").remove(0);
    assert!(mutant.plant("").is_err());
    assert!(mutant.plant(&format!("{0}\n{0}", mutant.text)).is_err());
}
