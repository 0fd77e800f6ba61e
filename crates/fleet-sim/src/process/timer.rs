//! Virtual time as a port.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use transport_traits::{Instant, Timer, WallTime};

use super::desk::Desk;
use super::lock;

/// The clock of a simulated process.
#[derive(Debug)]
pub struct SimTimer {
    desk: Arc<Mutex<Desk>>,
}

impl SimTimer {
    pub(super) const fn new(desk: Arc<Mutex<Desk>>) -> Self {
        Self { desk }
    }
}

impl Timer for SimTimer {
    fn now(&self) -> Instant {
        lock(&self.desk).now.instant
    }

    fn wall_clock(&self) -> WallTime {
        lock(&self.desk).now.wall
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        let id = lock(&self.desk).name();
        Box::pin(Sleep { desk: self.desk.clone(), deadline, id })
    }
}

struct Sleep {
    desk: Arc<Mutex<Desk>>,
    deadline: Instant,
    id: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut desk = lock(&self.desk);
        if desk.now.instant >= self.deadline {
            return Poll::Ready(());
        }
        desk.set_alarm(self.deadline, self.id, context.waker());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        lock(&self.desk).drop_alarm(self.deadline, self.id);
    }
}
