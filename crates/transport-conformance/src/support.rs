//! What the cases of both ports share.

use std::fmt::Display;
use std::pin::pin;
use std::task::Poll;

use futures::future::{LocalBoxFuture, poll_fn};
use transport_traits::limits::{Content, Counting, SizeLimit};
use transport_traits::{Error, ErrorKind};

/// The largest limit at which sizes are tried out: beyond it the test would be of the machine's memory.
pub(crate) const LARGEST_TRIED: usize = 16 * 1024 * 1024;

/// One test: its name, and what it does to a `T` that was set up for it.
pub struct Case<T> {
    /// A sentence that holds if the test passes.
    pub name: &'static str,
    /// The test. It panics if the sentence does not hold.
    pub run: for<'a> fn(&'a T) -> LocalBoxFuture<'a, ()>,
}

/// The case of this name.
///
/// # Panics
/// If there is none.
pub(crate) fn find<T>(cases: &'static [Case<T>], name: &str) -> &'static Case<T> {
    cases.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("there is no case {name}"))
}

/// The value of a call that has to succeed.
#[track_caller]
pub(crate) fn ok<T>(result: Result<T, Error>, what: impl Display) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// The kind of error that a call ended with, if any.
pub(crate) fn kind<T>(result: Result<T, Error>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Asserts that a call was refused with this kind.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T, Error>, expect: ErrorKind, what: impl Display) {
    assert_eq!(kind(result), Some(expect), "{what}");
}

/// Takes the first step of a call, waits for the end of `meanwhile`, and drops the call.
pub(crate) async fn halfway<T>(call: impl Future<Output = T>, meanwhile: impl Future) {
    let mut call = pin!(call);
    // One that has ended at once was not dropped halfway, and does no harm either.
    let _first_step = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
    meanwhile.await;
}

/// Lets others run before it goes on.
pub async fn give_way() {
    let mut gave_way = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A limit that is tried out.
pub(crate) fn tried(limit: Option<SizeLimit>) -> Option<SizeLimit> {
    limit.filter(|limit| limit.max <= LARGEST_TRIED)
}

/// A text between `before` and `after` that is `over` above `limit`, as the limit counts; `None` where not even
/// the two fit. Where characters are counted it consists of ones of two bytes, so that bytes would be too many.
pub(crate) fn text_of(limit: SizeLimit, over: usize, before: &str, after: &str) -> Option<String> {
    let frame = limit.counting.measure(format!("{before}{after}").as_bytes());
    let room = (limit.max + over).checked_sub(frame)?;
    let filling = if limit.counting == Counting::Chars { "\u{e9}" } else { "x" };
    Some(format!("{before}{}{after}", filling.repeat(room)))
}

/// The error of what is one above `limit`.
pub(crate) const fn one_too_large(limit: SizeLimit) -> ErrorKind {
    ErrorKind::TooLarge { size: limit.max + 1, limit: limit.max }
}

/// Whether a bus of this content carries the bytes.
pub(crate) fn carries(content: Content, body: &[u8]) -> bool {
    content == Content::Binary || std::str::from_utf8(body).is_ok()
}
