//! How late messages are when there are few of them.

use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::ledger::{body, number};
use crate::way::{Heard, Way};

/// A message every so often.
pub const EVERY: Duration = Duration::from_millis(10);

/// A message that is later than this is lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends so many messages over each of two ways between the same sides, one every 10 ms on each and 5 ms from those of the
/// other, so that whatever slows the machine slows both. Gives the medians of how late they were entered by the receivers,
/// in nanoseconds since the sender began to send each.
///
/// # Panics
/// If a message is lost, doubled or changed.
pub fn medians(mut ways: [&mut Way; 2], count: usize) -> [f64; 2] {
    let start = Instant::now();
    let sides = ways[0].sides().clone();
    let senders = [0, 1].map(|at| ways[at].sender().clone());
    let received = [0, 1].map(|at| sides.there.spawn(receive(ways[at].take_heard(), start, count)));
    sides.here(async move {
        let mut ticks = interval(EVERY / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for sender in senders.iter().cycle().take(2 * count) {
            ticks.tick().await;
            sender.send(Box::new(std::iter::once_with(move || body(nanos(start))))).await;
        }
    });
    let mut ways = ways.iter_mut();
    received.map(|received| {
        let (heard, mut late) = sides.there.block_on(received).expect("every message comes");
        ways.next().expect("there are two").give_back(heard);
        late.sort_unstable();
        late[count / 2] as f64
    })
}

async fn receive(mut heard: Heard, start: Instant, count: usize) -> (Heard, Vec<u64>) {
    let mut late = Vec::with_capacity(count);
    let mut latest = 0;
    for _ in 0..count {
        let body = timeout(PATIENCE, heard.next()).await.expect("every message comes in time");
        let sent = body.and_then(|body| number(&body)).expect("every message is one of ours");
        assert!(sent > latest, "every message comes once and in order");
        latest = sent;
        late.push(nanos(start) - sent);
    }
    (heard, late)
}

fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).expect("no run lasts for centuries")
}
