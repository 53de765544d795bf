//! Situations that some runs should reach, or the checks say less than they seem to. The harness marks what it sees;
//! over many seeds each must have been seen, but for those that are only met with failing disks or in the long run.

macro_rules! sometimes {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// See the module.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum Sometimes { $($name),* }

        impl Sometimes {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What is seen, in a few words.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

sometimes! {
    // Operations.
    ParkedConflict = "an operation is parked as a conflict",
    ParkedRefused = "an operation is parked as refused",
    ParkedDependency = "an operation is parked since another did not succeed",
    ParkedTooLarge = "an operation is parked as too large",
    RefusedAtOnce = "a command is refused by the phone itself",
    Retried = "a parked operation is tried again",
    Discarded = "a parked operation is discarded",
    Merged = "an operation is merged",
    Skipped = "a consequence is skipped",
    Duplicate = "an operation comes to the server again",
    DependencyUnknown = "an operation comes before one that it depends on",
    Offered = "a confirmed operation is offered again",
    SentBySeveral = "two phones send one operation",
    LostByBackup = "a confirmed operation is lost with what a backup does not have",
    // Conflicts.
    MergedText = "two edits of a text are merged",
    LastWriteMine = "a later edit stays over another",
    LastWriteTheirs = "an edit comes too late",
    ParkedFields = "a person is asked about fields",
    EditOfDeleted = "what is edited was deleted",
    DeletionOfEdited = "what is deleted was changed unseen",
    Uncertain = "an operation comes without a measured time",
    SettledTheirs = "a person keeps what others wrote",
    SettledMine = "a person keeps what they wrote",
    SettledMerged = "a person writes by hand what shall be",
    ChangedMeanwhile = "a person may not settle what was changed since they looked",
    Restored = "a value that lost is restored",
    Dismissed = "somebody puts aside that they lost",
    LoserTold = "somebody is told that they lost",
    // Catching up.
    ResetScope = "a phone is told RESET SCOPE",
    ResetHistory = "a phone is told RESET HISTORY",
    ResetHorizon = "a phone is told RESET HORIZON",
    Together = "frames that waited are taken together",
    Gap = "a frame leaves a gap",
    OldFrame = "a frame tells what is known",
    MorePages = "a pull has more pages",
    PullOutlives = "a pull outlives its connection",
    Digest = "a digest is asked for",
    SnapshotCut = "a snapshot is cut",
    SnapshotResumed = "a cut snapshot goes on",
    SwappedUnderWork = "a snapshot is swapped in under an outbox that is not empty",
    PassedOver = "a phone passes over what it does not know",
    SlowCatchUp = "a catch-up on a socket takes longer than a heartbeat's answer waits",
    ObserverAway = "who watches a database comes back to it",
    UpToDate = "somebody is told that they are up to date",
    OtherHistory = "a phone leaves a history that the server lost",
    // Links and tokens.
    AnswerLost = "the answer to a push that took effect is lost",
    CopyOvertakes = "a doubled push takes effect before the push itself",
    DeadLink = "a dead link is noticed by silence",
    SilentPhone = "the server closes a silent socket",
    ServerStopped = "the server stops with sockets open",
    TokenRefreshed = "a token is refreshed",
    SignInRequired = "a person must sign in",
    Backgrounded = "an app is closed in the background",
    FrozenInBackground = "an app is frozen before it could be closed",
    WokenByPush = "a push wakes an app that is closed",
    HintKnown = "a push tells an app what it knows",
    HintNews = "a push that says how far the feed has come wakes an app",
    RestDone = "an app in the background has sent and fetched everything",
    RestLeft = "an app in the background gives up waiting",
    Suspended = "an app wakes after hours",
    OneWay = "a socket carries one direction alone",
    Refused = "a push that took effect is answered with a refusal",
    CutAnswer = "an answer's body breaks off",
    Captive = "a captive portal answers",
    // Lives.
    DiedBeforeCommit = "an app dies before a commit",
    DiedAfterCommit = "an app dies after a commit",
    DiedAmidOutputs = "an app dies amid what it says",
    StartedWithSent = "an app starts with an operation that may have been taken",
    StartedWithApplied = "an app starts with an operation whose commit it has not seen",
    StartedAmidSnapshot = "an app starts without the rest of its first snapshot",
    CommitFailed = "a commit fails",
    Rehired = "somebody is taken off the staff and back",
    ManyPhones = "twenty phones work at once",
    // Failing disks.
    DiskCrash = "an app dies within an operation of its disk",
    DiskPowerLoss = "the power fails within an operation of a disk",
    DiskIo = "a disk fails",
    DiskFull = "a disk is full",
    DiskBusy = "a database is locked",
    FailedCommitFound = "a commit that failed is found done after a death",
    // Effects.
    Emergency = "an emergency rings",
    Withdrawn = "an effect is withdrawn",
}
