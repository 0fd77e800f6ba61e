//! What is done to a record for a player.

use nexus_store::{SaveData, UpdateError};
use serde_json::Value;

use super::protocol::Answer;
use super::tally::mark;

/// Marks the operation and adds its coins; saved when the server next flushes.
pub(super) fn add(save: &SaveData, index: u32, coins: i64) -> Answer {
    let (tally, unit) = mark(index);
    let accepted = save.increment(&tally, unit).and_then(|()| save.increment("coins", coins));
    accepted.map_or(Answer::Refused, |()| Answer::Done)
}

/// Coins that must be there: checked and taken on the stored value, durable when it returns.
pub(super) async fn spend(save: &SaveData, index: u32, price: i64) -> Answer {
    let (tally, unit) = mark(index);
    let mark = tally.clone();
    let named = ["coins", &tally];
    let bought = save.update(&named, move |fields| {
        let number = |value: Option<&Value>| value.and_then(|value| value.as_i64()).unwrap_or(0);
        let coins = number(fields.get("coins"));
        if coins < price {
            return Err(TooPoor);
        }
        let marked = number(fields.get(&mark)) + unit;
        fields.set("coins", coins - price);
        fields.set(&mark, marked);
        Ok(())
    });
    match bought.await {
        Ok(()) => Answer::Done,
        Err(UpdateError::Unknown(_)) => Answer::Doubtful,
        Err(UpdateError::Aborted(TooPoor)) => Answer::Unaffordable,
        Err(_) => Answer::Refused,
    }
}

/// The player cannot afford it.
#[derive(Debug)]
struct TooPoor;
