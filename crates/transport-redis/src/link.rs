//! One connection that all calls share, made anew after it broke.

use std::sync::Arc;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use tokio::sync::OnceCell;
use transport_traits::Error;

use crate::Options;
use crate::fault::{Does, failed, unconnected};

/// A connection, or one that somebody is making.
type Slot = Arc<OnceCell<MultiplexedConnection>>;

pub(crate) struct Link {
    client: Client,
    config: AsyncConnectionConfig,
    slot: Mutex<Slot>,
}

impl Link {
    pub(crate) fn new(client: Client, options: &Options) -> Self {
        let timeout = Some(options.timeout);
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(timeout).set_response_timeout(timeout);
        Self { client, config, slot: Mutex::default() }
    }

    /// Runs `command` on the connection. One that did not answer is given up: the next call makes another.
    pub(crate) async fn call<T, F>(
        &self,
        what: &str,
        does: Does,
        command: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let slot = self.slot.lock().clone();
        let connect = || self.client.get_multiplexed_async_connection_with_config(&self.config);
        let connection = slot.get_or_try_init(connect).await.map_err(unconnected)?;
        let result = command(connection.clone()).await;
        if result.as_ref().is_err_and(|error| error.code().is_none()) {
            self.give_up(&slot);
        }
        result.map_err(|error| failed(what, does, error))
    }

    fn give_up(&self, broken: &Slot) {
        let mut slot = self.slot.lock();
        if Arc::ptr_eq(&slot, broken) {
            *slot = Slot::default();
        }
    }
}
