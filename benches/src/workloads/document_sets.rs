//! Changes of real documents as the original sends them: what is too long for a message is only said to have changed.

use fastrand::Rng;
use serde_json::json;

use super::documents::{DocumentChange, document_changes, documents};
use super::player_sets::{sync_id, user_id};
use super::{Document, Message};

/// Of how many documents the changes are.
const PLAYERS: usize = 200;

/// The most bytes of a value that goes in a message; the original's limit for a key of five bytes without quotation marks.
pub const LONGEST_VALUE: usize = 655;

/// `count` messages on the inner topics of 200 players: `{"Action":"Set","Key":…,"Value":…,"SyncId":…}`, or for values longer
/// than [`LONGEST_VALUE`] `{"Action":"Fetch","Keys":[…],"SyncId":…}`. They are the changes of [`document_changes`].
#[must_use]
pub fn document_sets(seed: u64, count: usize) -> Vec<Message> {
    let mut random = Rng::with_seed(seed);
    let users: Vec<u64> = (0..PLAYERS).map(|_| user_id(&mut random)).collect();
    let changes = document_changes(seed ^ 1, PLAYERS, count);
    changes.iter().map(|change| message(&mut random, users[change.document], change)).collect()
}

fn message(random: &mut Rng, user: u64, change: &DocumentChange) -> Message {
    let (field, value, sync_id) = (change.field, change.value.to_string(), sync_id(random));
    let text = if value.len() > LONGEST_VALUE {
        format!(r#"{{"Action":"Fetch","Keys":["{field}"],"SyncId":"{sync_id}"}}"#)
    } else {
        format!(r#"{{"Action":"Set","Key":"{field}","Value":{value},"SyncId":"{sync_id}"}}"#)
    };
    Message { topic: format!("NSD_PlayerList${user}").into(), text }
}

/// Whole documents, each a message on its player's inner topic.
#[must_use]
pub fn whole_documents(seed: u64, count: usize) -> Vec<Message> {
    let mut random = Rng::with_seed(seed);
    let whole = |document: &Document| Message {
        topic: format!("NSD_PlayerList${}", user_id(&mut random)).into(),
        text: json!(document).to_string(),
    };
    documents(seed ^ 1, count).iter().map(whole).collect()
}
