//! The clock stands still until it is turned, and wakes whom it should.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures::future::FutureExt;
use parking_lot::Mutex;
use transport_mocks::ManualTimer;
use transport_traits::{Instant, Timer};

const SECOND: Duration = Duration::from_secs(1);

/// A task that notes its name when it is woken.
struct Sleeper {
    name: &'static str,
    woken: Arc<Mutex<Vec<&'static str>>>,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.woken.lock().push(self.name);
    }
}

fn sleeper(name: &'static str, woken: &Arc<Mutex<Vec<&'static str>>>) -> Waker {
    Arc::new(Sleeper { name, woken: woken.clone() }).into()
}

#[test]
fn the_clock_stands_still_until_it_is_turned() {
    let timer = ManualTimer::new();
    let wall = timer.wall_clock();
    assert_eq!((timer.now(), timer.wall_clock()), (Instant::ZERO, wall));
    timer.clone().advance(SECOND);
    assert_eq!((timer.now(), timer.wall_clock()), (Instant::ZERO + SECOND, wall + SECOND));
}

#[test]
fn a_sleep_ends_at_its_deadline_and_not_a_microsecond_earlier() {
    let timer = ManualTimer::new();
    let mut sleep = timer.sleep_until(Instant::ZERO + SECOND);
    timer.advance(SECOND - Duration::from_micros(1));
    assert!((&mut sleep).now_or_never().is_none());
    timer.advance(Duration::from_micros(1));
    assert!(sleep.now_or_never().is_some());
    assert!(timer.sleep_until(Instant::ZERO).now_or_never().is_some());
}

#[test]
fn sleepers_are_woken_by_deadline_and_those_that_are_early_not_at_all() {
    let timer = ManualTimer::new();
    let woken = Arc::default();
    let mut sleeps: Vec<_> = [("late", 3), ("second", 2), ("first", 1), ("again second", 2)]
        .map(|(name, at)| (sleeper(name, &woken), timer.sleep_until(Instant::ZERO + at * SECOND)))
        .into();
    for (waker, sleep) in &mut sleeps {
        assert!(sleep.poll_unpin(&mut Context::from_waker(waker)).is_pending());
    }
    timer.advance(2 * SECOND);
    assert_eq!(*woken.lock(), ["first", "second", "again second"]);
}

#[test]
fn a_sleep_wakes_the_task_that_polled_it_last_once() {
    let timer = ManualTimer::new();
    let woken = Arc::default();
    let mut sleep = timer.sleep_until(Instant::ZERO + SECOND);
    for name in ["former", "former", "latter"] {
        assert!(sleep.poll_unpin(&mut Context::from_waker(&sleeper(name, &woken))).is_pending());
    }
    timer.advance(SECOND);
    assert_eq!(*woken.lock(), ["latter"]);
}

#[test]
fn a_dropped_sleep_wakes_nobody() {
    let timer = ManualTimer::new();
    let woken = Arc::default();
    let mut sleep = timer.sleep_until(Instant::ZERO + SECOND);
    assert!(sleep.poll_unpin(&mut Context::from_waker(&sleeper("dropped", &woken))).is_pending());
    drop(sleep);
    timer.advance(SECOND);
    assert!(woken.lock().is_empty());
}
