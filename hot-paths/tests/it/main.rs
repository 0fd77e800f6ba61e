//! The paths do what they say: each asserts so in its steps.

use hot_paths::{PATHS, STEPS, path};

#[test]
fn every_path_is_ready_for_all_of_its_steps() {
    for path in PATHS {
        (0..STEPS).for_each((path.ready)());
    }
}

#[test]
fn a_path_is_found_by_its_name_and_no_other_is_called_so() {
    for wanted in PATHS {
        assert_eq!(PATHS.iter().filter(|path| path.name == wanted.name).count(), 1);
        assert_eq!(path(wanted.name).map(|path| path.step), Some(wanted.step));
    }
    assert!(path("none").is_none());
}
