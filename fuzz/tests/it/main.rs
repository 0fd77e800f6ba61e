//! Every target takes what its corpus holds, and is the one that its program feeds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nexus_fuzz::TARGETS;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    listed.map(|entry| entry.unwrap().path()).collect()
}

fn stems(folder: &Path) -> BTreeSet<String> {
    inside(folder).iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_target_takes_its_corpus() {
    for (name, target) in TARGETS {
        let inputs = inside(&folder("corpus").join(name));
        assert!(!inputs.is_empty(), "{name} has nothing to start from");
        for input in inputs {
            println!("{}", input.display());
            target(&fs::read(input).unwrap());
        }
    }
}

#[test]
fn every_target_has_a_program_and_a_corpus_and_there_are_no_others() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems(&folder("corpus")), names);
    assert_eq!(stems(&folder("fuzz_targets")), names);
}
