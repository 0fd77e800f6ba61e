//! Two threads on one local record.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::FutureExt;

use super::{LocalSaveData, drive};

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_call_that_finds_the_driver_at_work_looks_again_by_itself() {
    let save = LocalSaveData::new();
    save.save.set("n", 1).unwrap();
    let woken = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    let mut flush = Box::pin(drive(&save.driver, save.save.flush()));
    let at_work = save.driver.lock();
    assert!(flush.poll_unpin(&mut cx).is_pending());
    assert_eq!(woken.0.load(Ordering::Relaxed), 1, "whoever has the driver may not have seen the call");
    drop(at_work);
    assert!(matches!(flush.poll_unpin(&mut cx), Poll::Ready(Ok(()))));
}
