//! The handle: one person's InnSync on this phone.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use innsync_client::{Error, InnSync, Options, Uuid};

use crate::background::{Backgrounded, PushOutcome};
use crate::commands::Command;
use crate::conflicts::{Conflicts, Settlement};
use crate::entities::{Entity, EntityRef};
use crate::errors::{InnSyncError, caught, caught_async};
use crate::log::{LogLevel, LogStream};
use crate::mirror::{ToCore, ToShell, record};
use crate::outbox::{Discarded, Outcome, PendingWork, QueuedOp, Receipt, Undoable};
use crate::queries::Query;
use crate::screens::{Dashboard, Inbox, MyTasks, SuiteBoard, Unassigned, Urgent};
use crate::status::{ConnectionState, SyncLine, SyncStatus};
use crate::streams::{
    ConflictsStream, ConnectionStream, DashboardStream, EffectStream, EventStream, InboxStream,
    MyTasksStream, OperationStream, StatusStream, SuiteBoardStream, SyncLineStream, UnassignedStream,
    UpdateStream, UrgentStream,
};
use crate::tokens::{PlatformTokens, TokenStore};
use crate::vocabulary::EntityKind;

/// Which database to open, and by whom. One database is kept for each server, property and person.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Settings {
    /// The server's base URL, `https://sync.example.com`; without a path.
    pub server: String,
    /// The property's id, `seaside`.
    pub property: String,
    /// The name that the person signs in with, `ana`.
    pub person: String,
    /// Where databases are kept; made when needed.
    pub directory: String,
    /// The phone's name, 1 to 100 characters; none: a random one that is kept in the directory.
    #[uniffi(default = None)]
    pub device: Option<String>,
    /// Certificates (DER) trusted besides Mozilla's, for a server with a private one.
    #[uniffi(default = [])]
    pub extra_roots: Vec<Vec<u8>>,
}

impl Settings {
    fn options(self, tokens: Option<Arc<dyn TokenStore>>) -> Options {
        let mut options = Options::new(self.server, self.property, self.person, self.directory);
        options.extra_roots = self.extra_roots;
        if let Some(device) = self.device {
            options = options.device(device);
        }
        match tokens {
            Some(tokens) => options.sessions(Arc::new(PlatformTokens(tokens))),
            None => options,
        }
    }
}

record!(
    /// A person who has signed in on this phone at some time; their data may still be on it.
    Account = innsync_client::Account {
        /// The server's base URL.
        server: String,
        /// The property's id.
        property: String,
        /// The name that the person signs in with.
        person: String,
        /// Their employee id.
        employee: Uuid,
        /// Their name as others see it, when they last signed in.
        name: String,
        /// The phone's name.
        device: String,
    }
);

/// One person's InnSync on this phone.
#[derive(uniffi::Object)]
pub struct InnSyncHandle {
    innsync: InnSync,
}

fn handle(innsync: InnSync) -> Arc<InnSyncHandle> {
    Arc::new(InnSyncHandle { innsync })
}

/// Signs in with a password and opens the person's database.
///
/// Errors: `SignInRequired` (property, name or password wrong), `Offline`, `ServerNotTrusted`, `UpdateRequired`,
/// `TokenStoreFailed` (the tokens could not be kept: nobody is signed in, what is on the phone stays), and those of
/// `openAccount`.
#[uniffi::export]
pub async fn sign_in(
    settings: Settings,
    password: String,
    tokens: Option<Arc<dyn TokenStore>>,
) -> Result<Arc<InnSyncHandle>, InnSyncError> {
    caught_async(async {
        innsync_client::keep_log_lines();
        innsync_client::sign_in(settings.options(tokens), &password).await.map(handle)
    })
    .await
}

/// Opens the database of a person who has signed in on this phone before. Needs no network. Blocks for some
/// milliseconds; for at most two seconds while a handle that has it open is being closed, or where another process has it.
///
/// One that a newer release of the app has written is opened for reading alone: the sync line is `UpdateRequired`, and so is
/// the error of whatever would write.
///
/// Errors: `SignInRequired` (never signed in here), `AlreadyOpen`, `UpdateRequired`, `StorageCorrupt`, `StorageFull`,
/// `InvalidInput`.
#[uniffi::export]
pub fn open_account(
    settings: Settings,
    tokens: Option<Arc<dyn TokenStore>>,
) -> Result<Arc<InnSyncHandle>, InnSyncError> {
    caught(|| {
        innsync_client::keep_log_lines();
        innsync_client::open(settings.options(tokens)).map(handle)
    })
}

/// Everybody who has signed in on this phone, by property and name.
#[uniffi::export]
pub fn accounts(directory: String) -> Result<Vec<Account>, InnSyncError> {
    caught(|| Ok(innsync_client::accounts(directory.as_ref()).to_shell()))
}

/// Panics, so that an app can try that its reporting of bugs works: gives `Bug`, and the next call works.
#[uniffi::export]
pub fn raise_test_bug() -> Result<(), InnSyncError> {
    // Without the panic hook: nothing on the standard error of who tries it.
    caught(|| resume_unwind(Box::new("raised on purpose, to try the reporting of bugs")))
}

/// Who and where; connection.
#[uniffi::export]
impl InnSyncHandle {
    /// Whom it belongs to.
    pub fn account(&self) -> Result<Account, InnSyncError> {
        caught(|| Ok(self.innsync.account().clone().to_shell()))
    }

    /// A new id for what a command creates (UUID version 7).
    pub fn new_id(&self) -> Result<Uuid, InnSyncError> {
        caught(|| Ok(self.innsync.new_id()))
    }

    /// Connects, and stays so: reconnects by itself until `disconnect`. Returns at once.
    pub fn connect(&self) -> Result<(), InnSyncError> {
        caught(|| Ok(self.innsync.connect()))
    }

    /// Disconnects, and stays so. Returns at once.
    pub fn disconnect(&self) -> Result<(), InnSyncError> {
        caught(|| Ok(self.innsync.disconnect()))
    }

    /// The connection's state.
    pub fn connection_state(&self) -> Result<ConnectionState, InnSyncError> {
        caught(|| Ok(self.innsync.connection_state().to_shell()))
    }

    /// The platform says whether there is a network, or that it is another one.
    pub fn network_changed(&self, available: bool) -> Result<(), InnSyncError> {
        caught(|| Ok(self.innsync.network_changed(available)))
    }

    /// The app came to the foreground: tries and checks at once, and calls off a `background` under way. One that is quiet wants
    /// `resume` first.
    pub fn foreground(&self) -> Result<(), InnSyncError> {
        caught(|| Ok(self.innsync.foreground()))
    }

    /// Sends a frame that is not a command; queued while not connected, of which the newest 100 are kept.
    ///
    /// Errors: `InvalidInput` (no JSON object with a `type`, or over 256 KiB), `Closed`.
    pub fn send_frame(&self, json: String) -> Result<(), InnSyncError> {
        caught(|| self.innsync.send(&json))
    }

    /// The sync status.
    pub fn status(&self) -> Result<SyncStatus, InnSyncError> {
        caught(|| Ok(self.innsync.status().to_shell()))
    }

    /// An effect was shown: it does not come again, not even after a restart.
    pub fn presented(&self, effect: Uuid) -> Result<(), InnSyncError> {
        caught(|| Ok(self.innsync.presented(effect)))
    }
}

/// Commands and the outbox.
#[uniffi::export]
impl InnSyncHandle {
    /// Carries out a command on the phone and queues it for the server, to be sent after the operations it depends on.
    /// Returns when it is saved on disk; never waits for the network. Once called it is carried out, also when the call
    /// is cancelled.
    ///
    /// Errors: `Rejected` (by the rules, at once), `StorageFull`, `Closed`.
    pub async fn execute(&self, command: Command, depends_on: Vec<Uuid>) -> Result<Receipt, InnSyncError> {
        caught_async(async {
            self.innsync.execute_after(command.to_core(), depends_on).await.map(ToShell::to_shell)
        })
        .await
    }

    /// Tries a parked operation again; returns the new operation's id.
    ///
    /// Errors: `InvalidInput` (it is not parked, or the phone has no data yet), `Rejected` (by the rules, at once),
    /// `StorageFull`, `Closed`.
    pub async fn retry(&self, operation: Uuid) -> Result<Uuid, InnSyncError> {
        caught_async(self.innsync.retry(operation)).await
    }

    /// Tries a parked operation again with another command about the same entity, in its place; returns the new operation.
    ///
    /// Errors: `Rejected` (the phone refuses it already, and the parked one stays as it was), `InvalidInput` (there is no
    /// such operation), `StorageFull`, `Closed`.
    pub async fn edit(&self, operation: Uuid, command: Command) -> Result<Receipt, InnSyncError> {
        caught_async(async { self.innsync.edit(operation, command.to_core()).await.map(ToShell::to_shell) })
            .await
    }

    /// Settles a conflict of the screen `conflicts`. `seen`: the `version` of the sheet that the person looked at. Returns the
    /// operation that settles it.
    ///
    /// Errors: `Rejected` (`CHANGED_MEANWHILE`: somebody changed it once more, look again; by the rules), and the operation
    /// stays as it was; `InvalidInput` (there is no such operation), `StorageFull`, `Closed`.
    pub async fn settle(
        &self,
        operation: Uuid,
        seen: Option<u64>,
        choice: Settlement,
    ) -> Result<Receipt, InnSyncError> {
        caught_async(async {
            self.innsync.settle(operation, seen, choice.to_core()).await.map(ToShell::to_shell)
        })
        .await
    }

    /// Writes a value that lost a conflict after all: a new operation, by the rules for such an edit.
    ///
    /// Errors: `InvalidInput` (no such conflict is known; they are kept for 30 days), `Rejected`, `StorageFull`, `Closed`.
    pub async fn restore(&self, conflict: Uuid) -> Result<Receipt, InnSyncError> {
        caught_async(async { self.innsync.restore(conflict).await.map(ToShell::to_shell) }).await
    }

    /// Puts conflicts aside, as read.
    ///
    /// Errors: as `execute`.
    pub async fn dismiss(&self, conflicts: Vec<Uuid>) -> Result<Receipt, InnSyncError> {
        caught_async(async { self.innsync.dismiss(conflicts).await.map(ToShell::to_shell) }).await
    }

    /// Takes back what this person did last on this phone: while it has not left the phone it is as if it had never been
    /// (the receipt has no state then); after that the opposite is done, by the rules for that. Nothing is done where
    /// somebody has changed the same since. What was discarded is kept for 30 days (`discarded`).
    ///
    /// Errors: `Rejected` (`NothingToUndo`: nothing was done since the app was opened, or there is no way back from it, as
    /// from a comment, an alarm or a deletion; `ChangedMeanwhile`; by the rules), `StorageFull`, `Closed`.
    pub async fn undo(&self) -> Result<Receipt, InnSyncError> {
        caught_async(async { self.innsync.undo().await.map(ToShell::to_shell) }).await
    }

    /// What `undo` would take back, for the button that offers it; none: nothing.
    pub async fn undoable(&self) -> Result<Option<Undoable>, InnSyncError> {
        caught_async(async { self.innsync.undoable().await.map(ToShell::to_shell) }).await
    }

    /// The operations that build on that one, directly or through others, in order: declared so, or about an entity that it
    /// creates.
    pub async fn dependents(&self, operation: Uuid) -> Result<Vec<QueuedOp>, InnSyncError> {
        caught_async(async { self.innsync.dependents(operation).await.map(ToShell::to_shell) }).await
    }

    /// As `discard`, with all that builds on it; says what was forgotten. What has left the phone already stays.
    pub async fn discard_with_dependents(&self, operation: Uuid) -> Result<Vec<Uuid>, InnSyncError> {
        caught_async(self.innsync.discard_with_dependents(operation)).await
    }

    /// What was discarded in the last 30 days, the latest first.
    pub async fn discarded(&self) -> Result<Vec<Discarded>, InnSyncError> {
        caught_async(async { self.innsync.discarded().await.map(ToShell::to_shell) }).await
    }

    /// Everything that this person did and the server has not confirmed, and what they discarded in the last 30 days, as
    /// JSON: `{"property", "person", "at", "outbox": […], "discarded": […], "unreadable": […]}`, for a file to be handed in.
    pub async fn export_work(&self) -> Result<String, InnSyncError> {
        caught_async(self.innsync.export_work()).await
    }

    /// Forgets an operation that is parked, or has never left the phone, by a person's choice: what it predicted is undone. It
    /// is kept for 30 days.
    ///
    /// Errors: `AlreadySent` (the server may have carried it out), `InvalidInput` (there is no such operation).
    pub async fn discard(&self, operation: Uuid) -> Result<(), InnSyncError> {
        caught_async(self.innsync.discard(operation)).await
    }

    /// The operations not yet confirmed, in order.
    pub async fn outbox(&self) -> Result<Vec<QueuedOp>, InnSyncError> {
        caught_async(async { self.innsync.outbox().await.map(ToShell::to_shell) }).await
    }

    /// Waits until the operation is confirmed, parked or discarded; `Timeout` else. One that the phone does not know (any
    /// more) counts as confirmed.
    pub async fn settled(&self, operation: Uuid, timeout_ms: u64) -> Result<Outcome, InnSyncError> {
        caught_async(async {
            let timeout = Duration::from_millis(timeout_ms);
            self.innsync.settled(operation, timeout).await.map(ToShell::to_shell)
        })
        .await
    }

    /// Why an operation is not confirmed yet, in one English sentence; none: it is not in the outbox.
    pub async fn why_waiting(&self, operation: Uuid) -> Result<Option<String>, InnSyncError> {
        caught_async(self.innsync.why_waiting(operation)).await
    }
}

/// Data: once.
#[uniffi::export]
impl InnSyncHandle {
    /// The entities that match, as they are shown now.
    pub async fn query(&self, query: Query) -> Result<Vec<Entity>, InnSyncError> {
        caught_async(async { self.innsync.query(query.to_core()).await.map(ToShell::to_shell) }).await
    }

    /// One entity as it is shown now; none: there is no such one.
    pub async fn get(&self, entity: EntityRef) -> Result<Option<Entity>, InnSyncError> {
        caught_async(async { self.innsync.get(entity.to_core()).await.map(ToShell::to_shell) }).await
    }

    /// My open tasks.
    pub async fn my_tasks(&self) -> Result<MyTasks, InnSyncError> {
        caught_async(async { self.innsync.my_tasks().await.map(ToShell::to_shell) }).await
    }

    /// Tasks to be taken.
    pub async fn unassigned(&self) -> Result<Unassigned, InnSyncError> {
        caught_async(async { self.innsync.unassigned().await.map(ToShell::to_shell) }).await
    }

    /// Urgent tasks and emergencies.
    pub async fn urgent(&self) -> Result<Urgent, InnSyncError> {
        caught_async(async { self.innsync.urgent().await.map(ToShell::to_shell) }).await
    }

    /// Suites by floor.
    pub async fn suite_board(&self) -> Result<SuiteBoard, InnSyncError> {
        caught_async(async { self.innsync.suite_board().await.map(ToShell::to_shell) }).await
    }

    /// Figures.
    pub async fn dashboard(&self) -> Result<Dashboard, InnSyncError> {
        caught_async(async { self.innsync.dashboard().await.map(ToShell::to_shell) }).await
    }

    /// News for me.
    pub async fn inbox(&self) -> Result<Inbox, InnSyncError> {
        caught_async(async { self.innsync.inbox().await.map(ToShell::to_shell) }).await
    }

    /// What waits for my decision, and what of mine lost.
    pub async fn conflicts(&self) -> Result<Conflicts, InnSyncError> {
        caught_async(async { self.innsync.conflicts().await.map(ToShell::to_shell) }).await
    }

    /// The one honest line about sync.
    pub async fn sync_line(&self) -> Result<SyncLine, InnSyncError> {
        caught_async(async { self.innsync.sync_line().await.map(ToShell::to_shell) }).await
    }

    /// Asks for everything but the outbox to be fetched anew.
    pub async fn refresh(&self) -> Result<(), InnSyncError> {
        caught_async(self.innsync.refresh()).await
    }

    /// Forgets what the phone holds of one kind, and fetches it when the network allows; the outbox stays.
    pub async fn clear_kind(&self, kind: EntityKind) -> Result<(), InnSyncError> {
        caught_async(self.innsync.clear_kind(kind.to_core())).await
    }

    /// Empties the cache; the outbox stays, and all is fetched anew when there is a network.
    pub async fn clear_cache(&self) -> Result<(), InnSyncError> {
        caught_async(self.innsync.clear_cache()).await
    }
}

/// Data: streams.
#[uniffi::export]
impl InnSyncHandle {
    /// The connection's states, the present one first.
    pub fn watch_connection(&self) -> Result<Arc<ConnectionStream>, InnSyncError> {
        caught(|| Ok(ConnectionStream::new(self.innsync.watch_connection())))
    }

    /// As the function `logLines`, until the handle is closed.
    pub fn log_lines(&self, level: LogLevel) -> Result<Arc<LogStream>, InnSyncError> {
        caught(|| self.innsync.log_lines(level.to_core()).map(LogStream::new))
    }

    /// The sync status, now and whenever it changes; a consumer that lags gets the newest alone.
    pub fn watch_status(&self) -> Result<Arc<StatusStream>, InnSyncError> {
        caught(|| Ok(StatusStream::new(self.innsync.watch_status())))
    }

    /// Each change of an operation's state after it was saved, from now on.
    pub fn operations(&self) -> Result<Arc<OperationStream>, InnSyncError> {
        caught(|| Ok(OperationStream::new(self.innsync.operations())))
    }

    /// What happens, from now on. The oldest are dropped when the consumer lags by 1,000.
    pub fn events(&self) -> Result<Arc<EventStream>, InnSyncError> {
        caught(|| Ok(EventStream::new(self.innsync.events())))
    }

    /// What must be shown or sounded: first all that was not presented yet, then each as it arises. Toasts and short sounds
    /// wait for an hour at most; an emergency that is over is told by `EmergencyOver`.
    pub fn effects(&self) -> Result<Arc<EffectStream>, InnSyncError> {
        caught(|| Ok(EffectStream::new(self.innsync.effects())))
    }

    /// The entities that match, now and as they change: a `Reset`, then diffs.
    pub fn live(&self, query: Query) -> Result<Arc<UpdateStream>, InnSyncError> {
        caught(|| Ok(UpdateStream::new(self.innsync.live(query.to_core()))))
    }

    /// My open tasks, now and whenever they change.
    pub fn watch_my_tasks(&self) -> Result<Arc<MyTasksStream>, InnSyncError> {
        caught(|| Ok(MyTasksStream::new(self.innsync.watch())))
    }

    /// Tasks to be taken, now and whenever they change.
    pub fn watch_unassigned(&self) -> Result<Arc<UnassignedStream>, InnSyncError> {
        caught(|| Ok(UnassignedStream::new(self.innsync.watch())))
    }

    /// Urgent tasks and emergencies, now and whenever they change.
    pub fn watch_urgent(&self) -> Result<Arc<UrgentStream>, InnSyncError> {
        caught(|| Ok(UrgentStream::new(self.innsync.watch())))
    }

    /// Suites by floor, now and whenever they change.
    pub fn watch_suite_board(&self) -> Result<Arc<SuiteBoardStream>, InnSyncError> {
        caught(|| Ok(SuiteBoardStream::new(self.innsync.watch())))
    }

    /// Figures, now and whenever they change.
    pub fn watch_dashboard(&self) -> Result<Arc<DashboardStream>, InnSyncError> {
        caught(|| Ok(DashboardStream::new(self.innsync.watch())))
    }

    /// News for me, now and whenever they change.
    pub fn watch_inbox(&self) -> Result<Arc<InboxStream>, InnSyncError> {
        caught(|| Ok(InboxStream::new(self.innsync.watch())))
    }

    /// What waits for my decision, and what of mine lost, now and whenever it changes.
    pub fn watch_conflicts(&self) -> Result<Arc<ConflictsStream>, InnSyncError> {
        caught(|| Ok(ConflictsStream::new(self.innsync.watch())))
    }

    /// The line about sync, now and whenever it changes.
    pub fn watch_sync_line(&self) -> Result<Arc<SyncLineStream>, InnSyncError> {
        caught(|| Ok(SyncLineStream::new(self.innsync.watch())))
    }
}

/// Life.
#[uniffi::export]
impl InnSyncHandle {
    /// Waits until everything that the server had at the call is on the phone, and every earlier operation is confirmed
    /// or parked; `Timeout` else.
    pub async fn up_to_date(&self, timeout_ms: u64) -> Result<(), InnSyncError> {
        caught_async(self.innsync.up_to_date(Duration::from_millis(timeout_ms))).await
    }

    /// Signs the same person in again, when the status says that this is needed.
    ///
    /// Errors: `SignInRequired` (wrong password), `Offline`, `ServerNotTrusted`, `UpdateRequired`, `TokenStoreFailed` (all is
    /// as before).
    pub async fn sign_in_again(&self, password: String) -> Result<(), InnSyncError> {
        caught_async(self.innsync.sign_in_again(&password)).await
    }

    /// The app goes to the background, and the platform gives it so long: sends what can be sent and fetches what is there, as
    /// far as that goes in time, then is quiet as after `quiesce`. Returns as soon as waiting is of no use. `resume` and
    /// `foreground` call it off, `quiesce` cuts it short. Once called it is carried out, also when the call is cancelled.
    pub async fn background(&self, budget_ms: u64) -> Result<Backgrounded, InnSyncError> {
        let budget = Duration::from_millis(budget_ms);
        caught_async(async { self.innsync.background(budget).await.map(ToShell::to_shell) }).await
    }

    /// A push notification woke the app: goes on if it is quiet, asks the server at once what is new, and says within that time
    /// what came of it; then it is quiet again if it was before. `payload` is the notification's, as JSON: an `epoch` and a
    /// `seq` in it say how far the feed is, so that a phone that is there already need not ask. It must want to be connected
    /// (`connect`, once after opening).
    pub async fn push_received(&self, payload: String, timeout_ms: u64) -> Result<PushOutcome, InnSyncError> {
        let timeout = Duration::from_millis(timeout_ms);
        caught_async(async { self.innsync.push_received(&payload, timeout).await.map(ToShell::to_shell) })
            .await
    }

    /// Everything that explains where it stands, as one JSON document for a support person. To be had offline, and while it is
    /// quiet. Holds ids, kinds, states, times and sizes; no tokens, no names, and nothing that people wrote.
    pub async fn diagnostics(&self) -> Result<String, InnSyncError> {
        caught_async(self.innsync.diagnostics()).await
    }

    /// Closes the database and every socket, so that the platform may suspend the app; returns when no lock is held. While
    /// tokens are being renewed it waits for the new ones, at most 4 s.
    pub async fn quiesce(&self) -> Result<(), InnSyncError> {
        caught_async(self.innsync.quiesce()).await
    }

    /// Goes on after `quiesce`. Where the database cannot be opened (`StorageFull`, `AlreadyOpen`, …) the handle stays quiet,
    /// its streams and calls wait, and it can be tried again.
    pub async fn resume(&self) -> Result<(), InnSyncError> {
        caught_async(self.innsync.resume()).await
    }

    /// Signs out and shuts down. What is on the phone stays, for when the person signs in again.
    ///
    /// Errors: `Timeout` (with `Send`: not all could be sent, the person stays signed in),
    /// `TokenStoreFailed` (the tokens could not be forgotten: the person stays signed in, the handle open).
    pub async fn sign_out(&self, pending: PendingWork) -> Result<(), InnSyncError> {
        caught_async(self.innsync.sign_out(pending.to_core())).await
    }

    /// Returns when the database is closed and no lock is held. Streams end, later calls fail with `Closed`. May be called
    /// twice.
    pub async fn shut_down(&self) -> Result<(), InnSyncError> {
        caught_async(async { Ok::<_, Error>(self.innsync.close().await) }).await
    }
}
