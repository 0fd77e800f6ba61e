//! The timer on tokio's clock, which the tests stop and move.

use std::time::Duration;

use futures::FutureExt;
use transport_traits::{Instant, Timer, TokioTimer, WallTime};

#[tokio::test(start_paused = true)]
async fn it_begins_at_its_origin_and_moves_with_tokios_clock() {
    let timer = TokioTimer::new();
    assert_eq!(timer.now(), Instant::ZERO);
    tokio::time::advance(Duration::from_millis(1_500)).await;
    assert_eq!(timer.now(), Instant::from_millis(1_500));
}

#[tokio::test(start_paused = true)]
async fn a_sleep_ends_when_its_deadline_is_reached_and_not_before() {
    let timer: Box<dyn Timer> = Box::new(TokioTimer::new());
    let deadline = Instant::from_millis(100);
    let mut sleep = timer.sleep_until(deadline);
    tokio::time::advance(Duration::from_millis(99)).await;
    assert!((&mut sleep).now_or_never().is_none());
    sleep.await;
    assert_eq!(timer.now(), deadline);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_between_two_ticks_of_tokios_wheel_is_not_undershot() {
    let timer = TokioTimer::new();
    let deadline = Instant::from_micros(5_250);
    timer.sleep_until(deadline).await;
    assert!(timer.now() >= deadline);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_ends_the_sleep_at_once() {
    let timer = TokioTimer::new();
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(timer.sleep_until(Instant::from_millis(999)).now_or_never().is_some());
    assert!(timer.sleep_until(timer.now()).now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_at_the_end_of_time_is_waited_for() {
    let timer = TokioTimer::new();
    assert!(timer.sleep_until(Instant::from_micros(u64::MAX)).now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn clones_share_their_origin() {
    let timer = TokioTimer::default();
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(timer.clone().now(), timer.now());
}

#[tokio::test(start_paused = true)]
async fn the_wall_clock_is_the_systems_and_not_tokios() {
    let year_2020 = WallTime::from_micros(1_577_836_800_000_000);
    assert!(TokioTimer::new().wall_clock() > year_2020);
}
