//! What handles and driver share: the machine behind a lock, and what comes out of it on its way.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use futures::channel::oneshot;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use transport_traits::{Instant, RecordKey, Timer};

use crate::engine::Engine;
use crate::machine::{Input, Outcome, Output, RecordId, Ticket, UpdateRun};
use crate::updates::{Listeners, Updates};
use crate::waiting::Waiting;
use crate::{Fields, OpenError, View};

#[cfg(test)]
mod tests;

/// The function of an update, with its result put aside.
pub(crate) type Runner = Box<dyn FnMut(Fields) -> UpdateRun + Send>;

/// Everything that handles and driver have in common.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Wakes the driver.
    pub(crate) waker: AtomicWaker,
    pub(crate) timer: Arc<dyn Timer>,
    /// Stores and records that users hold.
    handles: AtomicUsize,
    update_buffer: usize,
}

struct State {
    machine: Engine,
    /// Outputs that only the driver can act upon.
    work: VecDeque<Output>,
    replies: HashMap<Ticket, oneshot::Sender<Outcome>>,
    runners: HashMap<Ticket, Runner>,
    listeners: HashMap<RecordId, Listeners>,
    driver_gone: bool,
    /// A call into the machine is under way, or one panicked: then its state means nothing any more.
    broken: bool,
    #[cfg(test)]
    fails_to_drain: bool,
}

/// What runs foreign code, and so must wait until the lock is released: waking, answering, and dropping
/// functions of users, which may own handles of this very store.
#[derive(Default)]
struct Later {
    wakers: Vec<Waker>,
    answers: Vec<(oneshot::Sender<Outcome>, Outcome)>,
    done: Vec<Runner>,
}

impl Shared {
    pub(crate) fn new(machine: Engine, timer: Arc<dyn Timer>, update_buffer: usize) -> Self {
        let state = State {
            machine,
            work: VecDeque::new(),
            replies: HashMap::new(),
            runners: HashMap::new(),
            listeners: HashMap::new(),
            driver_gone: false,
            broken: false,
            #[cfg(test)]
            fails_to_drain: false,
        };
        Self {
            state: Mutex::new(state),
            waker: AtomicWaker::new(),
            timer,
            handles: AtomicUsize::new(0),
            update_buffer,
        }
    }

    /// Runs `f` on the machine and acts upon what comes out of it.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Engine, Instant) -> T) -> T {
        self.with_state(|state, now| f(&mut state.machine, now))
    }

    fn with_state<T>(&self, f: impl FnOnce(&mut State, Instant) -> T) -> T {
        let now = self.timer.now();
        let mut wake = WakeAtTheEnd(Some(&self.waker));
        // Declared before the lock, so that a panic below drops it after the lock is released: its drop may need it.
        let result;
        let mut state = self.state.lock();
        assert!(!state.broken, "the save data of this process failed: see its first panic");
        state.broken = true;
        result = f(&mut state, now);
        if !state.machine.needs_poll() {
            // So it is after most writes. What time alone has made due is the driver's business.
            state.broken = false;
            wake.0 = None;
            return result;
        }
        let mut later = Later::default();
        state.drain(now, &mut later);
        state.broken = false;
        drop(state);
        later.give_out();
        result
    }

    /// As [`with`](Self::with), for destructors: they also run while a panic unwinds, and a second one that
    /// left a destructor would abort the process.
    pub(crate) fn with_at_drop(&self, f: impl FnOnce(&mut Engine, Instant)) {
        if !std::thread::panicking() {
            if !self.is_broken() {
                self.with(f);
            }
            return;
        }
        let _ = catch_unwind(AssertUnwindSafe(|| {
            if !self.is_broken() {
                self.with(f);
            }
        }));
    }

    /// Whether a call into the machine panicked. Nothing can be made of its state, so nothing more is done
    /// with it: what is not durable is lost, as if the process had died.
    pub(crate) fn is_broken(&self) -> bool {
        self.state.lock().broken
    }

    /// Makes a call that is answered later.
    pub(crate) fn call(&self, f: impl FnOnce(&mut Engine, Instant) -> Ticket) -> oneshot::Receiver<Outcome> {
        self.with_state(|state, now| {
            let ticket = f(&mut state.machine, now);
            state.expect(ticket)
        })
    }

    /// Makes a call that is answered later and that comes with the function of an update.
    pub(crate) fn call_update(
        &self,
        runner: Runner,
        f: impl FnOnce(&mut Engine, Instant) -> Result<Ticket, OpenError>,
    ) -> Result<Waiting<'_>, OpenError> {
        let mut runner = Some(runner); // Dropped without the lock if the call fails: see [`Later`].
        self.with_state(|state, now| {
            let ticket = f(&mut state.machine, now)?;
            state.runners.extend(runner.take().map(|runner| (ticket, runner)));
            Ok(Waiting::new(self, ticket, Input::CancelUpdate(ticket), state.expect(ticket)))
        })
    }

    /// Opens a record. The answer says that the first attempt to load it is over.
    pub(crate) fn open(
        &self,
        key: RecordKey,
    ) -> Result<(RecordId, Arc<View>, oneshot::Receiver<Outcome>), OpenError> {
        self.with_state(|state, now| {
            let (id, view, ticket) = state.machine.open(now, key)?;
            state.machine.tell_changes(id, state.listeners.contains_key(&id));
            Ok((id, view, state.expect(ticket)))
        })
    }

    /// Asks for a record to be flushed.
    pub(crate) fn flush(&self, id: RecordId) -> Waiting<'_> {
        self.with_state(|state, now| {
            let ticket = state.machine.flush(now, id);
            Waiting::new(self, ticket, Input::CancelFlush(id, ticket), state.expect(ticket))
        })
    }

    /// The same for every record that has something to save.
    pub(crate) fn flush_all(&self) -> Vec<(RecordKey, Waiting<'_>)> {
        self.with_state(|state, now| {
            let flushes = state.machine.flush_all(now);
            let wait = |(id, key, ticket)| {
                let cancel = Input::CancelFlush(id, ticket);
                (key, Waiting::new(self, ticket, cancel, state.expect(ticket)))
            };
            flushes.into_iter().map(wait).collect()
        })
    }

    /// Nobody waits for a call any more; `input` tells the machine.
    pub(crate) fn forget(&self, ticket: Ticket, input: Input) {
        let _unused = {
            let mut state = self.state.lock();
            (state.replies.remove(&ticket), state.runners.remove(&ticket))
        };
        self.with_at_drop(|machine, now| machine.handle(now, input));
    }

    /// What the driver is to do next.
    pub(crate) fn next_work(&self) -> Option<Output> {
        self.state.lock().work.pop_front()
    }

    /// Takes an update's function out to run it without a lock.
    pub(crate) fn take_runner(&self, ticket: Ticket) -> Option<Runner> {
        self.state.lock().runners.remove(&ticket)
    }

    /// The function has run; it may have to run again.
    pub(crate) fn update_ran(&self, ticket: Ticket, runner: Option<Runner>, run: UpdateRun) {
        let _unused = self.with_state(|state, now| {
            let mut runner = runner;
            if state.replies.contains_key(&ticket) {
                state.runners.extend(runner.take().map(|runner| (ticket, runner)));
            }
            state.machine.handle(now, Input::UpdateRan(ticket, run));
            runner
        });
    }

    pub(crate) fn next_wakeup(&self) -> Option<Instant> {
        let now = self.timer.now();
        self.state.lock().machine.next_wakeup(now)
    }

    pub(crate) fn is_closed(&self) -> bool {
        let state = self.state.lock();
        state.machine.is_closed() && state.work.is_empty()
    }

    pub(crate) fn stats(&self) -> crate::Stats {
        self.state.lock().machine.stats()
    }

    pub(crate) fn listen(&self, id: RecordId, field: Option<Arc<str>>) -> Updates {
        let mut state = self.state.lock();
        if state.machine.is_closed() || state.driver_gone {
            let mut closed = Listeners::default();
            let updates = closed.add(field, self.update_buffer);
            closed.close(&mut Vec::new());
            return updates;
        }
        state.machine.tell_changes(id, true);
        state.listeners.entry(id).or_default().add(field, self.update_buffer)
    }

    /// The driver ends: nothing is answered any more.
    pub(crate) fn driver_gone(&self) {
        self.state.lock().driver_gone = true;
        self.with_at_drop(|machine, now| machine.abort(now));
        let mut wakers = Vec::new();
        let unused = {
            let mut state = self.state.lock();
            // After an abort only a broken machine leaves anybody waiting.
            state.listeners.drain().for_each(|(_, listeners)| listeners.close(&mut wakers));
            let (work, runners) = (std::mem::take(&mut state.work), std::mem::take(&mut state.runners));
            (work, runners, std::mem::take(&mut state.replies))
        };
        drop(unused); // Without the lock: see [`Later`].
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// The last handle's end begins the final flush.
    pub(crate) fn drop_handle(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.with_at_drop(|machine, now| {
                machine.shut_down(now); // Nobody is left to wait for the report.
            });
        }
    }
}

/// Wakes the driver, also when the call that it is for panics.
struct WakeAtTheEnd<'a>(Option<&'a AtomicWaker>);

impl Drop for WakeAtTheEnd<'_> {
    fn drop(&mut self) {
        if let Some(waker) = self.0 {
            waker.wake();
        }
    }
}

impl State {
    /// Somebody waits for this answer. It is among the outputs at the earliest, which are not drained yet.
    fn expect(&mut self, ticket: Ticket) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        self.replies.insert(ticket, sender);
        receiver
    }

    fn drain(&mut self, now: Instant, later: &mut Later) {
        #[cfg(test)]
        assert!(!self.fails_to_drain, "on purpose");
        while let Some(output) = self.machine.poll(now) {
            match output {
                Output::Changed(id, changes) => {
                    let Some(listeners) = self.listeners.get_mut(&id) else { continue };
                    if !listeners.tell(&changes, &mut later.wakers) {
                        self.listeners.remove(&id);
                        self.machine.tell_changes(id, false);
                    }
                }
                Output::Done(ticket, outcome) => {
                    later.done.extend(self.runners.remove(&ticket));
                    later.answers.extend(self.replies.remove(&ticket).map(|reply| (reply, outcome)));
                }
                Output::Closed(id) => {
                    if let Some(listeners) = self.listeners.remove(&id) {
                        listeners.close(&mut later.wakers);
                    }
                    self.work.push_back(Output::Closed(id));
                }
                work => self.work.push_back(work),
            }
        }
    }
}

impl Later {
    fn give_out(self) {
        for (reply, outcome) in self.answers {
            let _ = reply.send(outcome); // Nobody may be waiting any more.
        }
        self.wakers.into_iter().for_each(Waker::wake);
    }
}
