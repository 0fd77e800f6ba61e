//! When an idle sender repeats its head sequence, so that the loss of its last frames is noticed too.

use std::time::Duration;

use transport_traits::Instant;

const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(30);

/// After 1, 2, 4 … 30 s, and every 30 s from then on. It starts anew with every frame.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    /// When the next one is due, and the wait that led there. `None` before the first frame.
    next: Option<(Instant, Duration)>,
    under_way: bool,
}

impl Heads {
    /// A frame was accepted or given up.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.next = Some((now + FIRST, FIRST));
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.next.filter(|_| !self.under_way).map(|(due, _)| due)
    }

    /// The publish of a head begins.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.under_way = true;
        self.next = self.next.map(|(_, wait)| (wait * 2).min(MOST)).map(|wait| (now + wait, wait));
    }

    /// It is over; a failed one is not repeated, the next will come.
    pub(crate) fn end(&mut self) {
        self.under_way = false;
    }
}
