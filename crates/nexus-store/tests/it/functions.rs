//! What the functions of updates do in the simulated world.

use std::sync::Arc;

use nexus_store::machine::{Scope, Ticket, UpdateChanges, UpdateInput, UpdateRun};
use serde_json::{Value, json};

use crate::world::{World, key};

/// Adds 1 to every field.
pub(crate) fn add_one(input: &UpdateInput) -> UpdateRun {
    let plus_one = |value: &Option<Arc<Value>>| json!(value.as_ref().map_or(0, |v| v.as_i64().unwrap()) + 1);
    let plus_one = |(field, value)| (Arc::clone(field), Some(Arc::new(plus_one(value))));
    change(input.fields.iter().map(plus_one))
}

/// A field of this prefix stands for a tag to add.
const TAG: &str = "tag:";

/// Deletions and tags, by what they ask for.
pub(crate) fn special_update(input: &UpdateInput) -> Option<UpdateRun> {
    if input.whole_record {
        let fields = input.fields.keys().map(|field| (Arc::clone(field), None)).collect();
        let users = (!input.users.is_empty()).then(Arc::default);
        return Some(UpdateRun::Changes(UpdateChanges { fields, users }));
    }
    let user: Arc<str> = input.fields.keys().find_map(|field| field.strip_prefix(TAG))?.into();
    let users = (!input.users.contains(&user)).then(|| input.users.iter().cloned().chain([user]).collect());
    Some(UpdateRun::Changes(UpdateChanges { fields: Vec::new(), users }))
}

/// Changes these fields and nothing else.
pub(crate) fn change(fields: impl IntoIterator<Item = (Arc<str>, Option<Arc<Value>>)>) -> UpdateRun {
    UpdateRun::Changes(UpdateChanges { fields: fields.into_iter().collect(), users: None })
}

impl World {
    /// Deletes the record, as its handle does.
    pub(crate) fn delete(&mut self, server: usize) -> Ticket {
        self.act(server, |machine, _, id| machine.update(id, Scope::Record))
    }

    /// Adds a user tag.
    pub(crate) fn tag(&mut self, server: usize, user: &str) -> Ticket {
        // The function of an update knows its kind by its scope: a field that stands for a tag.
        self.update(server, &[&format!("{TAG}{user}")])
    }

    pub(crate) fn stored_users(&self) -> Vec<Arc<str>> {
        self.stored.get(&key()).map_or_else(Vec::new, |stored| stored.record.users.to_vec())
    }
}
