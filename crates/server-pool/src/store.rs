//! Checkpoints in a data store: the calls that a machine asks for.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use transport_traits::{DataStore, Error, Precondition, Record, RecordKey, Topic};

use crate::machine::{Input, PoolId, StoreCall, StoreJob, shard_count};

/// The name of the store in which checkpoints are kept. A shard's key is the topic of its pool, `#` and its
/// number.
const STORE_NAME: &str = "server-pool";

/// Where the checkpoints of a server's pools are.
#[derive(Clone)]
pub(crate) struct Store(Arc<dyn DataStore>, Topics);

/// The topic of each pool.
type Topics = Arc<dyn Fn(PoolId) -> Topic + Send + Sync>;

impl Store {
    pub(crate) fn new(store: Arc<dyn DataStore>, topics: Topics) -> Self {
        Self(store, topics)
    }

    /// Makes a call, and says what to tell the machine. A store that fails is a store without checkpoints: only
    /// time is lost.
    pub(crate) fn call(&self, job: StoreJob) -> BoxFuture<'static, Input> {
        let StoreJob { pool, call } = job;
        let (store, topic) = (self.0.clone(), (self.1)(pool));
        async move {
            match call {
                StoreCall::Load => {
                    let shards = load(&*store, &topic).await;
                    Input::Loaded { pool, shards: shards.unwrap_or_else(|error| warn(&topic, &error)) }
                }
                StoreCall::Save(shards) => {
                    let saved = save(&*store, &topic, shards).await;
                    saved.unwrap_or_else(|error| warn(&topic, &error));
                    Input::Saved { pool }
                }
            }
        }
        .boxed()
    }
}

async fn load(store: &dyn DataStore, topic: &str) -> Result<Vec<Arc<str>>, Error> {
    let shard = async |number: usize| store.get(key(topic, number)).await;
    let Some(first) = shard(0).await? else { return Ok(Vec::new()) };
    // A joiner waits for them, so they are read together.
    let rest = try_join_all((1..shard_count(&first.record.value)).map(shard)).await?;
    let found = std::iter::once(first).chain(rest.into_iter().flatten());
    Ok(found.map(|stored| stored.record.value).collect())
}

/// The first shard comes last, since it says how many there are.
async fn save(store: &dyn DataStore, topic: &str, shards: Vec<Arc<str>>) -> Result<(), Error> {
    for (number, shard) in shards.into_iter().enumerate().rev() {
        let _ = store.put(key(topic, number), Record::new(shard), Precondition::Always).await?;
    }
    Ok(())
}

fn key(topic: &str, shard: usize) -> RecordKey {
    RecordKey::new(STORE_NAME, format!("{topic}#{shard}"))
}

fn warn<T: Default>(topic: &str, error: &Error) -> T {
    tracing::warn!(%error, topic, "a checkpoint of a pool was not read or written");
    T::default()
}
