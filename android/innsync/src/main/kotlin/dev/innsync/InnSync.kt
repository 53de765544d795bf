package dev.innsync

import dev.innsync.core.Account
import dev.innsync.core.Backgrounded
import dev.innsync.core.Command
import dev.innsync.core.Conflicts
import dev.innsync.core.ConnectionState
import dev.innsync.core.Dashboard
import dev.innsync.core.Discarded
import dev.innsync.core.Effect
import dev.innsync.core.Entity
import dev.innsync.core.EntityKind
import dev.innsync.core.EntityRef
import dev.innsync.core.Event
import dev.innsync.core.Inbox
import dev.innsync.core.LogLevel
import dev.innsync.core.LogLine
import dev.innsync.core.MyTasks
import dev.innsync.core.Outcome
import dev.innsync.core.PendingWork
import dev.innsync.core.PushOutcome
import dev.innsync.core.Query
import dev.innsync.core.QueuedOp
import dev.innsync.core.Receipt
import dev.innsync.core.Settlement
import dev.innsync.core.SuiteBoard
import dev.innsync.core.SyncLine
import dev.innsync.core.SyncStatus
import dev.innsync.core.Unassigned
import dev.innsync.core.Undoable
import dev.innsync.core.Urgent
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import java.util.UUID
import kotlin.time.Duration

/**
 * One person's InnSync on this phone.
 *
 * Made by [InnSyncs]; [FakeInnSync] stands in for it in previews and tests of screens. One is enough for the whole app:
 * hold it where the process holds what is single.
 *
 * - Any function may be called from any thread, also the main one: none blocks.
 * - What fails throws [dev.innsync.core.InnSyncException], of which each case is something that the app does.
 * - Flows are cold: each collector begins at the present state and costs nothing after it went. All end when this
 *   InnSync is closed.
 */
public interface InnSync {
    /** Whom it belongs to. */
    public val account: Account

    /** The connection's state. */
    public val connection: StateFlow<ConnectionState>

    /** What a person is told of sync: counts, times, whether they must sign in. */
    public val status: StateFlow<SyncStatus>

    /** My open tasks: the most urgent first, then by floor and suite. */
    public val myTasks: Flow<MyTasks>

    /** Open tasks that nobody has taken and that I could take. */
    public val unassigned: Flow<Unassigned>

    /** Urgent tasks and emergencies. */
    public val urgent: Flow<Urgent>

    /** The suites by floor. */
    public val suiteBoard: Flow<SuiteBoard>

    /** Figures for supervisors and managers. */
    public val dashboard: Flow<Dashboard>

    /** News for me. */
    public val inbox: Flow<Inbox>

    /** What waits for my decision, and what of mine lost in the last 30 days. Sheets follow what others do meanwhile. */
    public val conflicts: Flow<Conflicts>

    /** The one honest line about sync. */
    public val syncLine: Flow<SyncLine>

    /** What happens, from now on. The oldest are dropped for a collector that lags by 1,000. */
    public val events: Flow<Event>

    /**
     * What must be shown or sounded: first all that was not [presented] yet, then each as it arises. Toasts and short
     * sounds wait for an hour at most; an emergency that is over is told by `EmergencyOver`. To be collected in one place;
     * [present] is the shortest way.
     */
    public val effects: Flow<Effect>

    /** Each change of an operation's state, from now on. */
    public val operations: Flow<Receipt>

    /** As [InnSyncs.logLines], until this InnSync is closed. */
    public fun logLines(level: LogLevel = LogLevel.INFO): Flow<LogLine>

    /** The entities that match, now and whenever they change. */
    public fun live(query: Query): Flow<List<Entity>>

    /** The entities that match, as they are shown now. */
    public suspend fun query(query: Query): List<Entity>

    /** One entity as it is shown now; null: there is no such one. */
    public suspend fun get(entity: EntityRef): Entity?

    /** A new id for what a command creates. */
    public fun newId(): UUID

    /**
     * Carries out a command on the phone and queues it for the server, to be sent after the operations [dependsOn].
     *
     * Returns when it is saved on disk; never waits for the network. Once called it is carried out, also when the caller
     * is cancelled.
     */
    public suspend fun execute(command: Command, dependsOn: List<UUID> = emptyList()): Receipt

    /**
     * Tries a parked operation again; returns the new operation's id.
     *
     * Throws `InvalidInput` where it is not parked or the phone has no data yet, `Rejected` by the rules, at once.
     */
    public suspend fun retry(operation: UUID): UUID

    /**
     * Tries a parked operation again with another [command] about the same entity, in its place; returns the new one.
     *
     * Throws `Rejected` where the phone refuses it already (the parked one stays as it was), `InvalidInput` where there is
     * no such operation.
     */
    public suspend fun edit(operation: UUID, command: Command): Receipt

    /**
     * Settles a conflict of [conflicts]; returns the operation that settles it. To leave it for later nothing is called.
     *
     * Throws `Rejected`, and the operation stays as it was: `ChangedMeanwhile` where somebody changed it once more (the
     * sheet shows that by now), `NotInConflict` where it waits for no such decision, `InvalidField` where merged values
     * leave out a field in dispute or name one that the change is not about, or by the rules; `InvalidInput` where there
     * is no such operation, or it is not parked.
     *
     * @param operation the sheet's operation.
     * @param seen the sheet's version, as the person looked at it.
     * @param choice what the person chose.
     */
    public suspend fun settle(operation: UUID, seen: ULong?, choice: Settlement): Receipt

    /**
     * Writes a value that lost a [conflict] after all: a new operation, by the rules for such an edit.
     *
     * Throws `InvalidInput` where no such conflict is known (they are kept for 30 days), `Rejected` by the rules, at once.
     */
    public suspend fun restore(conflict: UUID): Receipt

    /** Puts [conflicts] aside, as read. Throws what [execute] does. */
    public suspend fun dismiss(conflicts: List<UUID>): Receipt

    /**
     * Takes back what this person did last on this phone. While it has not left the phone, it is as if it had never been:
     * the receipt has no state, and [discarded] keeps the operation for 30 days. After that the opposite is done, by the
     * rules for that: the receipt is of that new operation.
     *
     * Throws `Rejected`, with nothing done: `NothingToUndo` where nothing was done since the app was opened, or there is
     * no way back from it (a comment, an alarm, a deletion); `ChangedMeanwhile` where somebody has changed the same since;
     * or by the rules.
     */
    public suspend fun undo(): Receipt

    /** What [undo] would take back, for the button that offers it; null: nothing. */
    public suspend fun undoable(): Undoable?

    /**
     * The operations that build on that one, directly or through others, in order: declared so, or about an entity that it
     * creates.
     */
    public suspend fun dependents(operation: UUID): List<QueuedOp>

    /** As [discard], with all that builds on it; says what was forgotten. What has left the phone already stays. */
    public suspend fun discardWithDependents(operation: UUID): List<UUID>

    /** What was discarded in the last 30 days, the latest first. */
    public suspend fun discarded(): List<Discarded>

    /**
     * Everything that this person did and the server has not confirmed, and what they discarded in the last 30 days, as
     * JSON, for a file to be handed in.
     */
    public suspend fun exportWork(): String

    /**
     * Forgets an operation that is parked, or has never left the phone, by a person's choice: what it predicted is undone.
     * It is kept for 30 days, see [discarded].
     *
     * Throws `AlreadySent` where the server may have carried it out, `InvalidInput` where there is no such operation.
     */
    public suspend fun discard(operation: UUID)

    /** The operations not yet confirmed, in order. */
    public suspend fun outbox(): List<QueuedOp>

    /**
     * Waits until the operation is confirmed, parked or discarded; `Timeout` when that is not so [within] the time. One
     * that the phone does not know (any more) counts as confirmed.
     */
    public suspend fun settled(operation: UUID, within: Duration): Outcome

    /** Why an operation is not confirmed yet, in one English sentence; null: it is not in the outbox. */
    public suspend fun whyWaiting(operation: UUID): String?

    /** An effect was shown: it does not come again, not even after a restart of the app. */
    public fun presented(effect: UUID)

    /** Connects, and stays so: reconnects by itself until [disconnect]. Returns at once. */
    public fun connect()

    /** Disconnects, and stays so. Returns at once. */
    public fun disconnect()

    /** The platform says whether there is a network, or that it is another one. */
    public fun networkChanged(available: Boolean)

    /**
     * The app came to the foreground: tries and checks at once, and calls off a [background] under way. One that is quiet
     * wants [resume] first.
     */
    public fun foreground()

    /**
     * The app goes to the background, and the platform gives it the [budget]: sends what can be sent and fetches what is
     * there, as far as that goes in time, then is quiet as after [quiesce]. Returns as soon as waiting is of no use.
     *
     * [resume] and [foreground] call it off, [quiesce] cuts it short. Once called it is carried out, also when the caller is
     * cancelled.
     */
    public suspend fun background(budget: Duration): Backgrounded

    /**
     * A push notification woke the app: goes on if it is quiet, asks the server at once what is new, and says [within] the
     * time what came of it; then it is quiet again if it was before. It must want to be connected: [connect], once after
     * opening.
     *
     * @param payload the notification's data as JSON. An `epoch` and a `seq` in it say how far the feed is, so that a phone
     * that is there already need not ask; anything else is passed over.
     */
    public suspend fun pushReceived(payload: String, within: Duration): PushOutcome

    /**
     * Everything that explains where it stands, as one JSON document to be attached to a message to support. To be had
     * offline, and while it is quiet. Holds no tokens, no names, and nothing that people wrote.
     */
    public suspend fun diagnostics(): String

    /**
     * Closes the database and every socket, so that the platform may suspend the app; returns when no lock is held. While
     * tokens are being renewed it waits for the new ones, at most 4 s.
     */
    public suspend fun quiesce()

    /**
     * Goes on after [quiesce]. Where the database cannot be opened (`StorageFull`, `AlreadyOpen`, …) it stays quiet, flows
     * and calls wait, and it can be tried again.
     */
    public suspend fun resume()

    /**
     * Waits until everything that the server had at the call is on the phone, and every earlier operation is confirmed or
     * parked; `Timeout` when that is not so [within] the time.
     */
    public suspend fun upToDate(within: Duration)

    /** Asks for everything but the outbox to be fetched anew. */
    public suspend fun refresh()

    /** Empties the cache; the outbox stays, and all is fetched anew when there is a network. */
    public suspend fun clearCache()

    /** As [clearCache], of one kind. */
    public suspend fun clearKind(kind: EntityKind)

    /**
     * Sends a frame that is not a command; queued while not connected, of which the newest 100 are kept.
     *
     * Throws `InvalidInput` where it is no JSON object with a `type`, or over 256 KiB.
     */
    public fun sendFrame(json: String)

    /**
     * Signs the same person in again, when [status] says that this is needed.
     *
     * Throws `SignInRequired` (wrong password), `Offline`, `ServerNotTrusted`, `UpdateRequired`, `TokenStoreFailed` (all is
     * as before).
     */
    public suspend fun signInAgain(password: String)

    /**
     * Signs out and closes. What is on the phone stays, for when the person signs in again.
     *
     * Throws `Timeout` where not all could be sent that should have been, `TokenStoreFailed` where the tokens could not be
     * forgotten: the person stays signed in.
     */
    public suspend fun signOut(pending: PendingWork = PendingWork.Keep)

    /**
     * Closes: returns when no lock is held, so that the account can be opened again. Flows end, later calls throw
     * `Closed`. May be called twice.
     */
    public suspend fun close()
}

/**
 * Shows the effects one after the other, each until [show] returns, until this InnSync is closed or the caller is
 * cancelled. One that was being shown then comes again the next time.
 */
public suspend fun InnSync.present(show: suspend (Effect) -> Unit) {
    effects.collect { effect ->
        show(effect)
        presented(effect.id)
    }
}
