//! The connection that all calls share, made anew after it broke.

use std::ops::Deref;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use transport_traits::Error;

use crate::connection::Connection;
use crate::fault::Fault;

/// A connection, or one that somebody is making.
type Slot = Arc<OnceCell<Connection>>;

pub(crate) struct Link {
    slot: Mutex<Slot>,
}

/// A connection in use.
pub(crate) struct Held(Slot);

impl Deref for Held {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0.get().expect("it is held once it is made")
    }
}

impl Link {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { slot: Mutex::new(Arc::new(OnceCell::new_with(Some(connection)))) }
    }

    /// The connection that there is, or what `open` makes. All who wait share one attempt at a time.
    pub(crate) async fn hold(
        &self,
        open: impl Future<Output = Result<Connection, Error>>,
    ) -> Result<Held, Error> {
        let slot = {
            let mut slot = self.slot.lock();
            // One that ended while nobody used it has nothing in flight: no call needs to fail over it.
            if slot.get().is_some_and(Connection::is_over) {
                *slot = Slot::default();
            }
            slot.clone()
        };
        slot.get_or_try_init(|| open).await?;
        Ok(Held(slot))
    }

    /// Ends the use of it. If it is broken the next call makes another.
    pub(crate) fn release<T>(&self, held: Held, result: Result<T, Fault>) -> Result<T, Error> {
        result.map_err(|fault| {
            let mut slot = self.slot.lock();
            if fault.breaks && Arc::ptr_eq(&slot, &held.0) {
                *slot = Slot::default();
            }
            fault.error
        })
    }
}
