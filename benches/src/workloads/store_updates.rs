//! Save data as `nexus-store` announces it: the changes of [`player_sets`](super::player_sets), in its own words.

use bytes::Bytes;
use fastrand::Rng;
use transport_traits::Topic;

use super::player_sets::{change, user_id};

/// An announcement: a message that is JSON already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The inner topic: one a record.
    pub topic: Topic,
    /// The message.
    pub body: Bytes,
}

/// Ids have 48 bits.
const IDS: u64 = 1 << 48;

/// 2026-01-01 00:00 UTC, in microseconds.
const START: u64 = 1_767_225_600_000_000;

/// `[1,writer,epoch,[[sequence,0,commit,stamp,[field,0,value]]]]`: one writer sets one field of each of `count` players,
/// whose records have epochs of their own and were committed up to 40 times. The sequence rises by one a message, the stamp
/// by up to 10 ms.
#[must_use]
pub fn store_updates(seed: u64, count: usize) -> Vec<Update> {
    let mut random = Rng::with_seed(seed);
    let writer = random.u64(..IDS);
    let mut stamp = START;
    let update = |sequence| {
        let topic = format!("nx/PlayerDataStore_PlayerData/PlayerList${}", user_id(&mut random));
        let (field, value) = change(&mut random);
        let (epoch, commit) = (random.u64(..IDS), random.u64(..40));
        stamp += random.u64(1..=10_000);
        let body = format!(r#"[1,{writer},{epoch},[[{sequence},0,{commit},{stamp},["{field}",0,{value}]]]]"#);
        Update { topic: topic.into(), body: body.into() }
    };
    (1..=count).map(update).collect()
}
