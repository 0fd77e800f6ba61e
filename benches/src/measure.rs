//! Timing of several subjects in turn, so that whatever slows the machine for a while slows all of them.

mod clock;

use clock::Clock;

/// The [spread](crate::Figure::noisy) of resident memory, which the system counts in pages and the allocator asks for
/// in larger pieces.
pub const RESIDENT: f64 = 0.01;

/// Something that is timed.
pub trait Subject {
    /// Gets ready for the next [`run`](Self::run). Not timed.
    fn prepare(&mut self) {}

    /// What is timed.
    fn run(&mut self);
}

impl<F: FnMut()> Subject for F {
    fn run(&mut self) {
        self();
    }
}

/// Times in nanoseconds: a round an entry, and in it a subject an entry.
#[derive(Clone, Debug)]
pub struct Samples(Vec<Vec<f64>>);

/// Runs every subject once a round, after one round that is not counted, and takes the time that passes. Each round
/// begins with another subject, so that none always has the caches of the same one.
pub fn interleaved(rounds: usize, subjects: &mut [&mut dyn Subject]) -> Samples {
    timed_by(Clock::Wall, rounds, subjects)
}

/// The same for subjects that do all of their work on the calling thread: counted is only the time for which the
/// processor works on it. On a busy machine a long subject is interrupted more often than a short one, which would make
/// the long one look slower than it is. Where the system keeps no such account, it is [`interleaved`].
pub fn interleaved_on_this_thread(rounds: usize, subjects: &mut [&mut dyn Subject]) -> Samples {
    timed_by(Clock::ThisThread, rounds, subjects)
}

fn timed_by(clock: Clock, rounds: usize, subjects: &mut [&mut dyn Subject]) -> Samples {
    let mut samples = Vec::with_capacity(rounds);
    for number in 0..=rounds {
        let mut round = vec![0.0; subjects.len()];
        for turn in 0..subjects.len() {
            let at = (number + turn) % subjects.len();
            subjects[at].prepare();
            round[at] = clock.nanoseconds(|| subjects[at].run());
        }
        samples.push(round);
    }
    samples.remove(0);
    Samples(samples)
}

impl Samples {
    /// The median time of a subject, ns.
    #[must_use]
    pub fn median(&self, subject: usize) -> f64 {
        median(self.0.iter().map(|round| round[subject]).collect())
    }

    /// How many times as long as `other` the subject takes: the median of the rounds' quotients. A disturbance that
    /// lasts a round or longer is in both times of a quotient; a shorter one spoils single rounds only.
    #[must_use]
    pub fn times(&self, subject: usize, other: usize) -> f64 {
        median(self.quotients(subject, other))
    }

    /// How far the rounds' quotients lie apart: half of the range of their middle half, as a part of their median. It is
    /// the [spread](crate::Figure::noisy) of [`times`](Self::times) either way round; 0 of one round.
    #[must_use]
    pub fn spread(&self, subject: usize, other: usize) -> f64 {
        let mut quotients = self.quotients(subject, other);
        quotients.sort_unstable_by(f64::total_cmp);
        let quarter =
            |number: usize| quotients.get(quotients.len() * number / 4).copied().unwrap_or(f64::NAN);
        (quarter(3) - quarter(1)) / 2.0 / quarter(2)
    }

    fn quotients(&self, subject: usize, other: usize) -> Vec<f64> {
        self.0.iter().map(|round| round[subject] / round[other]).collect()
    }
}

/// The middle one; the upper one of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
