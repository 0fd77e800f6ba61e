//! What a server may send: a bucket for each limit that applies.

use transport_traits::limits::FleetRate;
use transport_traits::{Instant, TokenBucket};

/// Every bucket has to give a token for a frame.
#[derive(Debug)]
pub(crate) struct Budget(Vec<TokenBucket>);

impl Budget {
    /// This server's share of each rate.
    pub(crate) fn new<const N: usize>(rates: [Option<FleetRate>; N], now: Instant) -> Self {
        let bucket = |rate: FleetRate| TokenBucket::for_share(rate.share(), rate.window, now);
        Self(rates.into_iter().flatten().map(bucket).collect())
    }

    /// When there is a token in every bucket: `now` if there is one already, `None` if there never is.
    pub(crate) fn next_token(&self, now: Instant) -> Option<Instant> {
        self.0.iter().try_fold(now, |at, bucket| Some(at.max(bucket.next_token(now)?)))
    }

    /// Takes a token out of every bucket.
    pub(crate) fn take(&mut self, now: Instant) {
        for bucket in &mut self.0 {
            let taken = bucket.take(now);
            assert!(taken, "a token is only taken when there is one");
        }
    }
}
