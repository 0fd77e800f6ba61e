//! Real documents: their shape, what is made of them, and what holds them.

use std::collections::BTreeSet;
use std::sync::Arc;

use benches::lookups::{Peers, Player, pool, records};
use benches::session::{Session, WriteThrough};
use benches::workloads::{LONGEST_VALUE, document_changes, document_sets, documents, whole_documents};
use serde_json::Value;
use transport_memory::MemoryStore;

#[test]
fn equal_seeds_give_equal_documents_and_others_do_not() {
    assert_eq!(documents(1, 20), documents(1, 20));
    assert_ne!(documents(1, 20), documents(2, 20));
    assert_eq!(document_changes(1, 5, 50), document_changes(1, 5, 50));
    assert_eq!(document_sets(1, 50), document_sets(1, 50));
    assert_ne!(whole_documents(1, 5), whole_documents(2, 5));
}

#[test]
fn documents_have_thirteen_fields_and_the_sizes_that_games_have() {
    let documents = documents(1, 500);
    let sizes: Vec<usize> =
        documents.iter().map(|document| serde_json::to_string(document).unwrap().len()).collect();
    let (least, most) = (*sizes.iter().min().unwrap(), *sizes.iter().max().unwrap());
    let average = sizes.iter().sum::<usize>() / sizes.len();
    assert!(least >= 800 && most <= 8_192 && (3_500..4_500).contains(&average), "{least} {average} {most}");
    assert!(documents.iter().all(|document| document.len() == 13));
}

#[test]
fn stacks_are_what_the_game_lets_them_be() {
    let stacks: Vec<Value> = documents(1, 500)
        .iter()
        .flat_map(|document| document["inventory"].as_array().unwrap().clone())
        .collect();
    assert!(stacks.iter().all(|stack| stack["count"].as_u64().unwrap_or(1) <= 64));
    let enchanted = |name: &str| stacks.iter().any(|stack| stack["enchantments"].get(name).is_some());
    assert!(enchanted("unbreaking"), "what wears out can be made to last");
    let swords: Vec<&Value> =
        stacks.iter().filter(|stack| stack["id"].as_str().unwrap().ends_with("_sword")).collect();
    let for_others = ["aqua_affinity", "feather_falling", "power", "protection", "respiration"];
    let misfits = |sword: &&Value| for_others.iter().any(|name| sword["enchantments"].get(name).is_some());
    assert!(swords.len() > 50 && !swords.iter().any(misfits), "{} swords", swords.len());
    let kinds: BTreeSet<&str> = stacks.iter().filter_map(|stack| stack["id"].as_str()).collect();
    assert!(kinds.len() > 200, "{}", kinds.len());
}

#[test]
fn all_fields_change_and_some_more_often() {
    let changes = document_changes(1, 10, 5_000);
    let count = |field: &str| changes.iter().filter(|change| change.field == field).count();
    assert!(documents(1, 1)[0].keys().all(|field| count(field) > 0));
    assert!(count("coins") > 5 * count("options"), "{} {}", count("coins"), count("options"));
    assert!(changes.iter().all(|change| change.document < 10));
}

#[test]
fn a_value_too_long_for_a_message_is_only_said_to_have_changed() {
    let messages = document_sets(1, 2_000);
    let fetches = messages.iter().filter(|message| message.text.contains(r#""Action":"Fetch""#)).count();
    assert!((50..800).contains(&fetches), "{fetches}");
    assert!(messages.iter().all(|message| message.text.len() < LONGEST_VALUE + 120));
    assert!(messages.iter().all(|message| serde_json::from_str::<Value>(&message.text).is_ok()));
}

#[test]
fn a_session_and_writing_through_end_with_the_same_documents() {
    let (documents, changes) = (documents(1, 4), document_changes(1, 4, 300));
    let ours = Session::new(Arc::new(MemoryStore::unlimited()), &documents);
    let peer = WriteThrough::new(&documents);
    assert_eq!(ours.document(1), documents[1]);
    ours.play(&changes);
    peer.play(&changes);
    for (number, before) in documents.iter().enumerate() {
        assert_eq!(ours.document(number), peer.document(number));
        assert_ne!(ours.document(number), *before);
    }
}

#[test]
fn what_is_read_from_ours_and_from_the_peers_is_the_same() {
    let documents = documents(1, 3);
    let records = records(&documents);
    for (record, document) in records.iter().zip(&documents) {
        assert!(document.iter().all(|(field, value)| record.get(field).as_deref() == Some(value)));
        let text = serde_json::to_string(document).unwrap();
        let player: Player = serde_json::from_str(&text).unwrap();
        assert_eq!(record.read::<Player>().unwrap(), player);
        assert!(!player.inventory.is_empty() && !player.statistics.is_empty());
    }
}

#[test]
fn a_pool_and_the_peers_hold_the_same_entries() {
    let values: Vec<_> = (0..20).map(|n| (format!("key {n}"), Arc::new(format!("value {n}")))).collect();
    let (pool, peers) = (pool(&values), Peers::new(&values));
    for (key, value) in &values {
        let read = [pool.get(key), peers.from_locked(key), peers.from_dashmap(key), peers.from_moka(key)];
        assert!(read.iter().all(|read| read.as_ref() == Some(value)), "{key}");
    }
    assert_eq!((pool.get("other"), peers.from_moka("other")), (None, None));
}
