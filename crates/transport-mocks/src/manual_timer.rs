//! A clock that a test turns by hand.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use transport_traits::{Instant, Timer, WallTime};

/// A [`Timer`] that stands still until [`advance`](Self::advance) is called. Clones share the clock. Its
/// wall clock starts at 2026-01-01 00:00 UTC and moves along.
#[derive(Clone, Default)]
pub struct ManualTimer {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    now: Instant,
    /// Sleeps begun so far.
    sleeps: u64,
    /// Those that wait, by deadline and then in the order in which they were begun.
    sleepers: BTreeMap<(Instant, u64), Waker>,
}

/// 2026-01-01 00:00 UTC.
const WALL_CLOCK_AT_ZERO: WallTime = WallTime::from_micros(1_767_225_600_000_000);

impl ManualTimer {
    /// A clock at [`Instant::ZERO`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock and wakes whoever waited for that, earliest deadline first.
    pub fn advance(&self, by: Duration) {
        let woken = {
            let mut state = self.state.lock();
            state.now += by;
            let later = (state.now + Duration::from_micros(1), 0);
            let still_waiting = state.sleepers.split_off(&later);
            std::mem::replace(&mut state.sleepers, still_waiting)
        };
        woken.into_values().for_each(Waker::wake);
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
        let mut state = self.state.lock();
        state.sleeps += 1;
        Box::pin(Sleep { timer: self, place: (deadline, state.sleeps) })
    }
}

/// One call of `sleep_until`. Polled again it replaces its waker, dropped it leaves nothing behind.
struct Sleep<'a> {
    timer: &'a ManualTimer,
    /// Its deadline, and its key among the sleepers once it was polled.
    place: (Instant, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.timer.state.lock();
        if state.now >= self.place.0 {
            return Poll::Ready(());
        }
        let before = state.sleepers.insert(self.place, cx.waker().clone());
        drop(state);
        // The last waker of a task may drop the task, and with it another sleep: not under the lock.
        drop(before);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        let waker = self.timer.state.lock().sleepers.remove(&self.place);
        drop(waker);
    }
}
