package dev.innsync

import dev.innsync.core.Account
import dev.innsync.core.Backgrounded
import dev.innsync.core.Command
import dev.innsync.core.Condition
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
import dev.innsync.core.InnSyncException
import dev.innsync.core.LogLevel
import dev.innsync.core.LogLine
import dev.innsync.core.LostValue
import dev.innsync.core.MyTasks
import dev.innsync.core.OpState
import dev.innsync.core.Outcome
import dev.innsync.core.ParkReason
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
import dev.innsync.core.Unfinished
import dev.innsync.core.Urgent
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.withTimeoutOrNull
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Instant

/**
 * An [InnSync] in memory, for previews and tests of screens: shows what it is told to [show], writes down the [commands],
 * and fails when told to. It loads no native library and knows none of the rules: a command changes nothing but the
 * outbox, and what is done about conflicts the [conflicts] alone. So [undo] of what was sent does nothing either, and its
 * receipt has no state.
 *
 * @property account whom it belongs to.
 */
public class FakeInnSync(
    override val account: Account = FakeDefaults.account,
) : InnSync {
    private val given = CopyOnWriteArrayList<Command>()
    private val chosen = ConcurrentHashMap<UUID, Settlement>()
    private val replaced = ConcurrentHashMap.newKeySet<UUID>()
    private val discarded = CopyOnWriteArrayList<Discarded>()
    private val takenBack = CopyOnWriteArrayList<UUID>()
    private val unrestored = ConcurrentHashMap<UUID, LostValue>()
    private val queue = MutableStateFlow<List<QueuedOp>>(emptyList())
    private val rows = Shown<List<Entity>>(emptyList())
    private val effectsWaiting = Shown<List<Effect>>(emptyList())
    private val eventsNow = News<Event>()
    private val operationsNow = News<Receipt>()
    private val logNow = News<LogLine>()
    private val connectionNow = MutableStateFlow(ConnectionState.DISCONNECTED)
    private val statusNow = MutableStateFlow(FakeDefaults.status)
    private val myTasksNow = Shown(MyTasks(emptyList()))
    private val unassignedNow = Shown(Unassigned(emptyList()))
    private val urgentNow = Shown(Urgent(emptyList(), emptyList()))
    private val suiteBoardNow = Shown(SuiteBoard(emptyList()))
    private val dashboardNow = Shown(FakeDefaults.dashboard)
    private val inboxNow = Shown(Inbox(emptyList(), 0u))
    private val conflictsNow = Shown(FakeDefaults.conflicts)
    private val syncLineNow = Shown(FakeDefaults.syncLine)

    private val screens = listOf(
        rows,
        effectsWaiting,
        myTasksNow,
        unassignedNow,
        urgentNow,
        suiteBoardNow,
        dashboardNow,
        inboxNow,
        conflictsNow,
        syncLineNow,
    )

    @Volatile
    private var doneLast: QueuedOp? = null

    @Volatile
    private var isClosed = false

    /** The commands given so far, in order; those that failed too. */
    public val commands: List<Command> get() = given.toList()

    /** What was chosen in conflicts so far, by the operation that waited. */
    public val settlements: Map<UUID, Settlement> get() = chosen.toMap()

    /** The operations that were taken back by [undo] so far, in order. */
    public val undone: List<UUID> get() = takenBack.toList()

    /** What each suspending call fails with, until it is null again. */
    @Volatile
    public var failure: InnSyncException? = null

    /** What the server does to a command at once; as long as it is null, commands stay in the outbox. */
    @Volatile
    public var onExecute: ((Command, Receipt) -> Unit)? = null

    /** What a push comes to, by its payload. */
    @Volatile
    public var onPush: (String) -> PushOutcome = { PushOutcome.NoData }

    /** Whether an entity is among those of a condition. Knows the usual conditions. */
    @Volatile
    public var matches: (Condition, Entity) -> Boolean = FakeDefaults::matches

    /** Shows what is given from now on, and the rest as before. [entities] are what [query], [live] and [get] find. */
    public fun show(
        myTasks: MyTasks? = null,
        unassigned: Unassigned? = null,
        urgent: Urgent? = null,
        suiteBoard: SuiteBoard? = null,
        dashboard: Dashboard? = null,
        inbox: Inbox? = null,
        conflicts: Conflicts? = null,
        syncLine: SyncLine? = null,
        status: SyncStatus? = null,
        connection: ConnectionState? = null,
        entities: List<Entity>? = null,
    ) {
        myTasks?.let(myTasksNow::show)
        unassigned?.let(unassignedNow::show)
        urgent?.let(urgentNow::show)
        suiteBoard?.let(suiteBoardNow::show)
        dashboard?.let(dashboardNow::show)
        inbox?.let(inboxNow::show)
        conflicts?.let(conflictsNow::show)
        syncLine?.let(syncLineNow::show)
        entities?.let(rows::show)
        status?.let { statusNow.value = it }
        connection?.let { now ->
            connectionNow.value = now
            statusNow.update { it.copy(connection = now, isOnline = now == ConnectionState.CONNECTED) }
        }
    }

    /** Tells an event. */
    public fun tell(event: Event) {
        eventsNow.tell(event)
    }

    /** Writes a line of the log. */
    public fun tell(line: LogLine) {
        logNow.tell(line)
    }

    /** Has an effect shown. */
    public fun tell(effect: Effect) {
        effectsWaiting.update { it + effect }
    }

    /** The server takes an operation. */
    public fun confirm(operation: UUID): Unit = change(operation, null)

    /** The server does not take an operation. */
    public fun park(operation: UUID, reason: ParkReason): Unit = change(operation, OpState.Parked(reason))

    override val connection: StateFlow<ConnectionState> = connectionNow.asStateFlow()
    override val status: StateFlow<SyncStatus> = statusNow.asStateFlow()
    override val myTasks: Flow<MyTasks> = myTasksNow.flow
    override val unassigned: Flow<Unassigned> = unassignedNow.flow
    override val urgent: Flow<Urgent> = urgentNow.flow
    override val suiteBoard: Flow<SuiteBoard> = suiteBoardNow.flow
    override val dashboard: Flow<Dashboard> = dashboardNow.flow
    override val inbox: Flow<Inbox> = inboxNow.flow
    override val conflicts: Flow<Conflicts> = conflictsNow.flow
    override val syncLine: Flow<SyncLine> = syncLineNow.flow
    override val events: Flow<Event> = eventsNow.flow
    override val operations: Flow<Receipt> = operationsNow.flow
    override val effects: Flow<Effect> =
        flow {
            val seen = HashSet<UUID>()
            effectsWaiting.flow.collect { waiting -> waiting.filter { seen.add(it.id) }.forEach { emit(it) } }
        }

    override fun logLines(level: LogLevel): Flow<LogLine> = logNow.flow.filter { it.level <= level }

    override fun live(query: Query): Flow<List<Entity>> = rows.flow.map { it.matching(query) }

    override suspend fun query(query: Query): List<Entity> = working { rows.now.matching(query) }

    override suspend fun get(entity: EntityRef): Entity? = working { rows.now.find { it.ref == entity } }

    override fun newId(): UUID = UUID.randomUUID()

    override suspend fun execute(command: Command, dependsOn: List<UUID>): Receipt {
        given += command
        return working {
            val queued = FakeDefaults.queued(newId(), command, dependsOn)
            queue.update { it + queued }
            if (FakeDefaults.isDeed(queued)) doneLast = queued
            val receipt = queued.receipt(OpState.Queued)
            count()
            onExecute?.invoke(command, receipt)
            receipt
        }
    }

    override suspend fun retry(operation: UUID): UUID = working { replace(operation, null).id }

    override suspend fun edit(operation: UUID, command: Command): Receipt =
        working { replace(operation, command).also { given += command } }

    private fun replace(operation: UUID, command: Command?): Receipt {
        val before = queue.value.find { it.id == operation && it.state is OpState.Parked }
            ?: throw InnSyncException.InvalidInput("no such parked operation")
        val name = command?.let { FakeDefaults.name(it) } ?: before.command
        val after = before.copy(id = newId(), command = name, state = OpState.Queued)
        replaced += operation
        if (doneLast?.id == operation) doneLast = after
        unrestored.remove(operation)?.let { unrestored[after.id] = it }
        queue.update { all -> all.map { if (it.id == operation) after else it } }
        count()
        return after.receipt(OpState.Queued).also { operationsNow.tell(it) }
    }

    override suspend fun settle(operation: UUID, seen: ULong?, choice: Settlement): Receipt =
        working {
            val sheet = conflictsNow.now.open.find { it.operation == operation }
                ?: throw InnSyncException.InvalidInput("no such conflict")
            if (sheet.version != seen) throw FakeDefaults.changedMeanwhile()
            val settling = FakeDefaults.settling(newId(), sheet, choice)
            chosen[operation] = choice
            replaced += operation
            if (doneLast?.id == operation) doneLast = null
            conflictsNow.update { it.copy(open = it.open - sheet) }
            queue.update { all -> all.filter { it.id != operation } + settling }
            count()
            settling.receipt(OpState.Queued)
        }

    override suspend fun restore(conflict: UUID): Receipt {
        val shown = working {
            conflictsNow.now.lost.find { it.conflict.id == conflict }
                ?: throw InnSyncException.InvalidInput("no such conflict")
        }
        changeRecords(listOf(conflict)) { record, now ->
            val restored = record.conflict.copy(restoredAt = now, seenAt = record.conflict.seenAt ?: now)
            record.copy(conflict = restored, restorable = false)
        }
        val value = shown.conflict
        val command = Command.RestoreValue(value.id, value.entityType, value.entityId, value.`field`, value.lost)
        return execute(command).also { unrestored[it.id] = shown }
    }

    override suspend fun dismiss(conflicts: List<UUID>): Receipt {
        working {
            changeRecords(conflicts) { record, now ->
                record.copy(conflict = record.conflict.copy(seenAt = record.conflict.seenAt ?: now))
            }
        }
        return execute(Command.DismissConflicts(conflicts))
    }

    override suspend fun undo(): Receipt =
        working {
            val last = undoableNow() ?: throw FakeDefaults.nothingToUndo()
            doneLast = null
            if (waits(last)) forget(last.id)
            takenBack += last.id
            last.receipt(null)
        }

    override suspend fun undoable(): Undoable? =
        working { undoableNow()?.let { Undoable(it.id, it.command, it.entity, unsent = waits(it)) } }

    private fun undoableNow(): QueuedOp? =
        doneLast ?: queue.value.findLast(FakeDefaults::isDeed)?.takeIf { it.state is OpState.Queued }

    private fun waits(op: QueuedOp) = queue.value.any { it.id == op.id }

    private fun changeRecords(ids: List<UUID>, change: (LostValue, Instant) -> LostValue) {
        val now = Clock.System.now()
        conflictsNow.update { conflicts ->
            val lost = conflicts.lost.map { if (it.conflict.id in ids) change(it, now) else it }
            conflicts.copy(lost = lost, unseen = lost.count { it.conflict.seenAt == null }.toUInt())
        }
    }

    override suspend fun dependents(operation: UUID): List<QueuedOp> =
        working {
            val given = HashSet(listOf(operation))
            queue.value.filter { op -> op.dependsOn.any { it in given } && given.add(op.id) }
        }

    override suspend fun discard(operation: UUID): Unit = working { forget(operation) }

    override suspend fun discardWithDependents(operation: UUID): List<UUID> {
        val all = listOf(operation) + dependents(operation).map { it.id }
        return working { all.onEach { forget(it) } }
    }

    override suspend fun discarded(): List<Discarded> = working { discarded.reversed() }

    override suspend fun exportWork(): String =
        working {
            val ids = { all: List<QueuedOp> -> all.joinToString(prefix = "[", postfix = "]") { "\"${it.id}\"" } }
            """{"outbox":${ids(queue.value)},"discarded":${ids(discarded.map { it.op })}}"""
        }

    private fun forget(operation: UUID) {
        val op = queue.value.find { it.id == operation } ?: throw InnSyncException.InvalidInput("no such operation")
        queue.update { all -> all.filter { it.id != operation } }
        discarded += Discarded(Clock.System.now(), op)
        if (doneLast?.id == operation) doneLast = null
        unrestored.remove(operation)?.let { was -> changeRecords(listOf(was.conflict.id)) { _, _ -> was } }
        count()
    }

    override suspend fun outbox(): List<QueuedOp> = working { queue.value }

    override suspend fun settled(operation: UUID, within: Duration): Outcome =
        working {
            inTime(within) {
                val done = queue.map { all -> all.find { it.id == operation }?.state }.first { it !is OpState.Queued }
                when {
                    done is OpState.Parked -> Outcome.Parked(done.reason)
                    operation in replaced -> Outcome.Discarded
                    discarded.any { it.op.id == operation } -> Outcome.Discarded
                    else -> Outcome.Confirmed
                }
            }
        }

    override suspend fun whyWaiting(operation: UUID): String? =
        working {
            when (queue.value.find { it.id == operation }?.state) {
                null -> null
                is OpState.Parked -> "It needs a person."
                else -> "The phone is not connected."
            }
        }

    override fun presented(effect: UUID) {
        effectsWaiting.update { waiting -> waiting.filter { it.id != effect } }
    }

    override fun connect() {
        if (!isClosed) show(connection = ConnectionState.CONNECTED)
    }

    override fun disconnect() {
        show(connection = ConnectionState.DISCONNECTED)
    }

    override fun networkChanged(available: Boolean): Unit = Unit

    override fun foreground(): Unit = Unit

    override suspend fun background(budget: Duration): Backgrounded =
        working {
            val pending = status.value.pendingChanges
            val connected = connectionNow.value == ConnectionState.CONNECTED
            when {
                !connected -> Backgrounded.Left(pending, Unfinished.DISCONNECTED, "The app is disconnected.")
                pending > 0u -> Backgrounded.Left(pending, Unfinished.OUT_OF_TIME, "The time given was over.")
                else -> Backgrounded.Done
            }
        }

    override suspend fun pushReceived(payload: String, within: Duration): PushOutcome = working { onPush(payload) }

    override suspend fun diagnostics(): String =
        working {
            val outbox = queue.value.joinToString(prefix = "[", postfix = "]") { """{"id":"${it.id}"}""" }
            """{"engine":{"outbox":$outbox}}"""
        }

    override suspend fun quiesce(): Unit = working {}

    override suspend fun resume(): Unit = working {}

    override suspend fun upToDate(within: Duration) {
        working {
            inTime(within) {
                val allSent = queue.map { all -> all.none { it.state is OpState.Queued } }
                combine(connectionNow, allSent) { now, sent -> now == ConnectionState.CONNECTED && sent }.first { it }
            }
        }
    }

    override suspend fun refresh(): Unit = working {}

    override suspend fun clearCache(): Unit = working {}

    override suspend fun clearKind(kind: EntityKind): Unit = working {}

    override fun sendFrame(json: String): Unit = working {}

    override suspend fun signInAgain(password: String): Unit = working {
        statusNow.update { it.copy(needsSignIn = false) }
    }

    override suspend fun signOut(pending: PendingWork) {
        working {}
        close()
    }

    override suspend fun close() {
        isClosed = true
        screens.forEach { it.close() }
        eventsNow.close()
        operationsNow.close()
        logNow.close()
        show(connection = ConnectionState.DISCONNECTED)
    }

    private inline fun <T> working(work: () -> T): T {
        if (isClosed) throw InnSyncException.Closed()
        failure?.let { throw it }
        return work()
    }

    private suspend fun <T : Any> inTime(within: Duration, wait: suspend () -> T): T =
        withTimeoutOrNull(within) { wait() } ?: throw InnSyncException.Timeout()

    private fun change(operation: UUID, state: OpState?) {
        val queued = queue.value.find { it.id == operation } ?: return
        queue.update { all ->
            if (state == null) all - queued else all.map { if (it.id == operation) it.copy(state = state) else it }
        }
        count()
        operationsNow.tell(queued.receipt(state))
    }

    private fun count() {
        val parked = queue.value.count { it.state is OpState.Parked }
        val pending = queue.value.size - parked
        statusNow.update { it.copy(pendingChanges = pending.toUInt(), parked = parked.toUInt()) }
    }

    private fun List<Entity>.matching(query: Query): List<Entity> {
        val found = filter { entity ->
            entity.ref.kind == query.kind && query.conditions.all { matches(it, entity) }
        }
        return found.drop(query.offset.toInt()).take(query.limit?.toInt() ?: found.size)
    }
}

/** What is shown now, until it is closed. */
private class Shown<T : Any>(
    first: T,
) {
    private val value = MutableStateFlow<T?>(first)

    val now: T get() = value.value ?: throw InnSyncException.Closed()
    val flow: Flow<T> = value.transformWhile { shown -> shown?.also { emit(it) } != null }

    fun show(new: T): Unit = update { new }

    fun update(change: (T) -> T): Unit = value.update { it?.let(change) }

    fun close() {
        value.value = null
    }
}

/** What happens, until it is closed. */
private class News<T : Any> {
    private val items =
        MutableSharedFlow<T?>(extraBufferCapacity = 1_000, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    @Volatile
    private var closed = false

    val flow: Flow<T> =
        flow {
            if (!closed) emitAll(items.transformWhile { item -> item?.also { emit(it) } != null })
        }

    fun tell(item: T) {
        items.tryEmit(item)
    }

    fun close() {
        closed = true
        items.tryEmit(null)
    }
}

private fun QueuedOp.receipt(state: OpState?) = Receipt(id, command, entity, state)
