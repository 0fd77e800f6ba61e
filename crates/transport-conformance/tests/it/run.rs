//! Running cases that are meant to fail: a panic or an endless wait is an answer.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use transport_conformance::support::Case;

/// Whether the case holds for what `setup` makes. Whatever these tests run on is ready at once, so a case that stalls
/// would wait for ever.
pub(crate) fn holds<T: 'static>(case: &Case<T>, setup: impl FnOnce() -> T + 'static) -> bool {
    let ended = Rc::new(Cell::new(false));
    let mut pool = LocalPool::new();
    let (run, end) = (case.run, Rc::clone(&ended));
    let work = async move {
        run(&setup()).await;
        end.set(true);
    };
    pool.spawner().spawn_local(work).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| pool.run_until_stalled())).is_err();
    !panicked && ended.get()
}

/// The names of the cases that fail.
pub(crate) fn failures<T: 'static>(
    cases: &[Case<T>],
    setup: impl Fn() -> T + Copy + 'static,
) -> Vec<&'static str> {
    cases.iter().filter(|case| !holds(case, setup)).map(|case| case.name).collect()
}
