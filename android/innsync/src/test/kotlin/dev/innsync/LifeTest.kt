package dev.innsync

import dev.innsync.core.ConnectionState
import dev.innsync.core.EntityKind
import dev.innsync.core.InnSyncException
import dev.innsync.core.PendingWork
import dev.innsync.core.Query
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.count
import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

internal class LifeTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `ana's phone is closed and opened at once, again and again`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val settings = settings("ana", server.url, folder.resolve("ana"))
            InnSyncs.signInOnce(settings).close()
            repeat(20) { round ->
                val ana = InnSyncs.open(settings)
                ana.connect()
                ana.execute(ana.note("Round"))
                val asked = TimeSource.Monotonic.markNow()
                assertFailsWith<InnSyncException.AlreadyOpen> { InnSyncs.open(settings) }
                assertTrue(asked.elapsedNow() < 1.seconds, "she is told at once: ${asked.elapsedNow()}")
                if (round % 4 == 0) ana.upToDate(PATIENCE)
                ana.close()
                ana.close()
            }
            val ana = InnSyncs.open(settings)
            assertEquals(20, ana.query(Query(EntityKind.Note)).size)
            assertEquals(listOf("ana"), InnSyncs.accounts(settings.directory).map { it.person })
            ana.close()
        }
    }

    @Test
    fun `all flows end when it is closed, and calls are told so`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val ana = Phone.signIn("ana", server.url, folder.resolve("ana"))
            ana.goOnline()
            coroutineScope {
                val collectors = flowsOf(ana.innsync).map { flow -> async(Dispatchers.Default) { flow.count() } }
                ana.innsync.live(Query(EntityKind.Suite)).first()
                ana.innsync.close()
                collectors.awaitAll()
            }
            assertEquals(ConnectionState.DISCONNECTED, ana.innsync.connection.value)
            assertFailsWith<InnSyncException.Closed> { ana.innsync.execute(ana.innsync.note("Too late")) }
            assertFailsWith<InnSyncException.Closed> { ana.innsync.query(Query(EntityKind.Task)) }
            assertFailsWith<InnSyncException.Closed> { ana.innsync.outbox() }
            assertFailsWith<InnSyncException.Closed> { ana.innsync.upToDate(1.seconds) }
            flowsOf(ana.innsync).forEach { it.count() }
            ana.innsync.connect()
            ana.innsync.foreground()
        }
    }

    @Test
    fun `quiet in the background, and on again`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val ana = Phone.signIn("ana", server.url, folder.resolve("ana"))
            ana.goOnline()
            ana.innsync.quiesce()
            assertTrue(becomes { ana.innsync.connection.value != ConnectionState.CONNECTED })
            ana.innsync.resume()
            ana.innsync.foreground()
            ana.innsync.upToDate(PATIENCE)
            assertTrue(becomes { ana.innsync.connection.value == ConnectionState.CONNECTED })
            ana.innsync.close()
        }
    }

    @Test
    fun `ana signs out with her work sent, and needs her password`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val settings = settings("ana", server.url, folder.resolve("ana"))
            val ana = Phone.signIn("ana", server.url, folder.resolve("ana"))
            ana.goOnline()
            ana.innsync.execute(ana.innsync.note("Last words"))
            ana.innsync.signOut(PendingWork.Send(30_000UL))
            assertFailsWith<InnSyncException.Closed> { ana.innsync.outbox() }
            val again = InnSyncs.signIn(settings, PASSWORD)
            assertEquals(0, again.outbox().size)
            assertEquals(1, again.query(Query(EntityKind.Note)).size)
            again.close()
        }
    }
}

internal fun flowsOf(innsync: InnSync): List<Flow<Any>> = listOf(
    innsync.myTasks,
    innsync.unassigned,
    innsync.urgent,
    innsync.suiteBoard,
    innsync.dashboard,
    innsync.inbox,
    innsync.syncLine,
    innsync.events,
    innsync.effects,
    innsync.operations,
    innsync.logLines(),
    innsync.live(Query(EntityKind.Task)),
)
