//! Messages: a round trip, and whatever a stranger may send.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use transport_traits::Version;

use crate::change::Change;
use crate::machine::Operation;
use crate::machine::table::{Entry, Upkeep};
use crate::wire::{self, Announcement, CommitDetails, CommitNote, Rejected};

fn message() -> Announcement {
    let changes = vec![
        ("coins".into(), Change::Increment(5.into())),
        ("n\"ame".into(), Change::Set(Arc::new(json!({"a": [1.5, null]})))),
        ("old".into(), Change::Remove),
        ("best".into(), Change::Max(9.into())),
        ("worst".into(), Change::Min((-9).into())),
    ];
    let op = Operation { writer: 7, sequence: 12, pred: 11, epoch: 99, commit: 3, stamp: 1_234_567, changes };
    let details = CommitDetails {
        version: Version::new("v\"4"),
        digest: 123_456_789,
        entries: vec![(7, Entry { last: 12, moved: 4 }), (8, Entry { last: 2, moved: 3 })],
        sets: vec![("x".into(), Change::Set(Arc::new(json!(1))))],
        upkeep: Upkeep { marked: Some(1_800_000_000), pruned: 2 },
    };
    let commit = Some(CommitNote { from: 2, to: 4, details: Some(details) });
    Announcement { writer: 7, epoch: 99, ops: vec![op], commit }
}

fn text(message: &Announcement) -> String {
    let ops: Vec<String> = message.ops.iter().map(wire::operation_text).collect();
    let commit = message.commit.as_ref().map(wire::commit_text);
    wire::message_text(message.writer, message.epoch, &ops, commit.as_deref())
}

#[test]
fn a_message_survives_its_text() {
    let full = message();
    let short = CommitNote { from: 2, to: 4, details: None };
    let short = Announcement { ops: Vec::new(), commit: Some(short), ..full.clone() };
    let plain = Announcement { commit: None, ..full.clone() };
    for message in [full, short, plain] {
        assert_eq!(Announcement::parse(text(&message).as_bytes()), Ok(message));
    }
}

#[test]
fn what_is_no_message_of_this_version_is_said_to_be_so() {
    assert_eq!(Announcement::parse(b"[2,7,99,[],[1,2]]"), Err(Rejected::Version));
    let damaged = [
        "",
        "{}",
        "[]",
        "[1]",
        "[1,7,99]",
        "[1,7,99,{}]",
        "[1,-7,99,[]]",
        "[1,281474976710656,99,[]]",
        "[1,7,99,[[0,0,0,0,[\"a\",0,1]]]]",
        "[1,7,99,[[1,0,0,0,[]]]]",
        "[1,7,99,[[1,0,0,0,[\"a\",9,1]]]]",
        "[1,7,99,[[1,0,0,0,[\"a\",1,\"x\"]]]]",
        "[1,7,99,[],[2,2]]",
        "[1,7,99,[],[1,2,\"v\",1,[7,1,9],[],0,0]]",
    ];
    for damaged in damaged {
        assert_eq!(Announcement::parse(damaged.as_bytes()), Err(Rejected::Damaged), "{damaged}");
    }
}

proptest! {
    #[test]
    fn a_mutilated_message_never_panics(at in 0..300_usize, with: u8, cut in 0..300_usize) {
        let mut body = text(&message()).into_bytes();
        let (at, cut) = (at % body.len(), cut % body.len());
        body[at] = with;
        let _ = Announcement::parse(&body);
        let _ = Announcement::parse(&body[..cut]);
    }
}
