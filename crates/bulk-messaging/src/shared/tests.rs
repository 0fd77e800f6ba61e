//! Who waits.

use std::collections::HashMap;

use futures::channel::oneshot;

use super::remember;

#[test]
fn whoever_stops_waiting_is_forgotten_and_whoever_waits_is_not() {
    let mut waiting = HashMap::new();
    let mut patient = Vec::new();
    for id in 0..10_000 {
        let (sender, receiver) = oneshot::channel::<u64>();
        remember(&mut waiting, id, sender);
        // One in a hundred stays.
        patient.extend((id % 100 == 0).then_some(receiver));
    }
    assert!(waiting.len() < 1_000, "{}", waiting.len());
    for (id, sender) in waiting {
        let _gone = sender.send(id);
    }
    let told = patient.into_iter().filter_map(|mut receiver| receiver.try_recv().ok().flatten());
    assert_eq!(told.collect::<Vec<_>>(), (0..100).map(|number| 100 * number).collect::<Vec<_>>());
}
