//! Workloads have the shapes that their docs give, and come from their seeds.

use benches::workloads::{player_sets, store_updates, strings, text_bytes};

#[test]
fn equal_seeds_give_equal_messages_and_others_do_not() {
    assert_eq!(player_sets(1, 50), player_sets(1, 50));
    assert_ne!(player_sets(1, 50), player_sets(2, 50));
    assert_eq!(strings(1, 50, 10..=50, 3), strings(1, 50, 10..=50, 3));
    assert_ne!(strings(1, 50, 10..=50, 3), strings(2, 50, 10..=50, 3));
    assert_eq!(store_updates(1, 50), store_updates(1, 50));
    assert_ne!(store_updates(1, 50), store_updates(2, 50));
}

#[test]
fn strings_have_the_lengths_and_topics_that_were_asked_for() {
    let messages = strings(1, 2_000, 10..=50, 16);
    assert!(messages.iter().all(|message| (10..=50).contains(&message.text.len())));
    let mut topics: Vec<_> = messages.iter().map(|message| &message.topic).collect();
    topics.sort_unstable();
    topics.dedup();
    assert_eq!(topics.len(), 16);
}

#[test]
fn player_sets_are_the_originals_messages_of_players_that_differ() {
    let messages = player_sets(1, 2_000);
    let mut players: Vec<_> = messages.iter().map(|message| &message.topic).collect();
    players.sort_unstable();
    players.dedup();
    assert_eq!(players.len(), messages.len());
    let quotes: usize = messages.iter().map(|message| message.text.matches('"').count()).sum();
    assert_eq!((text_bytes(&messages) / messages.len(), text_bytes(&messages) / quotes), (110, 6));
    for message in &messages {
        let set: serde_json::Value = serde_json::from_str(&message.text).unwrap();
        assert_eq!(set["Action"], "Set");
        assert_eq!(set["SyncId"].as_str().unwrap().len(), 38);
        assert!(set["Key"].is_string() && set.get("Value").is_some());
    }
}
