//! To the background, and woken there.

use crate::mirror::{ToShell, choice};

choice!(
    /// Why not everything was sent and fetched.
    Unfinished = innsync_client::Unfinished {
        /// A person must sign in.
        SignInRequired,
        /// The app does not want to be connected.
        Disconnected,
        /// Nobody answers, or somebody else (a captive portal).
        Offline,
        /// The server answers, and wants it tried again later.
        ServerBusy,
        /// The phone's storage cannot be written.
        StorageFailed,
        /// What is left follows operations that are parked.
        NeedsPerson,
        /// The time given was over before.
        OutOfTime,
        /// It was quiet already, or somebody asked for that meanwhile.
        Quiet,
    }
);

/// What going to the background came to.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum Backgrounded {
    /// Everything is confirmed or parked, everything that the server had is here, and it is quiet.
    Done,
    /// It is quiet, and something is left for the next time.
    Left {
        /// Operations saved on the phone and not yet confirmed (parked ones apart).
        operations: u32,
        /// Why.
        why: Unfinished,
        /// Why, in one English sentence.
        sentence: String,
    },
    /// The app came back meanwhile: it is not quiet.
    CalledOff,
}

impl ToShell for innsync_client::Backgrounded {
    type Shell = Backgrounded;
    fn to_shell(self) -> Backgrounded {
        match self {
            Self::Done => Backgrounded::Done,
            Self::Left { operations, why } => {
                Backgrounded::Left { operations, why: why.to_shell(), sentence: why.to_string() }
            }
            Self::CalledOff => Backgrounded::CalledOff,
        }
    }
}

/// What a push came to.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum PushOutcome {
    /// Something new is on the phone, and nothing more is on the server.
    NewData,
    /// The phone had everything already.
    NoData,
    /// Not everything could be fetched; what came is on the phone.
    Failed {
        /// Why.
        why: Unfinished,
        /// Why, in one English sentence.
        sentence: String,
    },
}

impl ToShell for innsync_client::PushOutcome {
    type Shell = PushOutcome;
    fn to_shell(self) -> PushOutcome {
        match self {
            Self::NewData => PushOutcome::NewData,
            Self::NoData => PushOutcome::NoData,
            Self::Failed { why } => PushOutcome::Failed { why: why.to_shell(), sentence: why.to_string() },
        }
    }
}
