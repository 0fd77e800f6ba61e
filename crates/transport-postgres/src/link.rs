//! A few connections that all calls share, each made anew after it broke.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use transport_traits::Error;

use crate::Options;
use crate::fault::{Does, Fault, failed, silent, unpooled};
use crate::target::{Target, patience};

pub(crate) struct Link {
    pool: Pool,
    patience: Duration,
}

impl Link {
    pub(crate) fn new(target: Target, connections: usize, options: &Options) -> Self {
        // What a connection is good for shows when it is used.
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(target.config, target.tls, config);
        let wait = Some(options.timeout);
        let timeouts = Timeouts { wait, create: wait, recycle: wait };
        let pool = Pool::builder(manager).max_size(connections).runtime(Runtime::Tokio1).timeouts(timeouts);
        let pool = pool.build().expect("timeouts have their runtime");
        Self { pool, patience: patience(options) }
    }

    /// A connection for what needs more than one statement.
    pub(crate) async fn connection(&self) -> Result<Object, Error> {
        self.pool.get().await.map_err(unpooled)
    }

    /// Runs one statement, which is a transaction. A connection that did not answer is given up.
    pub(crate) async fn call(
        &self,
        what: &str,
        does: Does,
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let connection = self.connection().await?;
        let answer = self.run(&connection, what, does, statement, values).await;
        answer.map_err(|fault| {
            if fault.breaks {
                drop(Object::take(connection));
            }
            fault.error
        })
    }

    async fn run(
        &self,
        connection: &Object,
        what: &str,
        does: Does,
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Fault> {
        // Once a connection; nothing is done by it.
        let prepared = timeout(self.patience, connection.prepare_cached(statement)).await;
        let prepared = prepared.map_err(|_| silent(what, Does::Read))?;
        let prepared = prepared.map_err(|error| failed(what, Does::Read, error))?;
        let answer = timeout(self.patience, connection.query(&prepared, values)).await;
        answer.map_err(|_| silent(what, does))?.map_err(|error| failed(what, does, error))
    }
}
