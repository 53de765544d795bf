//! To the background and, for a push, back for a moment.

use std::time::Duration;

use innsync_engine::Unfinished;
use innsync_protocol::PushHint;
use tokio::sync::oneshot;

use super::InnSync;
use crate::error::Error;
use crate::mailbox::{Alarm, Departure, Letter};

/// What going to the background came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backgrounded {
    /// Everything is confirmed or parked, everything that the server had is here, and the handle is quiet.
    Done,
    /// The handle is quiet, and something is left for the next time.
    Left {
        /// Operations saved on the phone and not yet confirmed (parked ones apart).
        operations: u32,
        /// Why. Displays as one sentence.
        why: Unfinished,
    },
    /// The app came back meanwhile: the handle is not quiet.
    CalledOff,
}

/// What a push came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushOutcome {
    /// Something new is on the phone, and nothing more is on the server.
    NewData,
    /// The phone had everything already.
    NoData,
    /// Not everything could be fetched; what came is on the phone.
    Failed {
        /// Why. Displays as one sentence.
        why: Unfinished,
    },
}

/// To the background, and woken there.
impl InnSync {
    /// The app goes to the background, and the platform gives it `budget`. Sends what can be sent and fetches what is there,
    /// as far as that goes in time, then is quiet as after [`InnSync::quiesce`], with no SQLite lock held (G22). Returns as soon
    /// as waiting is of no use: where nobody answers, nobody is signed in, the app is disconnected, or the handle is quiet
    /// already. Tokens that are being renewed are waited for, 4 s at most and as long as the budget lasts; 0.3 s of it are kept
    /// for closing the database.
    ///
    /// [`InnSync::resume`] and [`InnSync::foreground`] call it off; [`InnSync::quiesce`] cuts it short. Once called it is carried
    /// out, also when the future is dropped.
    ///
    /// Errors: `Closed`.
    pub async fn background(&self, budget: Duration) -> Result<Backgrounded, Error> {
        let (reply, outcome) = oneshot::channel();
        self.post(Letter::Background(Departure { until: self.after(budget), reply }))?;
        outcome.await.map_err(|_| Error::Closed)
    }

    /// A push notification woke the app. Goes on if the handle is quiet, asks the server at once what is new, and says what
    /// came of it within `timeout`, so that the platform can be told; then it is quiet again if it was before and nobody has
    /// resumed it meanwhile. What waits to be sent is sent, too.
    ///
    /// `payload` is the notification's, as JSON. `{"epoch": …, "seq": …}` in it says how far the feed is: where the phone is
    /// there already, the answer is `NoData` without a request. Anything else is passed over.
    ///
    /// The handle must want to be connected ([`InnSync::connect`], once after opening), else the answer is `Failed`.
    ///
    /// Errors: `Closed`; those of [`InnSync::resume`], where it was quiet and its database cannot be opened, are told as `Failed`.
    pub async fn push_received(&self, payload: &str, timeout: Duration) -> Result<PushOutcome, Error> {
        let (reply, outcome) = oneshot::channel();
        let (hint, until) = (PushHint::parse(payload), self.after(timeout));
        self.post(Letter::Push(Alarm { hint, until, reply }))?;
        outcome.await.map_err(|_| Error::Closed)
    }

    /// That time from now, in milliseconds of the boot's clock.
    fn after(&self, time: Duration) -> u64 {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.inner.shared.now().boot_ms.saturating_add(time)
    }
}
