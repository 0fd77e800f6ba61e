//! A way from a sender to a receiver, each on a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::ledger::{Faults, Ledger, body};

/// What has not come by then will not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What comes to a receiver, in its order.
pub type Heard = BoxStream<'static, Bytes>;

/// The sending end of a way.
pub trait Sender: Send + Sync + 'static {
    /// Sends the bodies in their order. It is ready when all are given to the client, sent or not.
    fn send(&self, bodies: Box<dyn Iterator<Item = Bytes> + Send>) -> BoxFuture<'_, ()>;
}

/// The two ends: a thread each, with a runtime that goes on while nobody waits for it, as a server's does.
pub struct Sides {
    pub(crate) here: Runtime,
    pub(crate) there: Runtime,
}

impl Sides {
    /// New threads.
    ///
    /// # Panics
    /// If the system gives it none.
    #[must_use]
    pub fn new() -> Self {
        let runtime = || Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let [here, there] = [runtime(), runtime()].map(|made| made.expect("two threads are not too many"));
        Self { here, there }
    }

    /// Does something on the sender's thread.
    pub(crate) fn here<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        on(&self.here, work)
    }

    /// Does something on the receiver's thread.
    pub(crate) fn there<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        on(&self.there, work)
    }
}

impl Default for Sides {
    fn default() -> Self {
        Self::new()
    }
}

fn on<T: Send + 'static>(runtime: &Runtime, work: impl Future<Output = T> + Send + 'static) -> T {
    runtime.block_on(runtime.spawn(work)).expect("the work does not panic")
}

/// A way from a sender to a receiver.
pub struct Way {
    sides: Arc<Sides>,
    sender: Arc<dyn Sender>,
    heard: Option<Heard>,
    next: u64,
}

impl Way {
    /// A way whose receiver listens already.
    #[must_use]
    pub fn new(sides: &Arc<Sides>, sender: impl Sender, heard: Heard) -> Self {
        Self { sides: sides.clone(), sender: Arc::new(sender), heard: Some(heard), next: 0 }
    }

    /// Sends so many bodies, and is back when the receiver has entered all of them, or after a minute.
    ///
    /// # Panics
    /// If sender or receiver does.
    pub fn deliver(&mut self, count: usize) -> Faults {
        let numbers = self.next..self.next + count as u64;
        self.next = numbers.end;
        let ledger = Ledger::new(numbers.start, count);
        let heard = self.take_heard();
        let received = self.sides.there.spawn(receive(heard, ledger));
        let sender = self.sender.clone();
        self.sides.here(async move { sender.send(Box::new(numbers.map(body))).await });
        let (heard, ledger) = self.sides.there.block_on(received).expect("a receiver does not panic");
        self.heard = Some(heard);
        ledger.faults()
    }

    pub(crate) fn sides(&self) -> &Arc<Sides> {
        &self.sides
    }

    pub(crate) fn sender(&self) -> &Arc<dyn Sender> {
        &self.sender
    }

    /// What comes, to be given back.
    pub(crate) fn take_heard(&mut self) -> Heard {
        self.heard.take().expect("it is given back after each use")
    }

    pub(crate) fn give_back(&mut self, heard: Heard) {
        self.heard = Some(heard);
    }
}

async fn receive(mut heard: Heard, mut ledger: Ledger) -> (Heard, Ledger) {
    let all = async {
        while !ledger.is_full()
            && let Some(body) = heard.next().await
        {
            ledger.enter(&body);
        }
    };
    let _out_of_patience = timeout(PATIENCE, all).await;
    (heard, ledger)
}
