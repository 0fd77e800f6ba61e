//! What went through, as numbers.

/// A snapshot of counters (since the start) and levels (now).
///
/// Everything is counted as the bus counts, headers included. A message in fragments counts as one message, but in the
/// queue each fragment counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Messages accepted into the queue, conflated ones included.
    pub accepted: u64,
    /// Messages that replaced an unsent one.
    pub conflated: u64,
    /// Messages accepted that travel in fragments.
    pub split: u64,
    /// Messages whose frames the bus accepted.
    pub messages: u64,
    /// Frames that the bus accepted.
    pub frames: u64,
    /// Their sizes together, as the bus counts.
    pub frame_bytes: u64,
    /// The largest frame allowed, as the bus counts.
    pub frame_limit: u64,
    /// Requests to the bus: frames, repetitions, heads. What the budget limits.
    pub publishes: u64,
    /// Publishes that failed, or of which nobody knows; each is repeated, or its messages are refused.
    pub failed: u64,
    /// Publishes of frames that were repetitions.
    pub retried: u64,
    /// Publishes that only repeated the head sequence.
    pub heads: u64,
    /// Messages given up because the bus refused their frame for good.
    pub refused: u64,
    /// Messages waiting for a frame.
    pub queued_messages: u64,
    /// Their bodies, bytes.
    pub queued_bytes: u64,
    /// Frames sealed and not yet accepted by the bus.
    pub in_flight: u64,
    /// Publishes that the budget allows at once; `None` without a budget.
    pub tokens: Option<u32>,
    /// Frames received, own and foreign ones included, duplicates and malformed ones not.
    pub received_frames: u64,
    /// Of those, one's own.
    pub own_frames: u64,
    /// Of those, frames without a header of ours.
    pub foreign_frames: u64,
    /// Messages handed to subscribed inner topics.
    pub delivered: u64,
    /// Of those, messages that came in fragments.
    pub reassembled: u64,
    /// Messages of which not all fragments came in time, or that were over the bounds.
    pub lost_partials: u64,
    /// Frames that had arrived before, or after their hole was given up.
    pub duplicates: u64,
    /// Gaps reported: holes in a sequence, unknown beginnings, losses that the bus itself reported.
    pub gaps: u64,
    /// Frames that could not be read.
    pub malformed: u64,
    /// Deliveries dropped because a consumer lagged.
    pub lagged: u64,
    /// Sequences of others and of one's own that are followed: one for each life of a sender and lane.
    pub streams: u64,
    /// Frames held behind holes.
    pub held_frames: u64,
}

impl Stats {
    /// How full the accepted frames were, from 0 to 1; 0 before the first. Frames of the strict profile may be over 1.
    #[must_use]
    pub fn fill(&self) -> f64 {
        let allowed = (self.frames * self.frame_limit) as f64;
        if allowed > 0.0 { self.frame_bytes as f64 / allowed } else { 0.0 }
    }
}
