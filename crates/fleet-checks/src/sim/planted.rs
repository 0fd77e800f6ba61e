//! Bugs on purpose: a checker that finds none of them is no checker.

/// What goes wrong in every server of a fleet, at the seam between its machines and the world: what a machine with that bug
/// would say or hear is said or heard in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// A counter is read and set to one more, and not incremented.
    SetsForIncrements,
    /// Writes to the store have no precondition.
    WritesBlindly,
    /// A write is told to have happened before the store has it, and one of four gets lost: the journal is cleared before
    /// the write.
    AnswersBeforeTheWrite,
    /// A flush is over as soon as it is asked for.
    DurableAtOnce,
    /// What a stored record says of applied operations is not read.
    SkipsAppliedIds,
    /// An operation of another server is taken in although one before it is missing.
    AdoptsWithHoles,
    /// An update that runs again after a conflict does half of what it did.
    HalvesRepeatedUpdates,
    /// An update is told to be done as soon as it is asked for.
    UpdatesDoneAtOnce,
    /// Bulk messaging has no budget.
    NoBudget,
    /// A failed publish is repeated at once, beside the budget.
    RetriesWithoutBudget,
    /// Of two messages delivered at once the second comes first.
    SwapsMessages,
    /// Every message is delivered twice.
    DoublesMessages,
    /// Queues have no bounds.
    NoBounds,
    /// Servers that are gone stay for an hour.
    KeepsGhosts,
    /// Heartbeats are not sent.
    NoHeartbeats,
    /// A withdrawn entry vanishes at home, and nobody is told.
    ForgetsTombstones,
    /// A server that stood still for longer than the timeout holds itself for dead, and is silent from then on.
    AcceptsOwnDeath,
    /// Who was once taken for dead is not heard any more.
    DeathIsFinal,
    /// A view that was out of date once is held for out of date from then on.
    StaysStale,
    /// A server that leaves says nothing.
    LeavesSilently,
    /// A server that leaves does not save.
    LeavesUnsaved,
    /// Save data hears neither messages nor that some are missing.
    DeafSaves,
    /// Save data hears no messages, and looks into the store every 15 s.
    PollingSaves,
}

impl Planted {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::SetsForIncrements,
        Self::WritesBlindly,
        Self::AnswersBeforeTheWrite,
        Self::DurableAtOnce,
        Self::SkipsAppliedIds,
        Self::AdoptsWithHoles,
        Self::HalvesRepeatedUpdates,
        Self::UpdatesDoneAtOnce,
        Self::NoBudget,
        Self::RetriesWithoutBudget,
        Self::SwapsMessages,
        Self::DoublesMessages,
        Self::NoBounds,
        Self::KeepsGhosts,
        Self::NoHeartbeats,
        Self::ForgetsTombstones,
        Self::AcceptsOwnDeath,
        Self::DeathIsFinal,
        Self::StaysStale,
        Self::LeavesSilently,
        Self::LeavesUnsaved,
        Self::DeafSaves,
        Self::PollingSaves,
    ];

    /// The checker that has to find it.
    #[must_use]
    pub const fn finder(self) -> &'static str {
        match self {
            Self::SetsForIncrements
            | Self::WritesBlindly
            | Self::AnswersBeforeTheWrite
            | Self::DurableAtOnce
            | Self::SkipsAppliedIds
            | Self::LeavesUnsaved => "ledger",
            Self::AdoptsWithHoles => "prefix",
            Self::HalvesRepeatedUpdates | Self::UpdatesDoneAtOnce => "updates",
            Self::NoBudget | Self::RetriesWithoutBudget => "budget",
            Self::SwapsMessages | Self::DoublesMessages => "order",
            Self::NoBounds => "memory",
            Self::KeepsGhosts => "ghosts",
            Self::NoHeartbeats => "false deaths",
            Self::ForgetsTombstones | Self::AcceptsOwnDeath | Self::DeathIsFinal => "pools",
            Self::StaysStale => "fresh",
            Self::LeavesSilently => "leave",
            Self::DeafSaves => "save data",
            Self::PollingSaves => "staleness",
        }
    }

    /// The scenario that brings it to light.
    #[must_use]
    pub const fn scenario(self) -> &'static str {
        match self {
            Self::DurableAtOnce | Self::LeavesUnsaved | Self::UpdatesDoneAtOnce => "crashes",
            Self::SkipsAppliedIds => "unknown-outcomes",
            Self::AdoptsWithHoles => "lost-messages",
            Self::HalvesRepeatedUpdates => "slow-store",
            Self::RetriesWithoutBudget | Self::NoBounds => "flood",
            Self::AcceptsOwnDeath | Self::DeathIsFinal => "partitions",
            // The first shows where servers have little else to say, the second where views get out of date.
            Self::NoHeartbeats | Self::StaysStale => "silence",
            _ => "swarm",
        }
    }
}
