//! Calls that are dropped halfway.

use std::future::ready;

use transport_traits::{DataStoreExt, ErrorKind};

use super::{Stores, key, number, number_in};
use crate::support::{halfway, ok};

const ROUNDS: u64 = 50;

pub(super) async fn the_answer_to_a_call_that_was_dropped_reaches_no_other(stores: &Stores) {
    let names: Vec<String> = (0..ROUNDS).map(|n| n.to_string()).collect();
    for (n, name) in (0..).zip(&names) {
        stores.put(name, number(n)).await;
    }
    for (n, name) in (0..).zip(&names) {
        let dropped = stores.here.get(key(&names[names.len() - 1 - n as usize]));
        // Before the question was sent, and after the answer came.
        if n % 2 == 0 {
            halfway(dropped, ready(())).await
        } else {
            halfway(dropped, stores.get("0")).await
        }
        let stored = ok(stores.here.get(key(name)).await, "reading").expect("it was written");
        assert_eq!(number_in(&stored), n, "the answer to another call");
    }
}

pub(super) async fn a_write_that_was_dropped_happens_once_or_never(stores: &Stores) {
    for n in 0..ROUNDS {
        let first = stores.put("k", number(0)).await;
        let dropped = stores.here.compare_and_swap(key("k"), first, number(1));
        if n % 2 == 0 {
            halfway(dropped, ready(())).await
        } else {
            halfway(dropped, stores.get("k")).await
        }
        replace(stores).await;
        // On its own connection, so after it.
        let last = ok(stores.here.get(key("k")).await, "reading").expect("nobody deletes it");
        assert_eq!(number_in(&last), 2, "its precondition held before, and no longer");
    }
}

/// Writes 2 over what is there, while at most one write of somebody else's comes in between.
async fn replace(stores: &Stores) {
    for _ in 0..2 {
        let seen = stores.get("k").await.expect("nobody deletes it");
        match stores.there.compare_and_swap(key("k"), seen.version, number(2)).await {
            Ok(_) => return,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
        }
    }
    panic!("two conflicts, and one write that was dropped");
}
