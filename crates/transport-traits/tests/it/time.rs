//! Arithmetic on points in time, which saturates at both ends.

use std::time::Duration;

use proptest::prelude::*;
use transport_traits::{Instant, WallTime};

const END: u64 = u64::MAX;

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![any::<u64>().prop_map(Duration::from_micros), any::<Duration>()]
}

/// Whole microseconds, as wide as they come.
fn micros(duration: Duration) -> u128 {
    duration.as_micros()
}

proptest! {
    #[test]
    fn sums_and_differences_are_exact_or_stop_at_an_end(start: u64, by in any_duration()) {
        let later = (u128::from(start) + micros(by)).min(END.into());
        let earlier = u128::from(start).saturating_sub(micros(by));
        prop_assert_eq!(u128::from((Instant::from_micros(start) + by).as_micros()), later);
        prop_assert_eq!(u128::from((Instant::from_micros(start) - by).as_micros()), earlier);
        prop_assert_eq!(u128::from((WallTime::from_micros(start) + by).as_micros()), later);
    }

    #[test]
    fn since_is_the_distance_or_nothing(a: u64, b: u64) {
        let expected = Duration::from_micros(a.saturating_sub(b));
        prop_assert_eq!(Instant::from_micros(a).since(Instant::from_micros(b)), expected);
        prop_assert_eq!(WallTime::from_micros(a).since(WallTime::from_micros(b)), expected);
    }

    #[test]
    fn order_is_that_of_time(a: u64, b: u64) {
        prop_assert_eq!(Instant::from_micros(a).cmp(&Instant::from_micros(b)), a.cmp(&b));
        prop_assert_eq!(WallTime::from_micros(a).cmp(&WallTime::from_micros(b)), a.cmp(&b));
    }
}

#[test]
fn the_ends_of_time_hold() {
    let end = Instant::from_micros(END);
    let mut moved = end;
    moved += Duration::from_micros(1);
    assert_eq!((moved, Instant::from_millis(END)), (end, end));
    assert_eq!(Instant::ZERO - Duration::MAX, Instant::ZERO);
}

#[test]
fn an_instant_reads_as_seconds() {
    assert_eq!(Instant::from_micros(12_000_345).to_string(), "12.000345s");
}

#[test]
fn the_system_clock_is_past_the_year_2020() {
    assert!(WallTime::from_system_clock() > WallTime::from_micros(1_577_836_800_000_000));
}
