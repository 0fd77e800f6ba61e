//! Records without services: the same calls, the same rules.

use std::sync::Arc;

use futures::executor::block_on;
use futures::{FutureExt, StreamExt};
use nexus_store::{LocalSaveData, Save, Update, UpdateError, WriteError};
use serde_json::json;

use crate::driver::in_memory;

/// What users write once, for the real thing and for tests.
async fn buy(save: &impl Save, cost: i64) -> Result<i64, UpdateError<&'static str>> {
    let spend = move |fields: &mut nexus_store::Fields| {
        let coins = fields.get_as::<i64>("coins").unwrap_or_default().unwrap_or(0);
        fields.set("coins", coins - cost);
        fields.set("sword", true);
        if coins < cost { Err("too poor") } else { Ok(coins - cost) }
    };
    save.update(&["coins", "sword"], spend).await
}

async fn script(save: &impl Save) {
    let mut updates = save.on_any_update();
    save.set("coins", 5).unwrap();
    save.increment("coins", 2).unwrap();
    assert_eq!(buy(save, 4).await.unwrap(), 3);
    assert!(matches!(buy(save, 4).await, Err(UpdateError::Aborted("too poor"))));
    save.add_user("7").await.unwrap();
    assert_eq!(save.users().len(), 1);
    assert!(matches!(save.increment("sword", 1), Err(WriteError::NotANumber { .. })));
    assert!(matches!(save.set("coins", f64::NAN), Err(WriteError::NotJson { .. })));
    save.flush().await.unwrap();
    assert_eq!(serde_json::to_value(&*save.snapshot()).unwrap(), json!({"coins": 3, "sword": true}));
    let mut news = Vec::new();
    while let Some(Some(Update::Changed { field, new, .. })) = updates.next().now_or_never() {
        news.push((field.to_string(), new.map(Arc::unwrap_or_clone)));
    }
    let expected = [("coins", json!(5)), ("coins", json!(7)), ("coins", json!(3)), ("sword", json!(true))];
    assert_eq!(news, expected.map(|(field, new)| (field.to_owned(), Some(new))));
    save.delete().await.unwrap();
    assert!(save.snapshot().is_empty() && save.users().is_empty());
}

#[test]
fn a_local_record_does_what_a_real_one_does_without_waiting() {
    assert!(script(&LocalSaveData::new()).now_or_never().is_some());
    let (mut setup, _) = in_memory();
    let ann = setup.open();
    setup.run(script(&ann));
}

#[test]
fn clones_are_one_record_and_new_ones_are_not() {
    let (one, other) = (LocalSaveData::new(), LocalSaveData::default());
    one.clone().set("a", 1).unwrap();
    assert_eq!((one.get_as("a").unwrap(), other.get_as::<u8>("a").unwrap()), (Some(1), None));
}

#[test]
fn many_writes_take_no_memory_for_long() {
    let save = LocalSaveData::new();
    for n in 0..9 {
        save.set("text", "x".repeat(8 << 20)).unwrap_or_else(|error| panic!("{error} at {n}"));
    }
}

#[test]
fn the_function_of_an_update_may_look_at_the_record() {
    let save = LocalSaveData::new();
    save.set("a", 1).unwrap();
    let inner = save.clone();
    let update = save.update(&["b"], move |fields| {
        fields.set("b", inner.get_as::<i64>("a").unwrap());
        Ok::<(), ()>(())
    });
    block_on(update).unwrap();
    assert_eq!(save.get_as("b").unwrap(), Some(1));
}
