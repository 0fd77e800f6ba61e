//! Tests of the checks on the text of files.

use super::{MAX_LINES, header, length, rust_files};

#[test]
fn a_file_of_the_greatest_length_passes_and_one_line_more_does_not() {
    assert_eq!(length(&"x\n".repeat(MAX_LINES)), None);
    assert_eq!(length(&"x\n".repeat(MAX_LINES + 1)).unwrap(), "401 lines; at most 400 are allowed");
}

#[test]
fn a_last_line_without_a_newline_counts() {
    let text = "x\n".repeat(MAX_LINES) + "x";
    assert!(length(&text).is_some());
}

#[test]
fn a_file_starts_with_a_line_that_says_what_it_is() {
    assert_eq!(header("//! What it is.\nfn f() {}\n"), None);
    for bad in ["", "\n//! Late.", "// Not a doc.", "/// Of an item.", "//!", "//!   \n", "fn f() {}"] {
        assert!(header(bad).is_some(), "{bad:?}");
    }
}

#[test]
fn the_files_of_this_very_crate_are_found() {
    assert!(rust_files().unwrap().contains("xtask/src/files.rs"));
}
