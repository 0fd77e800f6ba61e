//! The ledger finds whatever a way does to its bodies.

use benches_backends::ledger::{BODY, Faults, Ledger, body, number};

/// What the ledger of the numbers 5 to 8 says of these.
fn check(came: &[u64], expect: Faults) {
    let mut ledger = Ledger::new(5, 4);
    came.iter().for_each(|&number| ledger.enter(&body(number)));
    assert_eq!(ledger.faults(), expect, "{came:?}");
    assert_eq!(ledger.is_full(), expect.lost == 0, "{came:?}");
}

#[test]
fn a_body_is_a_json_string_of_100_bytes_and_carries_its_number() {
    for carried in [0, 7, 1_234_567_890, u64::MAX] {
        let body = body(carried);
        assert_eq!((body.len(), number(&body)), (BODY, Some(carried)));
        assert!(body.starts_with(b"\"0") || carried == u64::MAX);
        assert!(body.ends_with(b"x\"") && !body[1..BODY - 1].contains(&b'"'));
    }
}

#[test]
fn what_is_no_body_carries_no_number() {
    let too_large = [b"\"".as_slice(), &[b'9'; 20], &[b'x'; 78], b"\""].concat();
    let no_digits = [b'x'; BODY];
    for other in [&b""[..], &body(1)[1..], &no_digits, &too_large] {
        assert_eq!(number(other), None);
    }
}

#[test]
fn whatever_a_way_does_to_its_bodies_shows() {
    let fine = Faults::default();
    check(&[5, 6, 7, 8], fine);
    check(&[], Faults { lost: 4, ..fine });
    check(&[5, 6, 8], Faults { lost: 1, ..fine });
    check(&[5, 6, 6, 7, 8], Faults { doubled: 1, ..fine });
    check(&[5, 7, 6, 8], Faults { late: 1, ..fine });
    check(&[4, 5, 6, 7, 8, 9], Faults { foreign: 2, ..fine });
    check(&[8, 5, 5], Faults { lost: 2, doubled: 1, late: 1, foreign: 0 });
}

#[test]
fn the_sign_of_a_gap_is_foreign() {
    let mut ledger = Ledger::new(0, 1);
    ledger.enter(b"");
    assert_eq!(ledger.faults(), Faults { lost: 1, foreign: 1, ..Faults::default() });
}
