//! The token bucket: never over its share in any window, and exact about its next token.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use transport_traits::{Instant, TokenBucket};

const MINUTE: Duration = Duration::from_secs(60);

/// The most of `times` that lie within any `window`, both its ends included. The times are in order.
fn most_in_a_window(times: &[Instant], window: Duration) -> usize {
    let within = |from: &Instant| times.iter().filter(|&at| at >= from && at.since(*from) <= window).count();
    times.iter().map(within).max().unwrap_or(0)
}

/// The times at which a caller that always wants a token gets one.
fn greedy_takes(bucket: &mut TokenBucket, start: Instant, count: usize) -> Vec<Instant> {
    let mut now = start;
    let mut takes = Vec::new();
    while takes.len() < count
        && let Some(next) = bucket.next_token(now)
    {
        now = next;
        assert!(bucket.take(now), "there is a token when next_token says so");
        takes.push(now);
    }
    takes
}

proptest! {
    #[test]
    fn no_window_ever_exceeds_the_share(
        share in 0_u32..100,
        window in 1_u64..5_000,
        waits in vec(0_u64..500, 0..300),
    ) {
        let window = Duration::from_micros(window);
        let mut now = Instant::from_millis(7);
        let mut bucket = TokenBucket::for_share(share, window, now);
        let mut taken = Vec::new();
        for wait in waits {
            now += Duration::from_micros(wait);
            taken.extend(std::iter::repeat_with(|| bucket.take(now)).take_while(|&took| took).map(|_| now));
        }
        prop_assert!(most_in_a_window(&taken, window) <= share as usize);
    }

    #[test]
    fn a_caller_that_takes_every_token_at_once_keeps_to_the_share(share in 1_u32..100, window in 1_u64..100_000) {
        let window = Duration::from_micros(window);
        let mut bucket = TokenBucket::for_share(share, window, Instant::ZERO);
        let takes = greedy_takes(&mut bucket, Instant::ZERO, 3 * share as usize);
        prop_assert_eq!(takes.len(), 3 * share as usize);
        prop_assert!(most_in_a_window(&takes, window) <= share as usize);
    }

    #[test]
    fn the_next_token_comes_exactly_when_it_is_foretold(
        capacity in 1_u32..50,
        refill in 1_u32..1_000,
        window in 1_u64..1_000_000,
        waits in vec(0_u64..10_000, 0..50),
    ) {
        let mut now = Instant::ZERO;
        let mut bucket = TokenBucket::new(capacity, refill, Duration::from_micros(window), now);
        for wait in waits {
            now += Duration::from_micros(wait);
            while bucket.take(now) {}
            let next = bucket.next_token(now).expect("a bucket that is refilled has a next token");
            prop_assert!(next > now);
            prop_assert!(!bucket.clone().take(next - Duration::from_micros(1)));
            prop_assert!(bucket.clone().take(next));
        }
    }

    #[test]
    fn available_is_what_can_be_taken(capacity in 0_u32..50, refill in 0_u32..100, waits in vec(0_u64..100_000, 0..20)) {
        let mut now = Instant::ZERO;
        let mut bucket = TokenBucket::new(capacity, refill, Duration::from_millis(100), now);
        for wait in waits {
            now += Duration::from_micros(wait);
            let mut copy = bucket.clone();
            let takes = std::iter::repeat_with(|| copy.take(now)).take_while(|&took| took).count();
            prop_assert_eq!(bucket.available(now) as usize, takes);
            bucket.take(now);
        }
    }
}

#[test]
fn a_share_of_80_a_minute_is_10_at_once_and_70_a_minute() {
    let mut bucket = TokenBucket::for_share(80, MINUTE, Instant::ZERO);
    assert_eq!(bucket.available(Instant::ZERO), 10);
    while bucket.take(Instant::ZERO) {}
    let a_seventieth = Duration::from_micros(60_000_000_u64.div_ceil(70));
    assert_eq!(bucket.next_token(Instant::ZERO), Some(Instant::ZERO + a_seventieth));
}

#[test]
fn a_share_of_80_is_used_up_in_its_first_minute() {
    let mut bucket = TokenBucket::for_share(80, MINUTE, Instant::ZERO);
    let takes = greedy_takes(&mut bucket, Instant::ZERO, 200);
    assert_eq!(takes.iter().filter(|at| at.since(Instant::ZERO) <= MINUTE).count(), 80);
}

#[test]
fn a_share_of_one_comes_again_in_every_window() {
    let mut bucket = TokenBucket::for_share(1, MINUTE, Instant::ZERO);
    let takes = greedy_takes(&mut bucket, Instant::ZERO, 5);
    assert_eq!(takes.len(), 5);
    assert!(takes.windows(2).all(|pair| pair[1].since(pair[0]) == MINUTE + Duration::from_micros(1)));
}

#[test]
fn a_share_of_nothing_gives_nothing_and_foretells_nothing() {
    let mut bucket = TokenBucket::for_share(0, MINUTE, Instant::ZERO);
    let late = Instant::ZERO + MINUTE * 1_000;
    assert!(!bucket.take(late));
    assert_eq!((bucket.available(late), bucket.next_token(late)), (0, None));
    assert!(bucket.fullness(late).abs() < f64::EPSILON);
}

#[test]
fn a_bucket_without_refill_ends() {
    let mut bucket = TokenBucket::new(2, 0, MINUTE, Instant::ZERO);
    assert!(bucket.take(Instant::ZERO) && bucket.take(Instant::ZERO));
    assert_eq!(bucket.next_token(Instant::ZERO), None);
}

#[test]
fn a_bucket_that_rests_for_ever_holds_its_capacity() {
    let mut bucket = TokenBucket::new(3, u32::MAX, Duration::from_micros(1), Instant::ZERO);
    bucket.take(Instant::ZERO);
    assert_eq!(bucket.available(Instant::from_micros(u64::MAX)), 3);
}

#[test]
fn time_that_seems_to_go_back_refills_nothing_and_foretells_no_token_too_early() {
    let minute = Instant::ZERO + MINUTE;
    let mut bucket = TokenBucket::new(1, 1, MINUTE, minute);
    assert!(bucket.take(minute));
    assert!(!bucket.take(Instant::ZERO));
    assert_eq!(bucket.next_token(Instant::ZERO), Some(minute + MINUTE));
}

#[test]
fn fullness_runs_from_one_to_nothing() {
    let mut bucket = TokenBucket::new(4, 1, MINUTE, Instant::ZERO);
    let mut seen = vec![bucket.fullness(Instant::ZERO)];
    while bucket.take(Instant::ZERO) {
        seen.push(bucket.fullness(Instant::ZERO));
    }
    assert_eq!(seen, [1.0, 0.75, 0.5, 0.25, 0.0]);
}

#[test]
#[should_panic(expected = "a window has a length")]
fn a_window_without_length_is_refused() {
    let _ = TokenBucket::new(1, 1, Duration::from_nanos(999), Instant::ZERO);
}
