//! Counters, for dashboards and tests.

/// What happened so far in all pools of a server, and how things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Frames handed to the publisher, repeated ones too.
    pub frames_sent: u64,
    /// Frames that the publisher failed to send, or may have.
    pub frames_failed: u64,
    /// Frames of other servers that were understood.
    pub frames_received: u64,
    /// Bodies dropped because they are no frames of this protocol's version.
    pub malformed: u64,
    /// Frames dropped because they are of a life that is over.
    pub outdated: u64,
    /// Frames dropped because they bear this server's name and a later incarnation: two servers have one
    /// name.
    pub impostors: u64,
    /// Frames dropped and entries left out to keep memory bounded.
    pub refused: u64,
    /// Requests and lines of lists left out, since the name of the server in them does not even fit into a frame
    /// alone.
    pub oversized: u64,
    /// How often this server went on under a greater incarnation, since others knew of a later one than its own.
    pub refutations: u64,
    /// Claims of a later incarnation of this server that were not believed.
    pub disbelieved: u64,
    /// Gaps that the bus reported.
    pub gaps: u64,
    /// Frames sent to ask for something missing.
    pub pulls_sent: u64,
    /// Parts of the log sent again: to those who asked or joined, or after a failure.
    pub parts_repeated: u64,
    /// Parts of other servers' logs that came from a checkpoint.
    pub parts_loaded: u64,
    /// Logs known anew because their hash was wrong.
    pub hash_mismatches: u64,
    /// Own contributions taken back because another server contributed the key later.
    pub overtaken: u64,
    /// Servers removed for silence.
    pub expired: u64,
    /// Values that are no JSON form of the type that their pool is read as.
    pub undecodable: u64,
    /// Other servers alive, summed over the pools.
    pub servers: u64,
    /// Keys, summed over the pools.
    pub entries: u64,
}

/// Counts something, and warns the 1st, 2nd, 4th, 8th … time: a flood of it must not flood the log.
pub(crate) fn count(counter: &mut u64, what: &str) {
    *counter += 1;
    if counter.is_power_of_two() {
        tracing::warn!(count = *counter, "{what}");
    }
}
