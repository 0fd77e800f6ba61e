//! What the queue keeps in memory.

use transport_traits::{Instant, Priority};

use super::super::picks::Picks;
use super::{Measured, Queue};

fn push(queue: &mut Queue, topic: &str, body: &[u8]) {
    let (found, body) = (queue.find(topic), queue.stage(body));
    let measured = Measured {
        topic: topic.into(),
        found,
        topic_cost: 0,
        body,
        cost: body.len(),
        priority: Priority::Normal,
        key: None,
        confirm: None,
        whole: None,
    };
    queue.push(Instant::ZERO, measured).expect("room");
}

#[test]
fn however_much_passes_by_what_stays_memory_is_bounded_by_what_is_queued() {
    let mut queue = Queue::new(1, 1_000, 1 << 20);
    push(&mut queue, "stays", &[b'x'; 1_000]);
    for _ in 0..10_000 {
        push(&mut queue, "passes", &[b'x'; 1_000]);
        let id = queue.find("passes").id.expect("it waits");
        let picks = Picks::one(&mut queue, id);
        queue.reindex(id);
        drop(queue.release(&picks));
        assert!(queue.arena.memory() < 1 << 20, "{}", queue.arena.memory());
    }
    let stays = queue.find("stays").id.and_then(|id| queue.head(id)).expect("it stays");
    assert_eq!(queue.body(stays), [b'x'; 1_000]);
}
