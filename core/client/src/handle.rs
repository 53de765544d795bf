//! The handle.

use std::time::Duration;

use innsync_domain::{Command, Uuid};
use innsync_engine::{ClientEvent, ConnectionState, Effect, ParkReason, QueuedOp, Receipt, SyncStatus};

use crate::error::Error;
use crate::screens::{Dashboard, Inbox, MyTasks, Screen, SuiteBoard, SyncLine, Unassigned, Urgent};
use crate::stores::Stores;
use crate::stream::Stream;
use crate::subscription::Subscription;

/// One person's InnSync on this phone. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub struct InnSync {}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Its effect is on the server, and in what the phone shows.
    Confirmed,
    /// It was not taken; a person decides.
    Parked(ParkReason),
    /// A person discarded it (or retried it under a new id).
    Discarded,
}

/// What becomes of unsent work at sign-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingWork {
    /// Waits until all was sent, at most so long; else `Error::Timeout`, and the person stays signed in.
    Send(Duration),
    /// Stays on the phone, sealed until the person signs in again.
    Keep,
    /// Is discarded, by the person's choice.
    Discard,
}

fn not_yet<T>() -> Result<T, Error> {
    Err(Error::Bug("not written yet".to_owned()))
}

/// Connection.
impl InnSync {
    /// Connects, and stays so: reconnects by itself until [`InnSync::disconnect`]. Returns at once.
    pub fn connect(&self) {}

    /// Disconnects (1000 `Client disconnect`), and stays so. Returns at once.
    pub fn disconnect(&self) {}

    /// The connection's state (seed §1.1).
    pub fn connection_state(&self) -> ConnectionState {
        ConnectionState::Disconnected
    }

    /// The connection's states from now on, the present one first; none is left out (of the last 64).
    pub fn watch_connection(&self) -> Stream<ConnectionState> {
        Stream::new(crate::stream::Queue::new(64))
    }

    /// The platform says whether there is a network, or that it is another one.
    pub fn network_changed(&self, available: bool) {
        let _ = available;
    }

    /// The app came to the foreground, or a push woke it: tries and checks at once.
    pub fn foreground(&self) {}

    /// Sends a frame that is not a command (SUBSCRIBE, or the application's own); queued while not connected, of which
    /// the newest 100 are kept. `frame` is a JSON object with a `type`, at most 256 KiB.
    pub fn send(&self, frame: &str) -> Result<(), Error> {
        let _ = frame;
        not_yet()
    }
}

/// Commands and the outbox.
impl InnSync {
    /// Carries out a command on the phone and queues it for the server. Returns when it is saved on disk; never waits
    /// for the network.
    ///
    /// Errors: `Rejected` (by the rules, at once), `StorageFull`, `Closed`.
    pub async fn execute(&self, command: Command) -> Result<Receipt, Error> {
        self.execute_after(command, Vec::new()).await
    }

    /// As [`InnSync::execute`], to be sent only after those operations have succeeded.
    pub async fn execute_after(&self, command: Command, depends_on: Vec<Uuid>) -> Result<Receipt, Error> {
        let _ = (command, depends_on);
        not_yet()
    }

    /// Tries a parked operation again; returns the new operation's id.
    pub async fn retry(&self, operation: Uuid) -> Result<Uuid, Error> {
        let _ = operation;
        not_yet()
    }

    /// Forgets a parked or queued operation, by a person's choice: what it predicted is undone.
    pub async fn discard(&self, operation: Uuid) -> Result<(), Error> {
        let _ = operation;
        not_yet()
    }

    /// The operations not yet confirmed, in order.
    pub async fn outbox(&self) -> Result<Vec<QueuedOp>, Error> {
        not_yet()
    }

    /// Waits until the operation is confirmed, parked or discarded; `Timeout` else.
    pub async fn settled(&self, operation: Uuid, timeout: Duration) -> Result<Outcome, Error> {
        let _ = (operation, timeout);
        not_yet()
    }

    /// Each change of an operation's state, from now on. The oldest are dropped when the consumer lags by 1,000.
    pub fn operations(&self) -> Stream<Receipt> {
        Stream::new(crate::stream::Queue::new(1_000))
    }

    /// A new id for what a command creates (UUID version 7).
    pub fn new_id(&self) -> Uuid {
        Uuid::nil()
    }
}

/// Data.
impl InnSync {
    /// The seed's four stores.
    pub fn stores(&self) -> Stores {
        Stores::new(self.clone())
    }

    /// A screen's content now.
    pub async fn screen<S: Screen>(&self) -> Result<S, Error> {
        not_yet()
    }

    /// A screen's content, now and whenever it changes; a consumer that lags gets the newest alone.
    pub fn watch<S: Screen>(&self) -> Stream<S> {
        Stream::new(crate::stream::Queue::new(1))
    }

    /// My open tasks.
    pub async fn my_tasks(&self) -> Result<MyTasks, Error> {
        self.screen().await
    }

    /// Tasks to be taken.
    pub async fn unassigned(&self) -> Result<Unassigned, Error> {
        self.screen().await
    }

    /// Urgent tasks and emergencies.
    pub async fn urgent(&self) -> Result<Urgent, Error> {
        self.screen().await
    }

    /// Suites by floor.
    pub async fn suite_board(&self) -> Result<SuiteBoard, Error> {
        self.screen().await
    }

    /// Figures.
    pub async fn dashboard(&self) -> Result<Dashboard, Error> {
        self.screen().await
    }

    /// News for me.
    pub async fn inbox(&self) -> Result<Inbox, Error> {
        self.screen().await
    }

    /// The one honest line about sync.
    pub async fn sync_line(&self) -> Result<SyncLine, Error> {
        self.screen().await
    }

    /// Fetches everything but the outbox anew; see [`Stores::refresh`].
    pub async fn refresh(&self) -> Result<(), Error> {
        not_yet()
    }

    /// Empties the cache; see [`Stores::clear`].
    pub async fn clear_cache(&self) -> Result<(), Error> {
        not_yet()
    }
}

/// What happened, and what must be shown.
impl InnSync {
    /// Calls `callback` for each event of that name: `connected`, `disconnected`, `error`, `reconnect_failed`,
    /// `notification`, or a type of the seed's §2 as `TASK_ASSIGNED`. In order, from a thread of the crate's own; a
    /// callback that panics or hangs hurts no other. Of those that wait, the newest 1,000 are kept.
    pub fn on(&self, name: &str, callback: impl Fn(&ClientEvent) + Send + Sync + 'static) -> Subscription {
        let _ = (name, callback);
        Subscription {}
    }

    /// All events, from now on. The oldest are dropped when the consumer lags by 1,000.
    pub fn events(&self) -> Stream<ClientEvent> {
        Stream::new(crate::stream::Queue::new(1_000))
    }

    /// What must be shown or sounded: first all that was not presented yet, then each as it arises.
    pub fn effects(&self) -> Stream<Effect> {
        Stream::new(crate::stream::Queue::new(1_000))
    }

    /// The shell has shown an effect: it does not come again, not even after a restart.
    pub fn presented(&self, effect: Uuid) {
        let _ = effect;
    }
}

/// Sync and life.
impl InnSync {
    /// The sync status (seed §4.1).
    pub fn status(&self) -> SyncStatus {
        SyncStatus {
            connection: ConnectionState::Disconnected,
            is_online: false,
            pending_changes: 0,
            parked: 0,
            sync_in_progress: false,
            last_sync_time: None,
            up_to_date_as_of: None,
            has_data: false,
            needs_sign_in: true,
        }
    }

    /// The sync status, now and whenever it changes; a consumer that lags gets the newest alone.
    pub fn watch_status(&self) -> Stream<SyncStatus> {
        Stream::new(crate::stream::Queue::new(1))
    }

    /// Waits until everything that the server had at the call is on the phone, and every earlier operation is confirmed
    /// or parked (G11); `Timeout` else.
    pub async fn up_to_date(&self, timeout: Duration) -> Result<(), Error> {
        let _ = timeout;
        not_yet()
    }

    /// Signs the same person in again, with their password, when [`SyncStatus::needs_sign_in`] says so.
    pub async fn sign_in_again(&self, password: &str) -> Result<(), Error> {
        let _ = password;
        not_yet()
    }

    /// Closes the database and every socket, so that the platform may suspend the app; returns when no lock is held
    /// (G22). Calls wait until [`InnSync::resume`].
    pub async fn quiesce(&self) -> Result<(), Error> {
        not_yet()
    }

    /// Goes on after [`InnSync::quiesce`].
    pub fn resume(&self) {}

    /// Signs out: tokens are forgotten on the phone and, where it answers, on the server. What is on the phone stays,
    /// for when the person signs in again (G14).
    pub async fn sign_out(&self, pending: PendingWork) -> Result<(), Error> {
        let _ = pending;
        not_yet()
    }

    /// Returns when the database is closed. Streams end, later calls fail with `Closed`.
    pub async fn close(&self) {}
}
