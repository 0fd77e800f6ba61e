//! A clock that a test turns by hand.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use transport_traits::{Instant, Timer, WallTime};

/// A [`Timer`] that stands still until [`advance`](Self::advance) is called. Clones share the clock. Its
/// wall clock starts at a fixed date and moves along.
#[derive(Clone, Default)]
pub struct ManualTimer {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    now: Instant,
    sleepers: Vec<(Instant, Waker)>,
}

/// 2026-01-01 00:00 UTC.
const WALL_CLOCK_AT_ZERO: WallTime = WallTime::from_micros(1_767_225_600_000_000);

impl ManualTimer {
    /// A clock at [`Instant::ZERO`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock and wakes whoever waited for that.
    pub fn advance(&self, by: Duration) {
        let woken: Vec<Waker> = {
            let mut state = self.state.lock();
            state.now += by;
            let now = state.now;
            state.sleepers.extract_if(.., |(deadline, _)| *deadline <= now).map(|(_, waker)| waker).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Timer for ManualTimer {
    fn now(&self) -> Instant {
        self.state.lock().now
    }

    fn wall_clock(&self) -> WallTime {
        WALL_CLOCK_AT_ZERO + self.now().since(Instant::ZERO)
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(std::future::poll_fn(move |cx| {
            let mut state = self.state.lock();
            if state.now >= deadline {
                return Poll::Ready(());
            }
            state.sleepers.push((deadline, cx.waker().clone()));
            Poll::Pending
        }))
    }
}
