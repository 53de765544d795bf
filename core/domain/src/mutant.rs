//! Fifteen mistakes that somebody might make, one at a time: what the simulation is tried with. Each is one short condition
//! at the place where it would be made.
//!
//! They are in builds with the feature `mutants` alone, which only `innsync-simulation` asks for, when told to
//! (`cargo xtask sim --mutants`). In all others [`is`] is `false` while the code is compiled, and nothing is left of them.

use std::fmt;

/// A mistake. What the simulation is expected to say of each is in docs/testing.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mutant {
    /// The phone forgets the operations of a push that was answered 500.
    OperationDroppedOn500 = 1,
    /// The phone's store commits the cursor by itself, before the rows that it stands for.
    CursorBeforeCommit,
    /// The server does not look whether it knows an operation already.
    DedupeForgotten,
    /// The time of the next push is not among the engine's deadlines.
    WakeMissing,
    /// A prediction is taken off the screen once the server has taken the operation, before its effect is here.
    OverlayEarly,
    /// Whoever loses sight of something is not told: a task that was given to somebody else stays.
    LeakOnReassignment,
    /// Neither side compares marks: another history with the same epoch is taken for the same.
    MarkIgnored,
    /// An attempt that was refused for its token is counted like any other.
    RetryOn401,
    /// Of the operations that hang together only those that touch a changed row are replayed over it.
    LaneNotRebased,
    /// What an operation's prediction only read is not part of its footprint.
    FootprintForgotten,
    /// A toast is shown in the step that wants it, and written in the next.
    EffectBeforeCommit,
    /// A snapshot takes the place of everything, and what it says of operations is not listened to.
    SnapshotWithoutOutcomes,
    /// An intent counts by the phone's wall clock, as it is set.
    LastByWallClock,
    /// A value that lost to a later one is not recorded.
    LoserNotRecorded,
    /// Where a field of a patch is merged, the patch's other fields are lost.
    MergeDropsFields,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::OperationDroppedOn500,
        Self::CursorBeforeCommit,
        Self::DedupeForgotten,
        Self::WakeMissing,
        Self::OverlayEarly,
        Self::LeakOnReassignment,
        Self::MarkIgnored,
        Self::RetryOn401,
        Self::LaneNotRebased,
        Self::FootprintForgotten,
        Self::EffectBeforeCommit,
        Self::SnapshotWithoutOutcomes,
        Self::LastByWallClock,
        Self::LoserNotRecorded,
        Self::MergeDropsFields,
    ];

    /// Its name, `cursor-before-commit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::OperationDroppedOn500 => "operation-dropped-on-500",
            Self::CursorBeforeCommit => "cursor-before-commit",
            Self::DedupeForgotten => "dedupe-forgotten",
            Self::WakeMissing => "wake-missing",
            Self::OverlayEarly => "overlay-early",
            Self::LeakOnReassignment => "leak-on-reassignment",
            Self::MarkIgnored => "mark-ignored",
            Self::RetryOn401 => "retry-on-401",
            Self::LaneNotRebased => "lane-not-rebased",
            Self::FootprintForgotten => "footprint-forgotten",
            Self::EffectBeforeCommit => "effect-before-commit",
            Self::SnapshotWithoutOutcomes => "snapshot-without-outcomes",
            Self::LastByWallClock => "last-by-wall-clock",
            Self::LoserNotRecorded => "loser-not-recorded",
            Self::MergeDropsFields => "merge-drops-fields",
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(feature = "mutants")]
mod chosen {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Mutant;

    /// Which one there is; 0: none.
    static CHOSEN: AtomicU8 = AtomicU8::new(0);

    /// Puts a mistake into this process, in place of the one before it; `None`: none.
    pub fn choose(mutant: Option<Mutant>) {
        CHOSEN.store(mutant.map_or(0, |mutant| mutant as u8), Ordering::Relaxed);
    }

    /// Whether that mistake is made.
    pub fn is(mutant: Mutant) -> bool {
        CHOSEN.load(Ordering::Relaxed) == mutant as u8
    }
}

#[cfg(feature = "mutants")]
pub use chosen::{choose, is};

/// Whether that mistake is made: never, in this build.
#[cfg(not(feature = "mutants"))]
pub const fn is(_: Mutant) -> bool {
    false
}
