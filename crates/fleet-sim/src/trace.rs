//! What happened, as a hash of all of it and as lines of the latest.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use transport_traits::{ErrorKind, Instant};

use crate::HostId;

/// One thing that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TraceEntry {
    /// When.
    pub at: Instant,
    /// Where, if it was on a server.
    pub host: Option<HostId>,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Happening {
    /// A process began.
    Started,
    /// A process ended: by itself, or by a crash.
    Ended {
        /// It was a crash.
        crashed: bool,
    },
    /// A process stands still until then.
    Paused(Instant),
    /// Its connection to the bus broke and was made anew.
    Reconnected,
    /// Its wall clock was set: so many microseconds ahead of the simulation's.
    ClockSet(i64),
    /// It was polled because the time had come.
    Woken,
    /// It published the message of this number.
    Published {
        /// Counts publishes.
        number: u64,
        /// The hash of topic and body.
        hash: u64,
        /// What the bus answered.
        answer: Result<(), ErrorKind>,
    },
    /// The message of this number was delivered to it.
    Delivered(u64),
    /// A call of its was answered.
    Answered(u64),
    /// Its call to the store was carried out: the number of writes since.
    Carried(usize),
    /// What whoever runs the simulation had to say.
    Note(Arc<str>),
}

/// The hash of everything that happened, and the latest of it.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    latest: VecDeque<TraceEntry>,
    pub(crate) keep: usize,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { hash: START, latest: VecDeque::new(), keep: 0 }
    }

    pub(crate) fn note(&mut self, at: Instant, host: Option<HostId>, what: Happening) {
        let (kind, detail) = what.digest();
        let host_number = host.map_or(u64::MAX, |HostId(number)| u64::from(number));
        self.hash = [at.as_micros(), host_number, kind, detail].into_iter().fold(self.hash, mix);
        if self.keep > 0 {
            while self.latest.len() >= self.keep {
                self.latest.pop_front();
            }
            self.latest.push_back(TraceEntry { at, host, what });
        }
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn latest(&self) -> impl Iterator<Item = &TraceEntry> {
        self.latest.iter()
    }
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

/// A step of a hash that is the same on every machine. (The multiplier is that of Steele and Vigna, *Computationally
/// easy, spectrally good multipliers*, for 64 bits.)
const fn mix(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0xf135_7aea_2e62_a9c5).rotate_left(26)
}

/// The hash of some bytes.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let whole = chunks
        .iter()
        .fold(mix(START, bytes.len() as u64), |hash, chunk| mix(hash, u64::from_le_bytes(*chunk)));
    rest.iter().fold(whole, |hash, &byte| mix(hash, byte.into()))
}

impl Happening {
    /// A number for the kind, and one for the rest.
    fn digest(&self) -> (u64, u64) {
        match self {
            Self::Started => (1, 0),
            Self::Ended { crashed } => (2, u64::from(*crashed)),
            Self::Paused(until) => (3, until.as_micros()),
            Self::ClockSet(ahead) => (4, ahead.cast_unsigned()),
            Self::Woken => (5, 0),
            Self::Published { number, hash, answer } => {
                (6, mix(mix(*number, *hash), u64::from(answer.is_ok())))
            }
            Self::Delivered(number) => (7, *number),
            Self::Answered(call) => (8, *call),
            Self::Carried(commits) => (9, *commits as u64),
            Self::Note(text) => (10, hash_bytes(text.as_bytes())),
            Self::Reconnected => (11, 0),
        }
    }
}

impl fmt::Display for TraceEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.at)?;
        if let Some(host) = self.host {
            write!(f, "{host} ")?;
        }
        match &self.what {
            Happening::Started => f.write_str("starts"),
            Happening::Ended { crashed: true } => f.write_str("crashes"),
            Happening::Ended { crashed: false } => f.write_str("exits"),
            Happening::Paused(until) => write!(f, "stands still until {until}"),
            Happening::ClockSet(ahead) => write!(f, "has its clock {ahead} µs ahead"),
            Happening::Reconnected => f.write_str("connects to the bus anew"),
            Happening::Woken => f.write_str("wakes"),
            Happening::Published { number, answer: Ok(()), .. } => write!(f, "publishes #{number}"),
            Happening::Published { number, answer: Err(kind), .. } => {
                write!(f, "publishes #{number}: {kind}")
            }
            Happening::Delivered(number) => write!(f, "receives #{number}"),
            Happening::Answered(call) => write!(f, "gets the answer to call {call}"),
            Happening::Carried(commits) => {
                write!(f, "has a call carried out, after which there are {commits} writes")
            }
            Happening::Note(text) => f.write_str(text),
        }
    }
}
