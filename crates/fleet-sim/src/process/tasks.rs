//! The tasks of a process, and which of them goes on next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::{Task, lock};

/// The first task, with which the process ends.
const MAIN: u64 = 0;

pub(super) struct Tasks {
    tasks: BTreeMap<u64, Task>,
    ready: Arc<Mutex<BTreeSet<u64>>>,
    spawned: u64,
    rng: fastrand::Rng,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("tasks", &self.tasks.len()).finish_non_exhaustive()
    }
}

struct TaskWaker {
    id: u64,
    ready: Arc<Mutex<BTreeSet<u64>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        lock(&self.ready).insert(self.id);
    }
}

impl Tasks {
    pub(super) fn new(seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        Self { tasks: BTreeMap::new(), ready: Arc::default(), spawned: MAIN, rng }
    }

    /// The first that is spawned is the main task.
    pub(super) fn spawn(&mut self, task: Task) {
        self.tasks.insert(self.spawned, task);
        lock(&self.ready).insert(self.spawned);
        self.spawned += 1;
    }

    pub(super) fn is_main_over(&self) -> bool {
        !self.tasks.contains_key(&MAIN)
    }

    /// Lets one of the tasks that can go on do so. False if none can.
    pub(super) fn run_one(&mut self) -> bool {
        let Some(id) = self.pick() else { return false };
        let Some(task) = self.tasks.get_mut(&id) else { return true };
        let waker = Waker::from(Arc::new(TaskWaker { id, ready: self.ready.clone() }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(()) {
            self.tasks.remove(&id);
        }
        true
    }

    fn pick(&mut self) -> Option<u64> {
        let mut ready = lock(&self.ready);
        let place = (!ready.is_empty()).then(|| self.rng.usize(..ready.len()))?;
        let id = *ready.iter().nth(place)?;
        ready.remove(&id);
        Some(id)
    }
}
