//! The queue of a subscription.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::executor::block_on;
use futures::stream::StreamExt;
use transport_adapter::Queue;
use transport_traits::Delivery;

struct Reader<'a>(&'a Queue);

impl Stream for Reader<'_> {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        self.0.poll(cx)
    }
}

fn read(queue: &Queue) -> Vec<Delivery> {
    queue.end();
    block_on(Reader(queue).collect())
}

fn message(n: usize) -> Delivery {
    Delivery::Message(n.to_string().into())
}

#[test]
fn what_there_is_no_room_for_is_one_gap_in_its_place() {
    let queue = Queue::new(2);
    (0..5).for_each(|n| queue.push(n.to_string().into()));
    let begun = block_on(Reader(&queue).take(2).collect::<Vec<_>>());
    assert_eq!(begun, [message(0), message(1)]);
    queue.push("5".into());
    assert_eq!(read(&queue), [Delivery::Gap, message(5)]);
}

#[test]
fn losses_on_end_make_one_gap_and_losses_apart_two() {
    let queue = Queue::new(8);
    queue.lose();
    queue.lose();
    queue.push("0".into());
    queue.lose();
    assert_eq!(read(&queue), [Delivery::Gap, message(0), Delivery::Gap]);
}

#[test]
fn a_reader_that_waits_is_woken_by_messages_gaps_and_the_end() {
    type Wake = fn(&Queue);
    let push: Wake = |queue| queue.push("0".into());
    let wakes = [(push, Some(message(0))), (Queue::lose, Some(Delivery::Gap)), (Queue::end, None)];
    for (wake, expected) in wakes {
        let queue = Queue::new(1);
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| block_on(Reader(&queue).next()));
            wake(&queue);
            reader.join().unwrap()
        });
        assert_eq!(read, expected);
    }
}
