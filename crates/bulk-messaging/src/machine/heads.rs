//! When an idle sender repeats its head sequence, so that the loss of its last frames is noticed too.

use std::time::Duration;

use transport_traits::Instant;

const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(30);

/// A sender whose frames are further apart is not steady.
const STEADY: Duration = Duration::from_secs(4);

/// After 1, 2, 4 … 30 s, and every 30 s from then on. It starts anew with every frame.
///
/// A steady sender has no use for it, since its next frame says as much: the first wait is half as long again as usual between
/// its frames. Or else a sender with a heartbeat every 2 s would publish twice as often as that for nothing.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    /// When the next one is due, and the wait that led there. `None` before the first frame.
    next: Option<(Instant, Duration)>,
    under_way: bool,
    /// When the last frame was over.
    last: Option<Instant>,
    /// About the longest of the latest waits between frames of a steady sender, else zero.
    usual: Duration,
}

impl Heads {
    /// A frame was accepted or given up.
    pub(crate) fn restart(&mut self, now: Instant) {
        let wait = self.last.replace(now).map(|last| now.since(last)).filter(|wait| *wait <= STEADY);
        self.usual = wait.map_or(Duration::ZERO, |wait| wait.max(self.usual * 7 / 8));
        let first = FIRST.max(self.usual * 3 / 2);
        self.next = Some((now + first, first));
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
