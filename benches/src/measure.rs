//! Timing of several subjects in turn, so that whatever slows the machine for a while slows all of them.

use std::time::Instant;

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

/// Runs every subject once a round, after one round that is not counted. Each round begins with another subject, so
/// that none always has the caches of the same one.
pub fn interleaved(rounds: usize, subjects: &mut [&mut dyn Subject]) -> Samples {
    let mut samples = Vec::with_capacity(rounds);
    for number in 0..=rounds {
        let mut round = vec![0.0; subjects.len()];
        for turn in 0..subjects.len() {
            let at = (number + turn) % subjects.len();
            round[at] = time(subjects[at]);
        }
        samples.push(round);
    }
    samples.remove(0);
    Samples(samples)
}

fn time(subject: &mut dyn Subject) -> f64 {
    subject.prepare();
    let start = Instant::now();
    subject.run();
    start.elapsed().as_nanos() as f64
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
        median(self.0.iter().map(|round| round[subject] / round[other]).collect())
    }
}

/// The middle one; the upper one of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
