//! When an idle sender repeats its head sequence, so that the loss of its last frames is noticed too.

use std::time::Duration;

use transport_traits::Instant;

const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(30);

/// A sender whose frames are further apart is not steady.
const STEADY: Duration = Duration::from_secs(4);

/// So many waits in a row, each about as long as those before, make a sender steady: heartbeats go on like that, while a
/// few saves one after another do not.
const ALIKE: u32 = 3;

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
    /// About the longest of the latest waits between frames that are alike.
    usual: Duration,
    /// How many those are, up to [`ALIKE`].
    alike: u32,
}

impl Heads {
    /// A frame was accepted or given up.
    pub(crate) fn restart(&mut self, now: Instant) {
        let wait = self.last.replace(now).map(|last| now.since(last));
        match wait.filter(|wait| *wait <= STEADY) {
            Some(wait) => self.learn(wait),
            None => self.alike = 0,
        }
        let first = if self.alike < ALIKE { FIRST } else { FIRST.max(self.usual * 3 / 2) };
        self.next = Some((now + first, first));
    }

    /// Alike are waits within a quarter of what is usual.
    fn learn(&mut self, wait: Duration) {
        if self.alike > 0 && wait.abs_diff(self.usual) <= self.usual / 4 {
            self.alike = (self.alike + 1).min(ALIKE);
            self.usual = wait.max(self.usual * 7 / 8);
        } else {
            (self.alike, self.usual) = (1, wait);
        }
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

#[cfg(test)]
mod tests;
