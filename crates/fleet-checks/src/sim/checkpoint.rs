//! How a simulated server reads and writes the checkpoints of its pools: call by call, as the driver of pools does.

use std::sync::Arc;

use fleet_sim::Event;
use server_pool::machine::{Input, PoolId, StoreCall, StoreJob, shard_count};
use transport_traits::{Record, RecordKey, Topic};

/// A checkpoint that is being read or written. One that fails is none: only time is lost.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pool: PoolId,
    topic: Topic,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    /// What was read, and how many shards there are as far as is known.
    Load(Vec<Arc<str>>, usize),
    /// What is left to write. The first shard comes last, since it says how many there are.
    Save(Vec<Arc<str>>),
}

/// What to do next.
pub(super) enum Step {
    Get(RecordKey),
    Put(RecordKey, Record),
    /// Tell the machine.
    Done(Input),
}

impl Job {
    pub(super) fn new(topic: Topic, StoreJob { pool, call }: StoreJob) -> Self {
        let work = match call {
            StoreCall::Load => Work::Load(Vec::new(), 1),
            StoreCall::Save(shards) => Work::Save(shards),
        };
        Self { pool, topic, work }
    }

    pub(super) fn next(&mut self) -> Step {
        let (pool, topic) = (self.pool, &self.topic);
        let key = |number: usize| RecordKey::new("server-pool", format!("{topic}#{number}"));
        match &mut self.work {
            Work::Load(shards, count) if shards.len() < *count => Step::Get(key(shards.len())),
            Work::Load(shards, _) => Step::Done(Input::Loaded { pool, shards: std::mem::take(shards) }),
            Work::Save(left) => match left.pop() {
                Some(shard) => Step::Put(key(left.len()), Record::new(shard)),
                None => Step::Done(Input::Saved { pool }),
            },
        }
    }

    pub(super) fn answered(&mut self, answer: Event) {
        match (&mut self.work, answer) {
            (Work::Load(shards, count), Event::Got(_, Ok(Some(stored)))) => {
                if shards.is_empty() {
                    *count = shard_count(&stored.record.value);
                }
                shards.push(stored.record.value);
            }
            (Work::Load(shards, count), Event::Got(_, Ok(None))) => *count = shards.len(),
            (Work::Load(shards, count), _) => {
                shards.clear();
                *count = 0;
            }
            (Work::Save(_), Event::Put(_, Ok(_))) => {}
            (Work::Save(left), _) => left.clear(),
        }
    }
}
