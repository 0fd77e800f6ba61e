//! What stays of flushes.

use super::Outstanding;

#[test]
fn nothing_stays_of_flushes_that_were_withdrawn_or_are_over() {
    let mut outstanding = Outstanding::default();
    for id in 0..1_000 {
        outstanding.flush(id, 7);
        outstanding.flush(10_000 + id, 7);
        outstanding.withdraw(id);
    }
    assert_eq!(outstanding.flushes.len(), 1_000);
    outstanding.withdraw(5);
    assert_eq!(outstanding.flushed(Some(6)).count(), 0);
    assert_eq!(outstanding.flushed(Some(7)).collect::<Vec<_>>(), (10_000..11_000).collect::<Vec<_>>());
    assert!(!outstanding.is_flushing());
}
