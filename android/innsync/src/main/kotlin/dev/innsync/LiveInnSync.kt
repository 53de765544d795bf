package dev.innsync

import dev.innsync.core.Account
import dev.innsync.core.Backgrounded
import dev.innsync.core.Command
import dev.innsync.core.Conflicts
import dev.innsync.core.ConflictsBatch
import dev.innsync.core.ConflictsStream
import dev.innsync.core.ConnectionBatch
import dev.innsync.core.ConnectionState
import dev.innsync.core.ConnectionStream
import dev.innsync.core.Dashboard
import dev.innsync.core.DashboardBatch
import dev.innsync.core.DashboardStream
import dev.innsync.core.Discarded
import dev.innsync.core.Effect
import dev.innsync.core.EffectBatch
import dev.innsync.core.EffectStream
import dev.innsync.core.Entity
import dev.innsync.core.EntityKind
import dev.innsync.core.EntityRef
import dev.innsync.core.Event
import dev.innsync.core.EventBatch
import dev.innsync.core.EventStream
import dev.innsync.core.Inbox
import dev.innsync.core.InboxBatch
import dev.innsync.core.InboxStream
import dev.innsync.core.InnSyncException
import dev.innsync.core.InnSyncHandle
import dev.innsync.core.LogBatch
import dev.innsync.core.LogLevel
import dev.innsync.core.LogLine
import dev.innsync.core.LogStream
import dev.innsync.core.MyTasks
import dev.innsync.core.MyTasksBatch
import dev.innsync.core.MyTasksStream
import dev.innsync.core.OperationBatch
import dev.innsync.core.OperationStream
import dev.innsync.core.Outcome
import dev.innsync.core.PendingWork
import dev.innsync.core.PushOutcome
import dev.innsync.core.Query
import dev.innsync.core.QueuedOp
import dev.innsync.core.Receipt
import dev.innsync.core.Settlement
import dev.innsync.core.StatusBatch
import dev.innsync.core.StatusStream
import dev.innsync.core.SuiteBoard
import dev.innsync.core.SuiteBoardBatch
import dev.innsync.core.SuiteBoardStream
import dev.innsync.core.SyncLine
import dev.innsync.core.SyncLineBatch
import dev.innsync.core.SyncLineStream
import dev.innsync.core.SyncStatus
import dev.innsync.core.Unassigned
import dev.innsync.core.UnassignedBatch
import dev.innsync.core.UnassignedStream
import dev.innsync.core.Undoable
import dev.innsync.core.UpdateBatch
import dev.innsync.core.UpdateStream
import dev.innsync.core.Urgent
import dev.innsync.core.UrgentBatch
import dev.innsync.core.UrgentStream
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.retry
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.util.UUID
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** The real one. */
internal class LiveInnSync(
    private val handle: InnSyncHandle,
) : InnSync {
    override val account: Account = handle.account()

    // Ends with the streams it collects, when the handle is closed.
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    private val connectionNow = MutableStateFlow(handle.connectionState())
    override val connection: StateFlow<ConnectionState> = connectionNow.asStateFlow()

    private val statusNow = MutableStateFlow(handle.status())
    override val status: StateFlow<SyncStatus> = statusNow.asStateFlow()

    override val myTasks: Flow<MyTasks> = Pulling(
        handle::watchMyTasks,
        MyTasksStream::stop,
        MyTasksStream::batch,
        MyTasksBatch::number,
        MyTasksBatch::items,
    ).newest

    override val unassigned: Flow<Unassigned> = Pulling(
        handle::watchUnassigned,
        UnassignedStream::stop,
        UnassignedStream::batch,
        UnassignedBatch::number,
        UnassignedBatch::items,
    ).newest

    override val urgent: Flow<Urgent> = Pulling(
        handle::watchUrgent,
        UrgentStream::stop,
        UrgentStream::batch,
        UrgentBatch::number,
        UrgentBatch::items,
    ).newest

    override val suiteBoard: Flow<SuiteBoard> = Pulling(
        handle::watchSuiteBoard,
        SuiteBoardStream::stop,
        SuiteBoardStream::batch,
        SuiteBoardBatch::number,
        SuiteBoardBatch::items,
    ).newest

    override val dashboard: Flow<Dashboard> = Pulling(
        handle::watchDashboard,
        DashboardStream::stop,
        DashboardStream::batch,
        DashboardBatch::number,
        DashboardBatch::items,
    ).newest

    override val inbox: Flow<Inbox> = Pulling(
        handle::watchInbox,
        InboxStream::stop,
        InboxStream::batch,
        InboxBatch::number,
        InboxBatch::items,
    ).newest

    override val conflicts: Flow<Conflicts> = Pulling(
        handle::watchConflicts,
        ConflictsStream::stop,
        ConflictsStream::batch,
        ConflictsBatch::number,
        ConflictsBatch::items,
    ).newest

    override val syncLine: Flow<SyncLine> = Pulling(
        handle::watchSyncLine,
        SyncLineStream::stop,
        SyncLineStream::batch,
        SyncLineBatch::number,
        SyncLineBatch::items,
    ).newest

    override val events: Flow<Event> = Pulling(
        handle::events,
        EventStream::stop,
        EventStream::batch,
        EventBatch::number,
        EventBatch::items,
    ).each

    override val effects: Flow<Effect> = Pulling(
        handle::effects,
        EffectStream::stop,
        EffectStream::batch,
        EffectBatch::number,
        EffectBatch::items,
    ).each

    override val operations: Flow<Receipt> = Pulling(
        handle::operations,
        OperationStream::stop,
        OperationStream::batch,
        OperationBatch::number,
        OperationBatch::items,
    ).each

    init {
        val connections = Pulling(
            handle::watchConnection,
            ConnectionStream::stop,
            ConnectionStream::batch,
            ConnectionBatch::number,
            ConnectionBatch::items,
        ).newest
        val statuses = Pulling(
            handle::watchStatus,
            StatusStream::stop,
            StatusStream::batch,
            StatusBatch::number,
            StatusBatch::items,
        ).newest
        scope.launch { connections.afterBugs().collect { connectionNow.value = it } }
        scope.launch { statuses.afterBugs().collect { statusNow.value = it } }
    }

    override fun live(query: Query): Flow<List<Entity>> = Pulling(
        { handle.live(query) },
        UpdateStream::stop,
        UpdateStream::batch,
        UpdateBatch::number,
        UpdateBatch::items,
    ).batches.asLists()

    override fun logLines(level: LogLevel): Flow<LogLine> = logFlow { handle.logLines(level) }

    override suspend fun query(query: Query): List<Entity> = off { handle.query(query) }

    override suspend fun get(entity: EntityRef): Entity? = off { handle.get(entity) }

    override fun newId(): UUID = handle.newId()

    override suspend fun execute(command: Command, dependsOn: List<UUID>): Receipt =
        surely { handle.execute(command, dependsOn) }

    override suspend fun retry(operation: UUID): UUID = surely { handle.retry(operation) }

    override suspend fun edit(operation: UUID, command: Command): Receipt = surely { handle.edit(operation, command) }

    override suspend fun settle(operation: UUID, seen: ULong?, choice: Settlement): Receipt =
        surely { handle.settle(operation, seen, choice) }

    override suspend fun restore(conflict: UUID): Receipt = surely { handle.restore(conflict) }

    override suspend fun dismiss(conflicts: List<UUID>): Receipt = surely { handle.dismiss(conflicts) }

    override suspend fun undo(): Receipt = surely { handle.undo() }

    override suspend fun undoable(): Undoable? = off { handle.undoable() }

    override suspend fun dependents(operation: UUID): List<QueuedOp> = off { handle.dependents(operation) }

    override suspend fun discardWithDependents(operation: UUID): List<UUID> =
        surely { handle.discardWithDependents(operation) }

    override suspend fun discarded(): List<Discarded> = off { handle.discarded() }

    override suspend fun exportWork(): String = off { handle.exportWork() }

    override suspend fun discard(operation: UUID): Unit = surely { handle.discard(operation) }

    override suspend fun outbox(): List<QueuedOp> = off { handle.outbox() }

    override suspend fun settled(operation: UUID, within: Duration): Outcome =
        off { handle.settled(operation, within.asMillis()) }

    override suspend fun whyWaiting(operation: UUID): String? = off { handle.whyWaiting(operation) }

    override fun presented(effect: UUID): Unit = handle.presented(effect)

    override fun connect(): Unit = handle.connect()

    override fun disconnect(): Unit = handle.disconnect()

    override fun networkChanged(available: Boolean): Unit = handle.networkChanged(available)

    override fun foreground(): Unit = handle.foreground()

    // Told the core before this is suspended for the first time: what is called after it comes after it.
    override suspend fun background(budget: Duration): Backgrounded =
        withContext(NonCancellable) { handle.background(budget.asMillis()) }

    override suspend fun pushReceived(payload: String, within: Duration): PushOutcome =
        surely { handle.pushReceived(payload, within.asMillis()) }

    override suspend fun diagnostics(): String = off { handle.diagnostics() }

    override suspend fun quiesce(): Unit = surely { handle.quiesce() }

    override suspend fun resume(): Unit = surely { handle.resume() }

    override suspend fun upToDate(within: Duration): Unit = off { handle.upToDate(within.asMillis()) }

    override suspend fun refresh(): Unit = surely { handle.refresh() }

    override suspend fun clearCache(): Unit = surely { handle.clearCache() }

    override suspend fun clearKind(kind: EntityKind): Unit = surely { handle.clearKind(kind) }

    override fun sendFrame(json: String): Unit = handle.sendFrame(json)

    override suspend fun signInAgain(password: String): Unit = off { handle.signInAgain(password) }

    override suspend fun signOut(pending: PendingWork) {
        off { handle.signOut(pending) }
        close()
    }

    override suspend fun close() {
        surely {
            // The handle itself is left to the collector of garbage: so a call that comes later is told `Closed` by the
            // core, and none can meet a handle that is gone.
            handle.shutDown()
            scope.coroutineContext.job.cancelAndJoin()
            connectionNow.value = ConnectionState.DISCONNECTED
        }
    }

    /** Off the main thread, where also the core's answer is turned into objects. */
    private suspend fun <T> off(call: suspend () -> T): T = withContext(Dispatchers.Default) { call() }

    /** As [off]; once called it is done, also when the caller is cancelled. */
    private suspend fun <T> surely(call: suspend () -> T): T =
        withContext(NonCancellable + Dispatchers.Default) { call() }
}

/** The lines of a stream of the log. */
internal fun logFlow(open: () -> LogStream): Flow<LogLine> =
    Pulling(open, LogStream::stop, LogStream::batch, LogBatch::number, LogBatch::items).each

private fun Duration.asMillis(): ULong = inWholeMilliseconds.coerceAtLeast(0).toULong()

/** Nobody collects these who could be told of an error, and after a bug the next call works. */
private fun <T> Flow<T>.afterBugs(): Flow<T> =
    retry { error ->
        delay(1.seconds)
        error is InnSyncException
    }
