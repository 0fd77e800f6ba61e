//! Which messages go into the next frame.
//!
//! Order matters within an inner topic only, so the packer may choose among the heads of the topics' queues:
//!
//! 1. The first message is the oldest of the most urgent class. Of every four frames one ignores classes and goes by
//!    age alone, so nothing starves: the oldest message of a lane leaves with its fourth frame at the latest.
//! 2. While there is room for two of the largest messages queued, heads follow in that same order.
//! 3. Then, among the first 32 heads of each class, the one that fits best: the dearest that still fits, of the most
//!    urgent class that has one. This goes on until none fits.
//!
//! This is best fit over a bounded look-ahead ("next-k"), as bin packing knows it: Johnson, *Near-optimal bin
//! packing algorithms*, 1973.

use std::collections::BTreeMap;

use transport_traits::Topic;

use super::picks::Picks;
use super::queue::Queue;
use super::window::Window;

/// Every so many frames one goes by age alone.
const FAIR_EVERY: u64 = 4;

/// Inner topics that must wait, and for how many frames.
pub(crate) type Blocked = BTreeMap<Topic, u32>;

/// Takes messages of a lane that cost at most `room` out of the queue. `number` counts the lane's frames, from 1. Says
/// what they cost.
pub(super) fn pack(
    queue: &mut Queue,
    lane: usize,
    room: usize,
    number: u64,
    blocked: &Blocked,
) -> (Picks, usize) {
    let (mut picks, mut cost) = (Picks::new(number), 0);
    let mut window = Window::new(lane, number);
    window.gather(queue, &picks, blocked, &[]);
    loop {
        let left = room - cost;
        let roomy = picks.len() == 0 || left >= 2 * queue.largest(lane);
        let next = if roomy { Some(0) } else { window.best(left) };
        let Some((at, candidate)) = next.and_then(|at| Some((at, *window.candidates().get(at)?))) else {
            break;
        };
        cost += candidate.cost;
        picks.take(queue, candidate.id);
        if window.taken(queue, &picks, at) {
            queue.reindex_picked(&picks);
            window.gather(queue, &picks, blocked, &[]);
        }
    }
    assert!(cost <= room, "a frame is never over its limit");
    (picks, cost)
}

/// Takes the messages out that come before the one of this order, whatever they cost. Says what they cost. All are of
/// one lane and class.
pub(super) fn pack_until(queue: &mut Queue, number: u64, end: u64) -> (Picks, usize) {
    let (mut picks, mut cost) = (Picks::new(number), 0);
    while let Some(id) = queue.oldest().filter(|head| head.order < end).map(|head| head.topic) {
        cost += picks.cost(queue, id);
        picks.take(queue, id);
        queue.reindex(id);
    }
    (picks, cost)
}

/// Whether a frame packed now would have a message.
pub(crate) fn can_pack(queue: &Queue, lane: usize, blocked: &Blocked) -> bool {
    if blocked.is_empty() {
        return queue.class(lane).is_some();
    }
    let mut window = Window::new(lane, 0);
    window.gather(queue, &Picks::new(0), blocked, &[]);
    !window.candidates().is_empty()
}

/// Whether the frame or publish of this number goes by age alone.
pub(crate) fn is_by_age(number: u64) -> bool {
    number.is_multiple_of(FAIR_EVERY)
}
