//! Tests of the reader of test output, on what libtest prints.

use super::Report;

const PASSING: &str = "\
running 4 tests
test cas::reads_its_own_write ... ok
test servers::needs_redis ... ok
test slow::all_seeds ... ignored, takes an hour
test slow::more_seeds ... ignored

successes:

---- servers::needs_redis stdout ----
skipped: servers::needs_redis: no redis-server on the path: install it
chatter of a passing test

successes:
    cas::reads_its_own_write
    servers::needs_redis

test result: ok. 2 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

const FAILING: &str = "\
running 2 tests
test a ... ok
test b ... FAILED

successes:

successes:
    a

failures:

---- b stdout ----
assertion failed

failures:
    b

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

/// The report on this output, and the lines that people see.
fn read(output: &str) -> (Report, Vec<&str>) {
    let mut report = Report::default();
    let shown = output.lines().filter(|line| report.read(line)).collect();
    (report, shown)
}

#[test]
fn tests_of_several_programs_are_added_up() {
    let both = format!("{PASSING}\n{FAILING}");
    let (report, _) = read(&both);
    assert!(report.to_string().starts_with("passed:  3\nfailed:  1\nskipped: 3\n"), "{report}");
}

#[test]
fn skipped_and_ignored_tests_are_listed_with_their_reasons() {
    let (report, _) = read(PASSING);
    let listed: Vec<String> = report.to_string().lines().skip(3).map(String::from).collect();
    assert_eq!(
        listed,
        [
            "  slow::all_seeds: takes an hour",
            "  slow::more_seeds: ignored",
            "  servers::needs_redis: no redis-server on the path: install it",
        ]
    );
    assert!(report.any_skipped());
}

#[test]
fn an_ignored_doc_test_is_listed() {
    let (report, _) = read("test crates/a/src/lib.rs - f (line 5) ... ignored");
    assert!(report.to_string().ends_with("  crates/a/src/lib.rs - f (line 5): ignored\n"), "{report}");
}

#[test]
fn a_run_in_which_every_test_ran_skipped_nothing() {
    let (report, _) = read(FAILING);
    assert!(!report.any_skipped());
}

#[test]
fn people_do_not_see_what_passing_tests_print() {
    let (_, shown) = read(PASSING);
    assert!(!shown.contains(&"chatter of a passing test"));
    assert!(shown.contains(&"test servers::needs_redis ... ok"));
    assert!(shown.last().unwrap().starts_with("test result: "));
}

#[test]
fn people_see_what_failing_tests_print() {
    let (_, shown) = read(FAILING);
    assert!(shown.contains(&"assertion failed"));
}

#[test]
fn a_program_that_dies_in_its_last_section_does_not_hide_the_next_one() {
    let (_, shown) = read("successes:\nchatter\nrunning 1 test\ntest a ... ok");
    assert_eq!(shown, ["running 1 test", "test a ... ok"]);
}

#[test]
fn lines_of_another_shape_are_no_skips() {
    let (report, _) = read("not skipped: a: b\ntest a ... ok\ntest result: what\n");
    assert_eq!(report.to_string(), "passed:  0\nfailed:  0\nskipped: 0\n");
}

#[test]
fn a_skip_that_gives_no_reason_is_listed_all_the_same() {
    let (report, _) = read("skipped: servers::needs_redis");
    assert!(report.to_string().ends_with("  servers::needs_redis: no reason given\n"), "{report}");
}

#[test]
fn what_passing_tests_measured_is_listed_below_the_counts() {
    let (report, _) = read("successes:\nmeasured: redis: whole after 2 ms\nchatter: measured: no");
    assert_eq!(
        report.to_string(),
        "passed:  0\nfailed:  0\nskipped: 0\nmeasured:\n  redis: whole after 2 ms\n"
    );
}
