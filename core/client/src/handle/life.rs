//! Sync and life: status, barrier, signing in and out, pausing, closing.

use std::time::Duration;

use innsync_engine::{Input, StoreRead, SyncStatus};
use tokio::sync::oneshot;

use super::{InnSync, PendingWork};
use crate::actor::waiting::Condition;
use crate::drivers::within;
use crate::error::Error;
use crate::mailbox::Letter;
use crate::opening::{Credentials, authenticate, revoke, session};
use crate::stream::Stream;

/// Sync and life.
impl InnSync {
    /// The sync status (seed §4.1).
    pub fn status(&self) -> SyncStatus {
        self.inner.shared.status()
    }

    /// The sync status, now and whenever it changes; a consumer that lags gets the newest alone.
    pub fn watch_status(&self) -> Stream<SyncStatus> {
        self.inner.shared.status.stream()
    }

    /// Waits until everything that the server had at the call is on the phone, and every earlier operation is confirmed
    /// or parked (G11). Needs to be connected, or to become so meanwhile.
    ///
    /// Errors: `Timeout`, or instead of it `ServerNotTrusted` where that is what kept it (a captive portal, most likely);
    /// `UpdateRequired` (see [`open`](crate::open)); `Closed`.
    pub async fn up_to_date(&self, timeout: Duration) -> Result<(), Error> {
        self.writable()?;
        let (reply, answer) = oneshot::channel();
        self.post(Letter::job(move |actor| actor.up_to_date(reply)))?;
        match within(timeout, answer).await? {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(self.no_answer()),
            None => Err(self.inner.shared.distrusted().map_or(Error::Timeout, Error::ServerNotTrusted)),
        }
    }

    async fn wait_for(&self, condition: Condition) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.post(Letter::job(move |actor| actor.wait_for(condition, reply)))?;
        answer.await.map_err(|_| self.no_answer())
    }

    /// Signs the same person in again, with their password, when [`SyncStatus::needs_sign_in`] says so.
    ///
    /// Errors: `SignInRequired` (wrong password), `Offline`, `ServerNotTrusted`, `UpdateRequired`, `TokenStoreFailed` (all is
    /// as before).
    pub async fn sign_in_again(&self, password: &str) -> Result<(), Error> {
        let shared = &self.inner.shared;
        let account = &shared.account;
        let asked = Credentials {
            property: &account.property,
            person: &account.person,
            password,
            device: &account.device,
        };
        let answer = authenticate(&self.inner.http, &shared.server, asked).await?;
        if answer.employee.id != account.employee {
            return Err(Error::InvalidInput("that name belongs to another employee now".to_owned()));
        }
        let session = session(&answer);
        let fresh = session.clone();
        // On the core's thread: a refresh that is answered just now saves there, too.
        let kept = self.ask(move |actor| {
            let shared = actor.shared();
            shared.sessions.save(&shared.account_key, &fresh)?;
            shared.set_session(Some(fresh.clone()));
            actor.input(Input::SignedIn(fresh));
            Ok(())
        });
        let kept = kept.await;
        if let Err(Error::TokenStoreFailed(_)) = kept {
            revoke(&self.inner.http, &shared.server, session).await?;
        }
        kept
    }

    /// Closes the database and every socket, so that the platform may suspend the app; returns when no lock is held
    /// (G22). Calls wait until [`InnSync::resume`]. While tokens are being renewed it waits for the new ones, at most 4 s; a
    /// `resume` that comes meanwhile calls it off, and it returns with the database still open.
    pub async fn quiesce(&self) -> Result<(), Error> {
        let (done, quiet) = oneshot::channel();
        self.post(Letter::Quiesce(done))?;
        quiet.await.map_err(|_| Error::Closed)
    }

    /// Goes on after [`InnSync::quiesce`]. Where the database cannot be opened (`StorageFull`, `AlreadyOpen`, …) the handle
    /// stays quiet, its streams and calls wait, and it can be tried again.
    pub async fn resume(&self) -> Result<(), Error> {
        let (done, goes_on) = oneshot::channel();
        self.post(Letter::Resume(done))?;
        goes_on.await.unwrap_or(Err(Error::Closed))
    }

    /// Signs out and closes: tokens are forgotten on the phone and, where it answers, on the server. What is on the
    /// phone stays, for when the person signs in again (G14).
    ///
    /// Errors: `Timeout` (with `Send`: not all could be sent, the person stays signed in), `UpdateRequired` (where there is
    /// unsent work and the database is of a newer release: choose `Keep`), `TokenStoreFailed` (the tokens
    /// could not be forgotten: the person stays signed in, the handle open).
    pub async fn sign_out(&self, pending: PendingWork) -> Result<(), Error> {
        match pending {
            PendingWork::Keep => {}
            PendingWork::Send(_) | PendingWork::Discard if self.outbox().await?.is_empty() => {}
            PendingWork::Send(limit) => self.send_all(limit).await?,
            PendingWork::Discard => self.discard_all().await?,
        }
        let shared = &self.inner.shared;
        shared.sessions.clear(&shared.account_key)?;
        self.close().await;
        // Once more: until the core had ended, a refresh may have brought new ones. The server forgets these in any case.
        if let Err(error) = shared.sessions.clear(&shared.account_key) {
            tracing::warn!(%error, "renewed tokens could not be forgotten");
        }
        if let Some(session) = shared.session() {
            revoke(&self.inner.http, &shared.server, session).await?;
        }
        Ok(())
    }

    async fn send_all(&self, limit: Duration) -> Result<(), Error> {
        self.writable()?;
        let before = self.ask(|actor| actor.next_order()).await?;
        within(limit, self.wait_for(Condition::Drained { before })).await?.unwrap_or(Err(Error::Timeout))
    }

    async fn discard_all(&self) -> Result<(), Error> {
        self.writable()?;
        self.ask(|actor| {
            // The newest first: without the parked one that holds it back, an operation would leave the phone.
            for queued in actor.store().outbox()?.into_iter().rev() {
                match actor.discard(queued.op.id) {
                    // What is on its way already can't be taken back.
                    Ok(()) | Err(Error::AlreadySent) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
        .await
    }

    /// Returns when the database is closed. Streams end, later calls fail with `Closed`. May be called twice.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.post(Letter::Close(Some(done))).is_ok() {
            let _ = closed.await;
        }
    }
}
