//! Values of users' own types, through serde.

use std::collections::HashMap;
use std::sync::Arc;

use nexus_store::{EditError, UpdateError, WriteError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use transport_memory::MemoryStore;
use transport_traits::{DataStoreExt, Record};

use crate::driver::{Setup, in_memory, key, stored};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Player {
    coins: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild: Option<String>,
    items: Vec<String>,
}

/// A record with a field that `Player` does not know.
fn with_stored(value: &str) -> (Setup, Arc<MemoryStore>) {
    let (mut setup, data) = in_memory();
    setup.run(data.create(key(), Record::new(value))).unwrap();
    (setup, data)
}

#[test]
fn a_field_is_read_and_written_as_a_type_of_its_own() {
    let (mut setup, _) = in_memory();
    let ann = setup.open();
    let player = Player { coins: 5, guild: Some("north".into()), items: vec!["sword".into()] };
    ann.set("player", &player).unwrap();
    assert_eq!(ann.get_as::<Player>("player").unwrap(), Some(player));
    assert_eq!(ann.get_as::<Player>("nobody").unwrap(), None);
    let error = ann.get_as::<u8>("player").unwrap_err();
    assert_eq!(error.field(), Some("player"));
    assert!(error.to_string().contains("player"));
}

#[test]
fn what_is_no_json_is_refused_and_changes_nothing() {
    let (mut setup, _) = in_memory();
    let ann = setup.open();
    let not_json =
        |result| matches!(result, Err(WriteError::NotJson { field: Some(field), .. }) if &*field == "a");
    assert!(not_json(ann.set("a", f64::NAN)));
    assert!(not_json(ann.set("a", [1.0, f64::NEG_INFINITY])));
    assert!(not_json(ann.set("a", HashMap::from([("deep", Some(f32::INFINITY))]))));
    assert!(not_json(ann.set("a", HashMap::from([((1, 2), 3)]))));
    assert_eq!(ann.get("a"), None);
    ann.set("a", None::<f64>).unwrap();
    assert_eq!(ann.get_as::<Value>("a").unwrap(), Some(Value::Null), "a null is a value");
    let update = ann.update(&["a", "b"], |fields| {
        fields.set("b", 1);
        fields.set("a", f64::NAN);
        Ok::<(), ()>(())
    });
    assert!(matches!(setup.run(update), Err(UpdateError::NotJson { field: Some(_), .. })));
    assert_eq!(ann.get("b"), None);
}

#[test]
fn an_edit_writes_only_what_it_changed() {
    let (mut setup, data) = with_stored(r#"{"coins":1,"unknown":{"deep":[1]},"guild":"north"}"#);
    let ann = setup.open();
    let accepted = setup.store.stats().accepted;
    let bought = ann.edit(|player: &mut Player| {
        assert_eq!(player.coins, 1);
        player.items.push("sword".into());
        player.guild = None;
        player.items.len()
    });
    assert_eq!(bought.unwrap(), 1);
    assert_eq!(setup.store.stats().accepted - accepted, 2, "one set and one removal");
    setup.run(ann.flush()).unwrap();
    assert_eq!(stored(&data), json!({"coins": 1, "unknown": {"deep": [1]}, "items": ["sword"]}));
    let idle = setup.store.stats().accepted;
    ann.edit(|_: &mut Player| ()).unwrap();
    assert_eq!(setup.store.stats().accepted, idle, "nothing changed, nothing is written");
}

#[test]
fn a_record_of_another_type_is_an_error_and_stays_as_it_is() {
    let (mut setup, data) = with_stored(r#"{"coins":"many"}"#);
    let ann = setup.open();
    assert!(ann.read::<Player>().unwrap_err().field().is_none());
    assert!(matches!(ann.edit(|_: &mut Player| ()), Err(EditError::Decode(_))));
    let update = ann.update_as(|_: &mut Player| Ok::<(), ()>(()));
    assert!(matches!(setup.run(update), Err(UpdateError::Decode(_))));
    let scalar = ann.edit(|_: &mut Value| ());
    assert!(scalar.is_ok(), "any record is a JSON object");
    let scalar = ann.edit(|record: &mut Value| *record = json!(7));
    assert!(matches!(scalar, Err(EditError::Write(WriteError::NotJson { field: None, .. }))));
    assert_eq!(stored(&data), json!({"coins": "many"}));
}

#[test]
fn an_edit_is_accepted_as_a_whole_or_not_at_all() {
    let (mut setup, _) = in_memory();
    let ann = setup.open();
    let deep = (0..130).fold(json!(1), |inner, _| json!([inner]));
    let edit = ann.edit(|record: &mut HashMap<String, Value>| {
        record.insert("a".into(), json!(1));
        record.insert("z".into(), deep);
    });
    assert!(matches!(edit, Err(EditError::Write(WriteError::TooDeep))));
    assert!(ann.snapshot().is_empty());
}

#[test]
fn a_typed_update_works_on_what_is_stored_and_keeps_unknown_fields() {
    let (mut setup, data) = with_stored(r#"{"coins":7,"unknown":1}"#);
    let ann = setup.open();
    ann.increment("coins", 1).unwrap();
    let spend = |player: &mut Player| {
        player.coins -= 5;
        if player.coins < 0 { Err("too poor") } else { Ok(player.coins) }
    };
    assert_eq!(setup.run(ann.update_as(spend)).unwrap(), 3);
    assert!(matches!(setup.run(ann.update_as(spend)), Err(UpdateError::Aborted("too poor"))));
    assert_eq!(stored(&data), json!({"coins": 3, "unknown": 1}), "what did not change is not written");
    assert_eq!(ann.read::<Player>().unwrap().coins, 3);
}

#[test]
fn fields_of_an_update_are_typed_too() {
    let (mut setup, data) = with_stored(r#"{"player":{"coins":7},"n":"x"}"#);
    let ann = setup.open();
    let update = ann.update(&["player", "n", "none"], |fields| {
        let mut player: Player = fields.get_as("player").unwrap().unwrap();
        player.coins += 1;
        fields.set("player", &player);
        assert!(fields.get_as::<u8>("n").is_err());
        assert_eq!(fields.get_as::<u8>("none").unwrap(), None);
        Ok::<(), ()>(())
    });
    setup.run(update).unwrap();
    assert_eq!(stored(&data)["player"], json!({"coins": 8, "items": []}));
}
