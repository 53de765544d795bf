package dev.innsync

import dev.innsync.core.Backgrounded
import dev.innsync.core.ConnectionState
import dev.innsync.core.EntityKind
import dev.innsync.core.InnSyncException
import dev.innsync.core.PendingWork
import dev.innsync.core.PushOutcome
import dev.innsync.core.Query
import dev.innsync.core.Unfinished
import kotlinx.coroutines.CoroutineStart
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
import kotlin.test.assertIs
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
    fun `what ana just did is sent before she is quiet, and a push wakes her`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val ana = Phone.signIn("ana", server.url, folder.resolve("ana"))
            val maria = Phone.signIn("maria", server.url, folder.resolve("maria"))
            ana.goOnline()
            maria.goOnline()
            ana.innsync.execute(ana.innsync.note("Minibar"))
            assertEquals(Backgrounded.Done, ana.innsync.background(PATIENCE))
            maria.innsync.upToDate(PATIENCE)
            assertEquals(1, maria.innsync.query(Query(EntityKind.Note)).size)

            maria.innsync.execute(maria.innsync.note("Party"))
            maria.innsync.upToDate(PATIENCE)
            assertEquals(PushOutcome.NewData, ana.innsync.pushReceived("{}", PATIENCE))
            assertTrue("\"quiet\": true" in ana.innsync.diagnostics(), "quiet as before")
            ana.innsync.resume()
            assertEquals(2, ana.innsync.query(Query(EntityKind.Note)).size)

            server.kill()
            ana.innsync.execute(ana.innsync.note("Later"))
            val left = assertIs<Backgrounded.Left>(ana.innsync.background(PATIENCE))
            assertEquals(1u to Unfinished.OFFLINE, left.operations to left.why)
            ana.innsync.close()
            maria.innsync.close()
        }
    }

    @Test
    fun `who comes back at once calls it off`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val ana = Phone.signIn("ana", server.url, folder.resolve("ana"))
            ana.goOnline()
            // A server that answers nobody any more, so that there is something to wait for.
            server.pause()
            ana.innsync.execute(ana.innsync.note("Minibar"))
            coroutineScope {
                val leaving = async(start = CoroutineStart.UNDISPATCHED) { ana.innsync.background(PATIENCE) }
                ana.innsync.resume()
                assertEquals(Backgrounded.CalledOff, leaving.await())
            }
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
    innsync.conflicts,
    innsync.syncLine,
    innsync.events,
    innsync.effects,
    innsync.operations,
    innsync.logLines(),
    innsync.live(Query(EntityKind.Task)),
)
