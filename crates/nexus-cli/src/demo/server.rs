//! A server of the fleet as the stage and the players see it, in this process or in one of its own.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use super::host::Host;
use super::process::Process;
use super::protocol::{Answer, Ask, Counts, View};
use crate::failure::Failure;

/// A running server, or one that ran.
pub(super) struct Server {
    pub(super) number: usize,
    pub(super) name: String,
    inside: Inside,
    seats: AtomicU64,
    dead: watch::Sender<bool>,
}

/// Where its components are.
pub(super) enum Inside {
    Here(Box<Host>),
    Process(Box<Process>),
}

/// A record that is open on a server, until this is dropped.
pub(super) struct OpenRecord {
    pub(super) server: Arc<Server>,
    seat: u64,
}

impl OpenRecord {
    /// See [`Ask::Flush`]; `None` if the server dies first.
    pub(super) async fn flush(&self) -> Result<Option<Answer>, Failure> {
        self.server.ask(Ask::Flush { seat: self.seat }).await
    }

    /// See [`Ask::Add`]; `None` if the server dies first.
    pub(super) async fn add(&self, index: u32, coins: i64) -> Result<Option<Answer>, Failure> {
        self.server.ask(Ask::Add { seat: self.seat, index, coins }).await
    }

    /// See [`Ask::Spend`]; `None` if the server dies first.
    pub(super) async fn spend(&self, index: u32, price: i64) -> Result<Option<Answer>, Failure> {
        self.server.ask(Ask::Spend { seat: self.seat, index, price }).await
    }
}

impl Drop for OpenRecord {
    fn drop(&mut self) {
        match &self.server.inside {
            Inside::Here(host) => host.let_go(self.seat),
            Inside::Process(process) => process.let_go(self.seat),
        }
    }
}

/// What a server of this number is called.
pub(super) fn name_of(number: usize) -> String {
    format!("server-{number}")
}

impl Server {
    pub(super) fn new(number: usize, inside: Inside) -> Self {
        let dead = watch::Sender::new(false);
        Self { number, name: name_of(number), inside, seats: AtomicU64::new(0), dead }
    }

    pub(super) fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Ends it at once: nothing is flushed, nobody is told. A process of its own is killed with SIGKILL.
    pub(super) fn kill(&self) {
        self.dead.send_replace(true);
        match &self.inside {
            Inside::Here(host) => host.kill(),
            Inside::Process(process) => process.kill(),
        }
    }

    /// Ends when the server has died.
    pub(super) async fn died(&self) {
        let mut dead = self.dead.subscribe();
        // The sender lives in `self`, so waiting ends only when the server has died.
        let _ = dead.wait_for(|dead| *dead).await;
    }

    /// Opens a player's record; `None` if the server dies first.
    pub(super) async fn open(self: &Arc<Self>, player: u32) -> Result<Option<OpenRecord>, Failure> {
        let seat = self.seats.fetch_add(1, Ordering::Relaxed);
        // Before it is open: whoever stops waiting lets go of it, too.
        let record = OpenRecord { server: Arc::clone(self), seat };
        Ok(self.ask(Ask::Open { seat, player }).await?.map(|_| record))
    }

    /// The server's view of who is online; `None` if it dies first.
    pub(super) async fn view(&self) -> Result<Option<View>, Failure> {
        match self.ask(Ask::View).await? {
            Some(Answer::View(view)) => Ok(Some(view)),
            _ => Ok(None),
        }
    }

    /// The server's answer; `None` if it dies first.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Option<Answer>, Failure> {
        let answer = async {
            match &self.inside {
                Inside::Here(host) => Ok(host.answer(ask).await),
                Inside::Process(process) => process.ask(ask).await,
            }
        };
        match self.alive(answer).await {
            None => Ok(None),
            Some(Ok(Answer::Impossible(why))) => Err(Failure::new(why)),
            Some(answer) => answer.map(Some),
        }
    }

    async fn alive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.died() => None,
            outcome = work => Some(outcome),
        }
    }

    /// What it has sent and stored; of a process, what it last told.
    pub(super) fn counts(&self) -> Counts {
        match &self.inside {
            Inside::Here(host) => host.counts(),
            Inside::Process(process) => process.counts(),
        }
    }
}
