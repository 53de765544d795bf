package dev.innsync

import dev.innsync.core.Backgrounded
import dev.innsync.core.Conflicts
import dev.innsync.core.ConnectionState
import dev.innsync.core.EntityKind
import dev.innsync.core.EntityRef
import dev.innsync.core.InnSyncException
import dev.innsync.core.OpState
import dev.innsync.core.Outcome
import dev.innsync.core.PushOutcome
import dev.innsync.core.Query
import dev.innsync.core.Reason
import dev.innsync.core.Receipt
import dev.innsync.core.Settlement
import dev.innsync.core.Undoable
import dev.innsync.core.Unfinished
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.count
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.UUID
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds

/** The fake is good for tests as far as it does what the real one does: this is what both do. */
internal abstract class ContractTest {
    /** Ana's, not connected, with nothing in its outbox. */
    abstract suspend fun withAna(tell: suspend (InnSync) -> Unit)

    /** Whatever it takes beside being connected. */
    abstract suspend fun serverTakes(ana: InnSync, operation: UUID)

    @Test
    fun `a command without a network is saved and waits`() = contract { ana ->
        val command = ana.note("Minibar")
        val receipt = ana.execute(command)
        assertEquals("CREATE_NOTE", receipt.command)
        assertEquals(command.entity, receipt.entity)
        assertEquals(OpState.Queued, receipt.state)
        assertEquals(listOf(receipt.id), ana.outbox().map { it.id })
        assertTrue(becomes { ana.status.value.pendingChanges == 1u })
        assertNotNull(ana.whyWaiting(receipt.id))
        assertFailsWith<InnSyncException.Timeout> { ana.settled(receipt.id, 50.milliseconds) }
        assertFailsWith<InnSyncException.Timeout> { ana.upToDate(50.milliseconds) }
    }

    @Test
    fun `an operation that depends on another says so`() = contract { ana ->
        val first = ana.execute(ana.note("Minibar"))
        val second = ana.execute(ana.note("Minibar again"), dependsOn = listOf(first.id))
        assertEquals(listOf(emptyList(), listOf(first.id)), ana.outbox().map { it.dependsOn })
        assertEquals(listOf(first.id, second.id), ana.outbox().map { it.id })
    }

    @Test
    fun `what is discarded is gone`() = contract { ana ->
        val receipt = ana.execute(ana.note("Minibar"))
        coroutineScope {
            val outcome = async { ana.settled(receipt.id, PATIENCE) }
            ana.discard(receipt.id)
            assertEquals(Outcome.Discarded, outcome.await())
        }
        assertEquals(emptyList(), ana.outbox())
        assertEquals(null, ana.whyWaiting(receipt.id))
        assertTrue(becomes { ana.status.value.pendingChanges == 0u })
        assertFailsWith<InnSyncException.InvalidInput> { ana.discard(receipt.id) }
        assertFailsWith<InnSyncException.InvalidInput> { ana.retry(receipt.id) }
    }

    @Test
    fun `what was done last is taken back, and then what was done before`() = contract { ana ->
        nothingToUndo(ana)
        val first = ana.execute(ana.note("Minibar"))
        val last = ana.execute(ana.note("Minibar again"))
        assertEquals(Undoable(last.id, "CREATE_NOTE", last.entity, unsent = true), ana.undoable())
        assertEquals(last.copy(state = null), ana.undo())
        assertEquals(listOf(first.id), ana.outbox().map { it.id })
        assertEquals(listOf(last.id), ana.discarded().map { it.op.id })
        assertEquals(Outcome.Discarded, ana.settled(last.id, PATIENCE))
        assertTrue(becomes { ana.status.value.pendingChanges == 1u })
        assertEquals(first.id, ana.undoable()?.operation)
        assertEquals(first.id, ana.undo().id)
        assertEquals(emptyList(), ana.outbox())
        nothingToUndo(ana)
    }

    @Test
    fun `what was sent is taken back once`() = contract { ana ->
        val receipt = ana.execute(ana.note("Minibar"))
        ana.connect()
        serverTakes(ana, receipt.id)
        assertEquals(Outcome.Confirmed, ana.settled(receipt.id, PATIENCE))
        assertEquals(Undoable(receipt.id, "CREATE_NOTE", receipt.entity, unsent = false), ana.undoable())
        assertEquals(receipt.entity, ana.undo().entity)
        ana.upToDate(PATIENCE)
        assertEquals(emptyList(), ana.outbox())
        assertEquals(null, ana.get(receipt.entity))
        nothingToUndo(ana)
    }

    private suspend fun nothingToUndo(ana: InnSync) {
        assertEquals(null, ana.undoable())
        val refused = assertFailsWith<InnSyncException.Rejected> { ana.undo() }
        assertEquals(Reason.NothingToUndo, refused.rejection.reason)
    }

    @Test
    fun `an operation is told of until the server has it`() = contract { ana ->
        coroutineScope {
            val told = CopyOnWriteArrayList<Receipt>()
            val log = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { ana.operations.collect { told += it } }
            val receipt = ana.execute(ana.note("Minibar"))
            ana.connect()
            serverTakes(ana, receipt.id)
            assertEquals(Outcome.Confirmed, ana.settled(receipt.id, PATIENCE))
            assertTrue(becomes { told.lastOrNull() == receipt.copy(state = null) }, "$told")
            assertEquals(emptyList(), ana.outbox())
            ana.upToDate(PATIENCE)
            log.cancel()
        }
    }

    @Test
    fun `what there is not is not found`() = contract { ana ->
        assertEquals(null, ana.get(EntityRef(EntityKind.Task, ana.newId())))
        assertEquals(emptyList(), ana.query(Query(EntityKind.Shift)))
        assertEquals(emptyList(), ana.live(Query(EntityKind.Shift)).first())
        assertEquals(null, ana.whyWaiting(ana.newId()))
        assertEquals(emptyList(), ana.myTasks.first().tasks)
        assertEquals(Conflicts(open = emptyList(), lost = emptyList(), unseen = 0u), ana.conflicts.first())
        assertFailsWith<InnSyncException.InvalidInput> { ana.settle(ana.newId(), 1u, Settlement.Mine) }
        assertFailsWith<InnSyncException.InvalidInput> { ana.restore(ana.newId()) }
    }

    @Test
    fun `connecting and disconnecting`() = contract { ana ->
        assertEquals(ConnectionState.DISCONNECTED, ana.connection.value)
        ana.connect()
        ana.connection.first { it == ConnectionState.CONNECTED }
        ana.status.first { it.isOnline }
        ana.disconnect()
        ana.connection.first { it == ConnectionState.DISCONNECTED }
        ana.status.first { !it.isOnline }
    }

    @Test
    fun `to the background, and back`() = contract { ana ->
        val receipt = ana.execute(ana.note("Minibar"))
        val left = assertIs<Backgrounded.Left>(ana.background(PATIENCE))
        assertEquals(1u to Unfinished.DISCONNECTED, left.operations to left.why)
        assertTrue(left.sentence.endsWith("."))
        ana.resume()
        ana.connect()
        serverTakes(ana, receipt.id)
        ana.upToDate(PATIENCE)
        assertEquals(Backgrounded.Done, ana.background(PATIENCE))
        ana.resume()
        assertEquals(PushOutcome.NoData, ana.pushReceived("""{"from":"somebody else"}""", PATIENCE))
        assertFalse("Minibar" in ana.diagnostics())
    }

    @Test
    fun `diagnostics name the operations that wait`() = contract { ana ->
        val receipt = ana.execute(ana.note("Minibar"))
        val diagnostics = ana.diagnostics()
        assertTrue(receipt.id.toString() in diagnostics && "Minibar" !in diagnostics, diagnostics)
    }

    @Test
    fun `after closing, flows end and calls are told`() = contract { ana ->
        coroutineScope {
            val screens = flowsOf(ana).map { async(Dispatchers.Default) { it.count() } }
            ana.close()
            screens.forEach { it.await() }
        }
        ana.close()
        assertFailsWith<InnSyncException.Closed> { ana.execute(ana.note("Too late")) }
        assertFailsWith<InnSyncException.Closed> { ana.outbox() }
        assertEquals(ConnectionState.DISCONNECTED, ana.connection.value)
        flowsOf(ana).forEach { it.count() }
    }

    private fun contract(tell: suspend (InnSync) -> Unit) = story { withAna(tell) }
}

internal class LiveContractTest : ContractTest() {
    @TempDir
    lateinit var folder: Path

    override suspend fun serverTakes(ana: InnSync, operation: UUID): Unit = Unit

    override suspend fun withAna(tell: suspend (InnSync) -> Unit) {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val ana = InnSyncs.signInOnce(settings("ana", server.url, folder.resolve("ana")))
            try {
                tell(ana)
            } finally {
                ana.close()
            }
        }
    }
}

internal class FakeContractTest : ContractTest() {
    override suspend fun serverTakes(ana: InnSync, operation: UUID): Unit = (ana as FakeInnSync).confirm(operation)

    override suspend fun withAna(tell: suspend (InnSync) -> Unit) {
        FakeInnSync().let {
            tell(it)
            it.close()
        }
    }
}
