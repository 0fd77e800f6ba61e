//! The user tags of a record: whose data it is.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use nexus_store::UpdateError;
use serde_json::json;
use transport_memory::MemoryStore;
use transport_traits::DataStore;

use crate::driver::{in_memory, key, stored};
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn tags(data: &MemoryStore) -> Vec<Arc<str>> {
    let stored = block_on(data.get(key())).unwrap();
    stored.map_or_else(Vec::new, |stored| stored.record.users.to_vec())
}

#[test]
fn tags_are_added_and_removed_durably_and_kept_through_every_write() {
    // Weakness 26 (tags-wiped).
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    assert!(ann.users().is_empty());
    setup.run(ann.add_user("7")).unwrap();
    setup.run(ann.add_user("8")).unwrap();
    setup.run(ann.add_user("7")).unwrap();
    assert_eq!(tags(&data), ["8".into(), "7".into()] as [Arc<str>; 2]);
    ann.set("a", 1).unwrap();
    setup.run(ann.flush()).unwrap();
    setup.run(ann.remove_user("8")).unwrap();
    setup.run(ann.remove_user("9")).unwrap();
    assert_eq!((tags(&data), stored(&data)), (vec!["7".into()], json!({"a": 1})));
    assert_eq!(*ann.users(), ["7".into()] as [Arc<str>; 1]);
}

#[test]
fn tags_change_together_with_fields_or_not_at_all() {
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    setup.run(ann.add_user("7")).unwrap();
    let hand_over = |fail: bool| {
        move |fields: &mut nexus_store::Fields| {
            assert_eq!(fields.users().len(), 1);
            fields.set_users(["8", "9", "8"]);
            fields.set("owner", 8);
            if fail { Err(()) } else { Ok(fields.users().len()) }
        }
    };
    assert!(matches!(setup.run(ann.update(&["owner"], hand_over(true))), Err(UpdateError::Aborted(()))));
    assert_eq!(tags(&data), ["7".into()] as [Arc<str>; 1]);
    assert_eq!(setup.run(ann.update(&["owner"], hand_over(false))).unwrap(), 2);
    assert_eq!(tags(&data), ["8".into(), "9".into()] as [Arc<str>; 2]);
    assert_eq!(stored(&data), json!({"owner": 8}));
}

#[test]
fn other_servers_learn_of_tags_and_keep_them() {
    let mut world = World::with_servers(1, 2);
    world.tag(0, "7");
    world.run(SECOND * 5);
    let users = world.act(1, |machine, _, id| machine.users(id));
    assert_eq!(*users, ["7".into()] as [Arc<str>; 1]);
    world.increment(1, "n", 1);
    world.run(SECOND * 5);
    assert_eq!(world.stored_users(), ["7".into()] as [Arc<str>; 1]);
}
