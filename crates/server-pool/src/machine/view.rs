//! Who owns each key: the greatest (stamp, server) among the claims of live servers.

use std::collections::HashMap;
use std::sync::Arc;

/// A server's claim to a key. Ordered as claims win over each other.
type Claim = (u64, Arc<str>);

/// The claims to each key. The maps are only looked up, never walked.
#[derive(Debug, Default)]
pub(crate) struct View {
    winners: HashMap<Arc<str>, Claim>,
    /// The other claims to a key. Hardly ever any.
    losers: HashMap<Arc<str>, Vec<Claim>>,
}

/// Who owned a key before and after something happened to one claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) before: Option<Arc<str>>,
    pub(crate) after: Option<Arc<str>>,
}

impl View {
    /// Keys that have an owner.
    pub(crate) fn len(&self) -> usize {
        self.winners.len()
    }

    /// The owner of a key and the stamp of its claim.
    pub(crate) fn winner(&self, key: &str) -> Option<&Claim> {
        self.winners.get(key)
    }

    /// Makes or renews a server's claim.
    pub(crate) fn claim(&mut self, key: &Arc<str>, server: &Arc<str>, stamp: u64) -> Shift {
        self.change(key, server, Some((stamp, server.clone())))
    }

    /// Takes a server's claim away, if it has one.
    pub(crate) fn release(&mut self, key: &str, server: &str) -> Shift {
        match self.winners.get_key_value(key) {
            Some((key, _)) => self.change(&key.clone(), server, None),
            None => Shift { before: None, after: None },
        }
    }

    /// Puts a claim in the place of a server's present one.
    fn change(&mut self, key: &Arc<str>, server: &str, claim: Option<Claim>) -> Shift {
        let winner = self.winners.remove(key);
        let before = winner.as_ref().map(|winner| winner.1.clone());
        let losers = self.losers.remove(key).unwrap_or_default();
        let others = winner.into_iter().chain(losers).filter(|claim| *claim.1 != *server);
        let mut claims: Vec<_> = others.chain(claim).collect();
        claims.sort_unstable();
        let winner = claims.pop();
        let after = winner.as_ref().map(|winner| winner.1.clone());
        if let Some(winner) = winner {
            self.winners.insert(key.clone(), winner);
        }
        if !claims.is_empty() {
            self.losers.insert(key.clone(), claims);
        }
        Shift { before, after }
    }
}
