package dev.innsync

import dev.innsync.core.Command
import dev.innsync.core.Condition
import dev.innsync.core.Effect
import dev.innsync.core.EffectBody
import dev.innsync.core.EntityKind
import dev.innsync.core.EntityRef
import dev.innsync.core.Event
import dev.innsync.core.EventBody
import dev.innsync.core.Inbox
import dev.innsync.core.InnSyncException
import dev.innsync.core.LogLevel
import dev.innsync.core.LogLine
import dev.innsync.core.MyTasks
import dev.innsync.core.Outcome
import dev.innsync.core.Query
import dev.innsync.core.Reason
import dev.innsync.core.Settlement
import dev.innsync.core.SyncState
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.Test
import java.util.UUID
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

internal class FakeInnSyncTest {
    private val ana = FakeInnSync()

    @Test
    fun `a screen shows what it is told to show, and what comes after`() = story {
        coroutineScope {
            val seen = async(start = CoroutineStart.UNDISPATCHED) { ana.myTasks.take(3).toList() }
            ana.myTasks.first()
            ana.show(Samples.myTasks)
            ana.myTasks.first { it == Samples.myTasks }
            kotlinx.coroutines.yield()
            ana.show(MyTasks(emptyList()))
            assertEquals(listOf(0, 1, 0), seen.await().map { it.tasks.size })
        }
        ana.show(syncLine = ana.syncLine.first().copy(state = SyncState.OFFLINE), inbox = Inbox(emptyList(), 3u))
        assertEquals(3u, ana.inbox.first().unreadCount)
        assertEquals(emptyList(), ana.myTasks.first().tasks, "what is not given stays")
        assertEquals(SyncState.OFFLINE, ana.syncLine.first().state)
    }

    @Test
    fun `queries find what fits`() = story {
        ana.show(entities = Samples.entities)
        assertEquals(3, ana.query(Query(EntityKind.Task)).size)
        assertEquals(2, ana.query(Query(EntityKind.Task, listOf(Condition.Open))).size)
        assertEquals(1, ana.query(Query(EntityKind.Task, limit = 1u, offset = 2u)).size)
        assertEquals(0, ana.query(Query(EntityKind.Suite)).size)
        assertEquals(Samples.entities[1], ana.get(Samples.entities[1].ref))
        assertEquals(3, ana.live(Query(EntityKind.Task)).first().size)
        assertFailsWith<UnsupportedOperationException> { ana.query(Query(EntityKind.Task, listOf(Condition.Unread))) }
    }

    @Test
    fun `commands are written down, and fail when they shall`() = story {
        ana.failure = InnSyncException.StorageFull()
        assertFailsWith<InnSyncException.StorageFull> { ana.execute(ana.note("Minibar")) }
        ana.failure = null
        val receipt = ana.execute(ana.note("Minibar"))
        assertEquals(2, ana.commands.size)
        assertEquals(1, ana.outbox().size)
        ana.park(receipt.id, Samples.parked)
        assertIs<Outcome.Parked>(ana.settled(receipt.id, 1.seconds))
        assertEquals(1u, ana.status.value.parked)
        val again = ana.retry(receipt.id)
        assertEquals(1u, ana.status.value.pendingChanges)
        ana.confirm(again)
        assertEquals(Outcome.Confirmed, ana.settled(again, 1.seconds))
    }

    @Test
    fun `a test may play the server`() = story {
        ana.onExecute = { _, receipt -> ana.confirm(receipt.id) }
        ana.execute(ana.note("Minibar"))
        assertEquals(emptyList(), ana.outbox())
    }

    @Test
    fun `a conflict is settled once, by who saw it as it is now`() = story {
        val parked = ana.execute(Command.EditTask(Samples.task(1).id, Samples.renamed))
        ana.park(parked.id, Samples.parked)
        val sheet = Samples.sheet(parked.id)
        ana.show(conflicts = Samples.conflicts.copy(open = listOf(sheet)))
        val stale = assertFailsWith<InnSyncException.Rejected> { ana.settle(parked.id, 3u, Settlement.Mine) }
        assertEquals(Reason.ChangedMeanwhile, stale.rejection.reason)
        assertEquals(listOf(parked.id), ana.outbox().map { it.id }, "it stays as it was")
        val settling = ana.settle(parked.id, sheet.version, Settlement.Mine)
        assertEquals(listOf(settling.id), ana.outbox().map { it.id })
        assertEquals("EDIT_TASK" to sheet.entity, settling.command to settling.entity)
        assertEquals(emptyList(), ana.conflicts.first().open)
        assertEquals(Samples.conflicts.lost, ana.conflicts.first().lost)
        assertEquals(Outcome.Discarded, ana.settled(parked.id, 1.seconds))
        assertEquals(mapOf<UUID, Settlement>(parked.id to Settlement.Mine), ana.settlements)
        assertEquals(0u to 1u, ana.status.value.let { it.parked to it.pendingChanges })
        assertEquals(settling.id, ana.undoable()?.operation)
        assertFailsWith<InnSyncException.InvalidInput> { ana.settle(parked.id, sheet.version, Settlement.Mine) }
    }

    @Test
    fun `who keeps the others' values gives theirs up by an operation of its own`() = story {
        val sheet = Samples.sheet(UUID(0x7002, 1))
        ana.show(conflicts = Samples.conflicts.copy(open = listOf(sheet)))
        assertEquals("KEEP_THEIRS", ana.settle(sheet.operation, sheet.version, Settlement.Theirs).command)
        assertEquals(null, ana.undoable(), "how it was settled is not taken back")
        assertEquals(emptyList(), ana.conflicts.first().open)
    }

    @Test
    fun `what lost is restored once, and put aside`() = story {
        val (title, notes) = Samples.conflicts.lost.map { it.conflict }
        ana.show(conflicts = Samples.conflicts)
        ana.restore(title.id)
        assertEquals(listOf(false, true), ana.conflicts.first().lost.map { it.restorable })
        assertEquals(listOf(true, false), ana.conflicts.first().lost.map { it.conflict.restoredAt != null })
        assertEquals(1u, ana.conflicts.first().unseen)
        ana.dismiss(listOf(notes.id))
        assertEquals(0u, ana.conflicts.first().unseen)
        assertEquals(listOf(false, true), ana.conflicts.first().lost.map { it.restorable })
        val restoring = Command.RestoreValue(title.id, title.entityType, title.entityId, title.`field`, title.lost)
        assertEquals(listOf(restoring, Command.DismissConflicts(listOf(notes.id))), ana.commands)
        assertEquals(listOf("RESTORE_VALUE", "DISMISS_CONFLICTS"), ana.outbox().map { it.command })
        assertEquals(EntityRef(title.entityType, title.entityId), ana.outbox().first().entity)
        assertFailsWith<InnSyncException.InvalidInput> { ana.restore(UUID(1, 1)) }
    }

    @Test
    fun `a value that was restored by mistake has lost again`() = story {
        val (title, notes) = Samples.conflicts.lost.map { it.conflict }
        ana.show(conflicts = Samples.conflicts)
        val restoring = ana.restore(title.id)
        ana.dismiss(listOf(notes.id))
        ana.execute(Command.MarkRead(listOf(UUID(1, 1))))
        assertEquals("RESTORE_VALUE", ana.undoable()?.command, "what was read is not taken back")
        assertEquals(restoring.copy(state = null), ana.undo())
        assertEquals(Samples.conflicts.lost.first(), ana.conflicts.first().lost.first())
        assertEquals(1u, ana.conflicts.first().unseen)
        assertEquals(listOf("DISMISS_CONFLICTS", "MARK_READ"), ana.outbox().map { it.command })
        assertEquals(listOf(restoring.id), ana.undone)
        assertEquals(null, ana.undoable())
        ana.discard(ana.restore(title.id).id)
        assertEquals(Samples.conflicts.lost.first(), ana.conflicts.first().lost.first(), "also when it is discarded")
    }

    @Test
    fun `what is undone is the operation as it is by now`() = story {
        val first = ana.execute(ana.note("Minibar"))
        val second = ana.execute(ana.note("Minibar again"))
        ana.park(second.id, Samples.parked)
        val again = ana.retry(second.id)
        assertEquals(again, ana.undo().id)
        ana.confirm(first.id)
        assertEquals(null, ana.undoable(), "what was sent before that stays")
        val third = ana.execute(ana.note("Towels"))
        ana.confirm(third.id)
        assertEquals(third.copy(state = null), ana.undo())
        assertEquals(listOf(again, third.id), ana.undone)
        assertEquals(listOf(again), ana.discarded().map { it.op.id })
    }

    @Test
    fun `the log has what is told to it, up to the level that is read`() = story {
        fun line(level: LogLevel) = LogLine(Instant.fromEpochSeconds(1), level, "innsync_client", "$level")
        coroutineScope {
            val read = async(start = CoroutineStart.UNDISPATCHED) { ana.logLines(LogLevel.WARN).toList() }
            LogLevel.entries.forEach { ana.tell(line(it)) }
            ana.close()
            assertEquals(listOf("ERROR", "WARN"), read.await().map { it.message })
        }
    }

    @Test
    fun `effects wait until they were presented, events do not wait`() = story {
        ana.tell(Event("connected", EventBody.Connected))
        ana.tell(Effect(UUID(1, 1), Instant.fromEpochSeconds(1), EffectBody.Sound("emergency", true)))
        assertEquals(UUID(1, 1), ana.effects.first().id)
        assertEquals(UUID(1, 1), ana.effects.first().id)
        coroutineScope {
            val event = async(start = CoroutineStart.UNDISPATCHED) { ana.events.first() }
            ana.tell(Event("reconnect_failed", EventBody.ReconnectFailed))
            assertEquals("reconnect_failed", event.await().name)
            val next = async(start = CoroutineStart.UNDISPATCHED) { ana.effects.first { it.id != UUID(1, 1) } }
            ana.presented(UUID(1, 1))
            ana.tell(Effect(UUID(1, 2), Instant.fromEpochSeconds(2), EffectBody.Sound("task-assigned", false)))
            assertEquals(UUID(1, 2), next.await().id)
        }
        assertEquals(UUID(1, 2), ana.effects.first().id)
    }
}
