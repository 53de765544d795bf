import Foundation
import InnSyncCore

/// One person's InnSync on this phone: what an app has of it.
///
/// Get one with ``signIn(_:password:tokens:)`` or ``open(_:tokens:)``; in previews and tests of the user interface use
/// ``FakeInnSync``. Everything may be called from any task or thread.
///
/// What the app does is a ``Command`` given to ``execute(_:dependsOn:)``, which returns when it is saved on the phone and
/// never waits for the network. What the app shows comes from streams, which tell of the change at once. Calls throw
/// ``InnSyncError``; those with a time limit also `CancellationError` when their task is cancelled.
public protocol InnSync: Sendable {
    // MARK: Who, and connection

    /// Whom it belongs to.
    var account: Account { get }

    /// A new id for what a command creates.
    func newID() throws -> UUID

    /// Connects, and stays so: reconnects by itself until ``disconnect()``. Returns at once.
    func connect() throws

    /// Disconnects, and stays so. Returns at once.
    func disconnect() throws

    /// The connection's state.
    func connectionState() throws -> ConnectionState

    /// The connection's states, the present one first.
    func connectionStates() -> InnSyncStream<ConnectionState>

    /// Sends a frame of the app's own, a JSON object; queued while not connected, of which the newest 100 are kept.
    func sendFrame(_ json: String) throws

    // MARK: Commands and the outbox

    /// Carries out a command on the phone and queues it for the server, to be sent after the operations it depends on.
    ///
    /// Returns when it is saved on disk. Once called it is carried out, also when the calling task is cancelled. Throws
    /// ``InnSyncError/rejected(_:)`` at once where the rules forbid it.
    func execute(_ command: Command, dependsOn operations: [UUID]) async throws -> Receipt

    /// Tries a parked operation again; returns the new operation's id. Throws ``InnSyncError/invalidInput(detail:)`` where it is
    /// not parked or the phone has no data yet, ``InnSyncError/rejected(_:)`` by the rules, at once.
    func retry(_ operation: UUID) async throws -> UUID

    /// Tries a parked operation again with another command about the same entity, in its place; returns the new operation.
    ///
    /// Throws ``InnSyncError/rejected(_:)`` where the phone refuses it already; then the parked one stays as it was.
    @discardableResult
    func edit(_ operation: UUID, to command: Command) async throws -> Receipt

    /// Settles a conflict of ``conflicts()``; returns the operation that settles it. To leave it for later nothing is called.
    ///
    /// Throws ``InnSyncError/rejected(_:)``, and the operation stays as it was: `changedMeanwhile` where somebody changed it
    /// once more (the sheet shows that by now), `notInConflict` where it waits for no such decision, `invalidField` where
    /// merged values leave out a field in dispute or name one that the change is not about, or by the rules;
    /// ``InnSyncError/invalidInput(detail:)`` where there is no such operation, or it is not parked.
    ///
    /// - Parameters:
    ///   - operation: the sheet's operation.
    ///   - version: the sheet's version, as the person looked at it.
    ///   - choice: what the person chose.
    @discardableResult
    func settle(_ operation: UUID, seen version: UInt64?, choice: Settlement) async throws -> Receipt

    /// Writes a value that lost a conflict after all: a new operation, by the rules for such an edit.
    ///
    /// Throws ``InnSyncError/invalidInput(detail:)`` where no such conflict is known (they are kept for 30 days),
    /// ``InnSyncError/rejected(_:)`` by the rules, at once.
    @discardableResult
    func restore(_ conflict: UUID) async throws -> Receipt

    /// Puts conflicts aside, as read. Throws what ``execute(_:dependsOn:)`` does.
    @discardableResult
    func dismiss(_ conflicts: [UUID]) async throws -> Receipt

    /// Takes back what this person did last on this phone. While it has not left the phone, it is as if it had never been: the
    /// receipt has no state, and ``discarded()`` keeps the operation for 30 days. After that the opposite is done, by the rules
    /// for that: the receipt is of that new operation.
    ///
    /// Throws ``InnSyncError/rejected(_:)``, with nothing done: `nothingToUndo` where nothing was done since the app was
    /// opened, or there is no way back from it (a comment, an alarm, a deletion); `changedMeanwhile` where somebody has changed
    /// the same since; or by the rules.
    @discardableResult
    func undo() async throws -> Receipt

    /// What ``undo()`` would take back, for the button that offers it; nil: nothing.
    func undoable() async throws -> Undoable?

    /// The operations that build on that one, directly or through others, in order: declared so, or about an entity that it
    /// creates.
    func dependents(of operation: UUID) async throws -> [QueuedOp]

    /// As ``discard(_:)``, with all that builds on it; says what was forgotten. What has left the phone already stays.
    @discardableResult
    func discardWithDependents(_ operation: UUID) async throws -> [UUID]

    /// What was discarded in the last 30 days, the latest first.
    func discarded() async throws -> [Discarded]

    /// Everything that this person did and the server has not confirmed, and what they discarded in the last 30 days, as
    /// JSON, for a file to be handed in.
    func exportWork() async throws -> String

    /// Forgets an operation that is parked, or never left the phone, by a person's choice: what it predicted is undone. It is
    /// kept for 30 days: ``discarded()``.
    func discard(_ operation: UUID) async throws

    /// The operations not yet confirmed, in order.
    func outbox() async throws -> [QueuedOp]

    /// Waits until the operation is confirmed, parked or discarded; throws ``InnSyncError/timeout`` else.
    func settled(_ operation: UUID, within limit: Duration) async throws -> Outcome

    /// Why an operation is not confirmed yet, in one English sentence; nil: it is not in the outbox.
    func whyWaiting(_ operation: UUID) async throws -> String?

    /// Each change of an operation's state after it was saved, from now on.
    func operations() -> InnSyncStream<Receipt>

    // MARK: Data

    /// The entities that match, as they are shown now.
    func query(_ query: Query) async throws -> [Entity]

    /// One entity as it is shown now; nil: there is no such one.
    func get(_ entity: EntityRef) async throws -> Entity?

    /// The entities that match, now and whenever they change: the whole list each time.
    func live(_ query: Query) -> InnSyncStream<[Entity]>

    /// Asks for everything but the outbox to be fetched anew.
    func refresh() async throws

    /// Forgets what the phone holds of one kind, and fetches it when the network allows; the outbox stays.
    func clear(_ kind: EntityKind) async throws

    /// Empties the cache; the outbox stays, and all is fetched anew when there is a network.
    func clearCache() async throws

    // MARK: Screens

    /// My open tasks, now and whenever they change: the most urgent first, then by floor and suite.
    func myTasks() -> InnSyncStream<MyTasks>

    /// Tasks to be taken, now and whenever they change.
    func unassigned() -> InnSyncStream<Unassigned>

    /// Urgent tasks and emergencies, now and whenever they change.
    func urgent() -> InnSyncStream<Urgent>

    /// Suites by floor, now and whenever they change.
    func suiteBoard() -> InnSyncStream<SuiteBoard>

    /// Figures, now and whenever they change.
    func dashboard() -> InnSyncStream<Dashboard>

    /// News for me, now and whenever they change.
    func inbox() -> InnSyncStream<Inbox>

    /// What waits for my decision, and what of mine lost in the last 30 days, now and whenever it changes. Sheets follow what
    /// others do meanwhile.
    func conflicts() -> InnSyncStream<Conflicts>

    /// The one honest line about sync, now and whenever it changes.
    func syncLine() -> InnSyncStream<SyncLine>

    /// The sync status.
    func status() throws -> SyncStatus

    /// The sync status, now and whenever it changes.
    func statuses() -> InnSyncStream<SyncStatus>

    // MARK: What happens

    /// What happens, from now on. The oldest are dropped when the consumer lags by 1,000.
    func events() -> InnSyncStream<Event>

    /// What must be shown or sounded: first all that was not presented yet, then each as it arises. Give the id of what was
    /// shown to ``presented(_:)``.
    func effects() -> InnSyncStream<Effect>

    /// As the function `InnSyncKit.logLines`, until this is closed.
    func logLines(_ level: LogLevel) -> InnSyncStream<LogLine>

    /// An effect was shown: it does not come again, not even after a restart.
    func presented(_ effect: UUID) throws

    // MARK: Life

    /// The platform says whether there is a network, or that it is another one.
    func networkChanged(available: Bool) throws

    /// The app came to the foreground: tries and checks at once, and calls off a ``background(within:)`` under way. One that is
    /// quiet wants ``resume()`` first.
    func foreground() throws

    /// The app goes to the background, and the platform gives it so long: sends what can be sent and fetches what is there, as
    /// far as that goes in time, then is quiet as after ``quiesce()``. Returns as soon as waiting is of no use.
    ///
    /// ``resume()`` and ``foreground()`` call it off, ``quiesce()`` cuts it short. Once called it is carried out, also when the
    /// calling task is cancelled.
    @discardableResult
    func background(within budget: Duration) async throws -> Backgrounded

    /// A push notification woke the app: goes on if it is quiet, asks the server at once what is new, and says within that time
    /// what came of it; then it is quiet again if it was before. It must want to be connected: ``connect()``, once after
    /// opening.
    ///
    /// - Parameters:
    ///   - payload: the notification's `userInfo` as JSON. An `epoch` and a `seq` in it say how far the feed is, so that a phone
    ///     that is there already need not ask; anything else is passed over.
    ///   - limit: how long an answer may take.
    func pushReceived(_ payload: String, within limit: Duration) async throws -> PushOutcome

    /// Everything that explains where it stands, as one JSON document to be attached to a message to support. To be had
    /// offline, and while it is quiet. Holds no tokens, no names, and nothing that people wrote.
    func diagnostics() async throws -> String

    /// Waits until everything that the server had at the call is on the phone, and every earlier operation is confirmed or
    /// parked; throws ``InnSyncError/timeout`` else.
    func upToDate(within limit: Duration) async throws

    /// Closes the database and every socket, so that the platform may suspend the app; returns when no lock is held.
    func quiesce() async throws

    /// Goes on after ``quiesce()``. Where the database cannot be opened it stays quiet, and this can be tried again.
    func resume() async throws

    /// Signs the same person in again, when the status says that this is needed. Where it throws, all is as before.
    func signInAgain(password: String) async throws

    /// Signs out and shuts down. What is on the phone stays, for when the person signs in again.
    ///
    /// Throws ``InnSyncError/timeout`` where not all could be sent that should have been, and
    /// ``InnSyncError/tokenStoreFailed(detail:)`` where the tokens could not be forgotten: the person stays signed in.
    func signOut(_ pending: PendingWork) async throws

    /// Returns when the database is closed and no lock is held. Streams end, later calls throw ``InnSyncError/closed``. May
    /// be called twice.
    func close() async throws
}

extension InnSync {
    /// Carries out a command that depends on no other.
    @discardableResult
    public func execute(_ command: Command) async throws -> Receipt {
        try await execute(command, dependsOn: [])
    }
}

extension PendingWork {
    /// Waits until all was sent, at most so long; else ``InnSyncError/timeout``, and the person stays signed in.
    public static func send(within limit: Duration) -> PendingWork {
        .send(timeoutMs: limit.milliseconds)
    }
}
