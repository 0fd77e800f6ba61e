//! What is refused, with which kind, and that nothing happens then.

use futures::TryStreamExt;
use futures::executor::block_on;
use transport_traits::{DataStore, ErrorKind};

use crate::support::{key, number, put, store};

#[test]
fn what_others_wrote_into_the_file_is_reported_and_no_panic() {
    let (place, store) = store();
    let damages = [
        "value = x'00'",
        "value = CAST(x'ff' AS TEXT)",
        "users = 'seven'",
        "users = '[1]'",
        "metadata = x'31'",
        "modified = -1",
        "version = 'x'",
    ];
    for damage in damages {
        put(&store, "k", number(1)).unwrap();
        place.outside().execute(&format!("UPDATE records SET {damage}"), ()).unwrap();
        let error = block_on(store.get(key("k"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{damage}");
        place.outside().execute("DELETE FROM records", ()).unwrap();
    }
    place.outside().execute("INSERT INTO records VALUES ('store', x'ff', '{}', '', '[]', 1, 1)", ()).unwrap();
    let listed = block_on(store.list("store".into(), "".into()).try_collect::<Vec<_>>());
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn a_spoilt_counter_refuses_writes() {
    let (place, store) = store();
    for damage in ["UPDATE counter SET last_version = 9223372036854775807", "DELETE FROM counter"] {
        place.outside().execute(damage, ()).unwrap();
        let error = put(&store, "k", number(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{damage}");
    }
    place.outside().execute("INSERT INTO counter VALUES (1)", ()).unwrap();
    put(&store, "k", number(1)).unwrap();
}
