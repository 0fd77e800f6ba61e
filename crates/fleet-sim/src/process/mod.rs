//! A server process of async code: a node that runs tasks, and the ports that they use.

mod bus;
mod calls;
mod desk;
mod ports;
mod store;
mod tasks;
mod timer;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use transport_traits::Instant;

use crate::{Action, Event, HostId, Node, Now, Sim};
pub use bus::SimBus;
use desk::Desk;
pub use ports::Ports;
pub use store::SimStore;
use tasks::Tasks;
pub use timer::SimTimer;

/// A task of a process.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How often [`Sim::block_on`] looks whether its future is ready.
const STEP: Duration = Duration::from_millis(1);

/// A server process of async code: tasks over ports, on one thread. Where several tasks can go on, chance says which does,
/// out of the process's seed. The process exits when its main task ends.
#[derive(Debug)]
pub struct Process {
    desk: Arc<Mutex<Desk>>,
    ports: Ports,
    tasks: Tasks,
    exited: bool,
}

impl Sim<Process> {
    /// Adds a host and starts a process of async code there. `main` makes its main task out of its ports.
    pub fn launch_app<F>(&mut self, main: impl FnOnce(Ports) -> F) -> HostId
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let host = self.add_host();
        self.start_app(host, main);
        host
    }

    /// Starts a process of async code on a host. What ran there before crashes first.
    pub fn start_app<F>(&mut self, host: HostId, main: impl FnOnce(Ports) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let seed = self.rng.u64(..);
        let desk = Arc::new(Mutex::new(Desk::new(self.now_on(host))));
        let limits = (self.bus.limits.clone(), self.store.limits.clone());
        let ports = Ports::new(desk.clone(), host, seed, limits, self.bus.echo);
        let mut tasks = Tasks::new(seed ^ 1);
        tasks.spawn(Box::pin(main(ports.clone())));
        self.start(host, |_| Process { desk, ports, tasks, exited: false });
    }

    /// Runs a future as a further task of a host's process, lets time pass until it is ready, and gives back what it came
    /// to. `None` if that takes longer than `most`, or no process runs there.
    pub fn block_on<T, F>(&mut self, host: HostId, most: Duration, of: impl FnOnce(Ports) -> F) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let result = Arc::new(Mutex::new(None));
        let slot = result.clone();
        let future = of(self.node(host)?.ports.clone());
        let task = async move {
            let ready = future.await;
            *lock(&slot) = Some(ready);
        };
        self.act(host, |process, _| process.tasks.spawn(Box::pin(task)))?;
        self.run_until(most, STEP, |_| lock(&result).is_some())?;
        lock(&result).take()
    }
}

impl Node for Process {
    fn handle(&mut self, now: Now, event: Event) {
        let wakers = {
            let mut desk = lock(&self.desk);
            desk.now = now;
            match event {
                Event::Delivered(topic, delivery) => desk.deliver(&topic, &delivery),
                Event::Published(id, _)
                | Event::Got(id, _)
                | Event::Put(id, _)
                | Event::Deleted(id, _)
                | Event::Listed(id, _) => desk.answer(id, event).into_iter().collect(),
            }
        };
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    fn poll(&mut self, now: Now) -> Option<Action> {
        if self.exited {
            return None;
        }
        let due = {
            let mut desk = lock(&self.desk);
            desk.now = now;
            desk.take_due()
        };
        due.into_iter().for_each(std::task::Waker::wake);
        loop {
            let (action, spawned) = {
                let mut desk = lock(&self.desk);
                (desk.actions.pop_front(), std::mem::take(&mut desk.spawned))
            };
            spawned.into_iter().for_each(|task| self.tasks.spawn(task));
            if action.is_some() {
                return action;
            }
            if self.tasks.is_main_over() {
                self.exited = true;
                return Some(Action::Exit);
            }
            if !self.tasks.run_one() {
                return None;
            }
        }
    }

    fn next_wakeup(&mut self, _: Now) -> Option<Instant> {
        lock(&self.desk).next_alarm()
    }
}

/// A lock that a panic elsewhere does not poison: the panic ends the run anyway.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
