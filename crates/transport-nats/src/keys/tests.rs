//! Names and back.

use transport_traits::RecordKey;

use super::{key_of, record};

#[test]
fn every_key_comes_back_from_its_subject() {
    for name in
        ["a", "", "=", "=41", ".", "a.b", "*", ">", " ", "\r\n", "\0", "\u{e9}", "\u{1f600}", "%25", "$1"]
    {
        let subject = record("nexus", &RecordKey::new("players", name));
        assert!(
            subject.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=.$".contains(&byte)),
            "{subject}"
        );
        assert_eq!(key_of("nexus", "players", &subject).as_deref(), Some(name), "{subject}");
    }
}

#[test]
fn subjects_that_are_no_records_of_the_store_have_no_key() {
    let others = [
        "$KV.nexus.players",
        "$KV.nexus.player.a",
        "$KV.other.players.a",
        // Ours would be `a`.
        "$KV.nexus.players.=61",
        "$KV.nexus.players.=2e",
        "$KV.nexus.players.=FF",
        "$KV.nexus.players.=2",
        "$KV.nexus.players.=+2",
        "$KV.nexus.players.a.b",
        "$KV.nexus.players.a/b",
    ];
    for subject in others {
        assert_eq!(key_of("nexus", "players", subject), None, "{subject}");
    }
}
