//! Who owns each key: the greatest (stamp, server) among the claims of live servers.

use std::collections::HashMap;
use std::sync::Arc;

/// A server's claim to a key. Ordered as claims win over each other.
type Claim = (u64, Arc<str>);

/// The claims to each key. The map is only looked up, never walked.
#[derive(Debug, Default)]
pub(crate) struct View {
    keys: HashMap<Arc<str>, Claims>,
}

/// The claims to one key. Hardly ever more than one.
#[derive(Debug)]
struct Claims {
    winner: Claim,
    losers: Vec<Claim>,
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
        self.keys.len()
    }

    /// The owner of a key and the stamp of its claim.
    pub(crate) fn winner(&self, key: &str) -> Option<&Claim> {
        self.keys.get(key).map(|claims| &claims.winner)
    }

    /// Makes or renews a server's claim.
    pub(crate) fn claim(&mut self, key: &Arc<str>, server: &Arc<str>, stamp: u64) -> Shift {
        let Some(claims) = self.keys.get_mut(key) else {
            self.keys.insert(key.clone(), Claims { winner: (stamp, server.clone()), losers: Vec::new() });
            return Shift { before: None, after: Some(server.clone()) };
        };
        let before = claims.winner.1.clone();
        claims.losers.retain(|claim| claim.1 != *server);
        if before == *server {
            claims.winner.0 = stamp;
        } else {
            claims.losers.push((stamp, server.clone()));
        }
        claims.settle();
        Shift { before: Some(before), after: Some(claims.winner.1.clone()) }
    }

    /// Takes a server's claim away, if it has one.
    pub(crate) fn release(&mut self, key: &str, server: &str) -> Shift {
        let Some(claims) = self.keys.get_mut(key) else { return Shift { before: None, after: None } };
        let before = Some(claims.winner.1.clone());
        claims.losers.retain(|claim| *claim.1 != *server);
        if *claims.winner.1 == *server {
            let Some(next) = claims.losers.pop() else {
                self.keys.remove(key);
                return Shift { before, after: None };
            };
            claims.winner = next;
            claims.settle();
        }
        Shift { before, after: Some(claims.winner.1.clone()) }
    }
}

impl Claims {
    /// Puts the greatest claim first.
    fn settle(&mut self) {
        for claim in &mut self.losers {
            if *claim > self.winner {
                std::mem::swap(claim, &mut self.winner);
            }
        }
    }
}
