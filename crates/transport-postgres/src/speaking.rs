//! The connection that a bus publishes on: all publishes share it and none waits for another's answer. It is made anew
//! after it broke.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_postgres::{Client, Statement};
use transport_traits::Error;

use crate::fault::{Does, Fault, failed, silent, unconnected};
use crate::listening::unavailable;
use crate::schema::check_encoding;
use crate::target::{Target, patience};
use crate::{Options, state};

/// A connection, or one that somebody is making.
type Slot = Arc<OnceCell<Mouth>>;

struct Mouth {
    client: Client,
    notify: Statement,
}

pub(crate) struct Speaking {
    target: Target,
    /// For a connection, and for an answer.
    patience: [Duration; 2],
    slot: Mutex<Slot>,
}

impl Speaking {
    /// Connects.
    pub(crate) async fn start(target: Target, options: &Options) -> Result<Self, Error> {
        let patience = [options.timeout, patience(options)];
        let speaking = Self { target, patience, slot: Mutex::default() };
        speaking.slot().get_or_try_init(|| speaking.open()).await?;
        Ok(speaking)
    }

    /// Notifies a channel. What is sent first arrives first: the server answers one statement after the other, each a
    /// transaction of its own, but takes the next before it was asked for the answer to the last.
    pub(crate) async fn notify(&self, channel: &str, payload: &str) -> Result<(), Error> {
        let slot = self.slot();
        let mouth = slot.get_or_try_init(|| self.open()).await?;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&channel, &payload];
        let answer = timeout(self.patience[1], mouth.client.execute(&mouth.notify, &values)).await;
        let what = "publishing";
        let answer = match answer {
            Ok(answer) => answer.map_err(|error| failed(what, Does::Publish, error)),
            Err(_) => Err(silent(what, Does::Publish)),
        };
        answer.map(drop).map_err(|fault| self.give_up(&slot, fault))
    }

    fn slot(&self) -> Slot {
        let mut slot = self.slot.lock();
        // One that ended while nobody used it has nothing in flight: no call needs to fail over it.
        if slot.get().is_some_and(|mouth| mouth.client.is_closed()) {
            *slot = Slot::default();
        }
        slot.clone()
    }

    fn give_up(&self, broken: &Slot, fault: Fault) -> Error {
        let mut slot = self.slot.lock();
        if fault.breaks && Arc::ptr_eq(&slot, broken) {
            *slot = Slot::default();
        }
        fault.error
    }

    async fn open(&self) -> Result<Mouth, Error> {
        let silence = |_| unavailable("no answer from PostgreSQL");
        timeout(self.patience[0], self.connect()).await.map_err(silence)?
    }

    async fn connect(&self) -> Result<Mouth, Error> {
        let connected = self.target.config.connect(self.target.tls.clone()).await;
        let (client, connection) = connected.map_err(unconnected)?;
        // It ends with the client.
        tokio::spawn(connection);
        let ask = async {
            let rows = client.query("SELECT current_setting('server_encoding')", &[]).await?;
            Ok((rows, client.prepare("SELECT pg_notify($1, $2)").await?))
        };
        let (rows, notify) = ask.await.map_err(|error| failed("connecting", Does::Read, error).error)?;
        check_encoding(&rows.first().map_or(Ok(String::new()), |row| state::column(row, 0))?)?;
        Ok(Mouth { client, notify })
    }
}
