//! Another server of a pool: which of its lives is known, how far its frames have come, and what is known of its log.

use std::cmp::Ordering;
use std::time::Duration;

use transport_traits::Instant;

use super::origin::Origin;
use super::repair::Pull;
use crate::wire::Header;

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) incarnation: u64,
    pub(super) sequence: u64,
    /// Which frames came of those just before `sequence`: bit n is that of `sequence - 1 - n`.
    earlier: u64,
    pub(super) heard: Instant,
    /// From when its silence counts: it was heard then, or everybody was given a full timeout.
    pub(super) grace: Instant,
    /// How long it had been silent then: only what others say of a server has an age.
    pub(super) age: Duration,
    /// The sequence that its frames had reached when others told of it, until it is heard itself. What they said
    /// holds until then.
    pub(super) told: Option<u64>,
    /// The hash of whom it believes alive, and the one here at that time.
    pub(super) believes: Option<(u32, u32)>,
    /// `None` if it was silent for too long or said good-bye; a newer frame raises it.
    pub(super) live: Option<Live>,
}

/// What is kept of a living server.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) origin: Origin,
    pub(crate) pull: Pull,
    /// When the log was last known anew because its hash was wrong.
    pub(crate) mismatch: Option<Instant>,
}

/// What a frame is that is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The newest of its sender: a sign of life.
    Newer,
    /// Overtaken by a newer one of its sender. What it says and asks still holds, but it is no sign of life.
    Late,
    /// It came before, or it is too late to tell. What it says of the log still holds.
    Repeated,
}

/// Why a frame is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// It is of an incarnation or a life that is over.
    Outdated,
    /// There is no room for another server.
    Refused,
}

impl Peer {
    pub(super) fn new(header: &Header, now: Instant) -> Self {
        let live = Live { origin: Origin::new(header), pull: Pull::default(), mismatch: None };
        Self {
            incarnation: header.incarnation,
            sequence: header.sequence,
            earlier: 0,
            heard: now,
            grace: now,
            age: Duration::ZERO,
            told: None,
            believes: None,
            live: Some(live),
        }
    }

    /// One of which somebody else said this, `age` after that heard it last.
    pub(super) fn told(header: &Header, now: Instant, age: Duration) -> Self {
        Self { age, told: Some(header.sequence), sequence: 0, ..Self::new(header, now) }
    }

    /// When it expires, or is forgotten.
    pub(super) fn deadline(&self, timeout: Duration) -> Instant {
        self.grace + if self.live.is_some() { timeout.saturating_sub(self.age) } else { 3 * timeout }
    }

    pub(super) fn is_incomplete(&self) -> bool {
        self.live.as_ref().is_some_and(|live| !live.origin.is_complete())
    }

    pub(super) fn admit(&mut self, header: &Header, now: Instant) -> Result<Admission, Rejection> {
        let newer = header.sequence > self.sequence;
        match (header.incarnation.cmp(&self.incarnation), &self.live) {
            (Ordering::Less, _) => Err(Rejection::Outdated),
            (Ordering::Equal, None) if !newer => Err(Rejection::Outdated),
            (Ordering::Equal, Some(_)) if !newer => Ok(self.admit_late(header.sequence)),
            (Ordering::Equal, Some(_)) if self.told.is_some_and(|told| header.sequence <= told) => {
                Ok(Admission::Repeated)
            }
            (Ordering::Equal, Some(_)) => {
                self.told = None;
                self.advance(header.sequence);
                (self.heard, self.grace, self.age) = (now, now, Duration::ZERO);
                Ok(Admission::Newer)
            }
            (Ordering::Equal, None) | (Ordering::Greater, _) => {
                *self = Self::new(header, now);
                Ok(Admission::Newer)
            }
        }
    }

    /// Moves the window of frames that came to a newer one, as receivers of IPsec do (RFC 4303, §3.4.3).
    const fn advance(&mut self, sequence: u64) {
        let step = sequence - self.sequence;
        self.earlier = if step > 64 {
            0
        } else {
            // The former newest, with those before it, moves down by the step.
            let moved = if step == 64 { 0 } else { self.earlier << step };
            moved | (1 << (step - 1))
        };
        self.sequence = sequence;
    }

    const fn admit_late(&mut self, sequence: u64) -> Admission {
        let age = self.sequence - sequence;
        if age == 0 || age > 64 || self.earlier & (1 << (age - 1)) != 0 {
            return Admission::Repeated;
        }
        self.earlier |= 1 << (age - 1);
        Admission::Late
    }
}
