//! Bugs on purpose: a checker that finds none of them is no checker.

/// What goes wrong in every server of a fleet, at the seam between its machines and the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// A counter is read and set to one more, and not incremented.
    SetsForIncrements,
    /// Writes to the store have no precondition.
    WritesBlindly,
    /// A write is told to have happened before the store has it, and one of four gets lost.
    AnswersBeforeTheWrite,
    /// Bulk messaging has no budget.
    NoBudget,
    /// Of two messages delivered at once the second comes first.
    SwapsMessages,
    /// Servers that are gone stay for an hour.
    KeepsGhosts,
    /// Heartbeats are not sent.
    NoHeartbeats,
    /// Save data hears neither messages nor that some are missing.
    DeafSaves,
}

impl Planted {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SetsForIncrements,
        Self::WritesBlindly,
        Self::AnswersBeforeTheWrite,
        Self::NoBudget,
        Self::SwapsMessages,
        Self::KeepsGhosts,
        Self::NoHeartbeats,
        Self::DeafSaves,
    ];
}
