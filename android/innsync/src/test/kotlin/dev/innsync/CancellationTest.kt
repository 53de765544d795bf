package dev.innsync

import dev.innsync.core.Audience
import dev.innsync.core.Command
import dev.innsync.core.Effect
import dev.innsync.core.EntityKind
import dev.innsync.core.Query
import dev.innsync.core.Update
import dev.innsync.core.openAccount
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.UUID
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds

internal class CancellationTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `what ana did not see to the end is shown again`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val maria = Phone.signIn("maria", server.url, folder.resolve("maria"))
            maria.goOnline()
            val ana = InnSyncs.signIn(settings("ana", server.url, folder.resolve("ana")), PASSWORD)
            ana.connect()
            ana.upToDate(PATIENCE)
            listOf("Towels for 101", "Pillows for 203", "Soap for 207").forEach {
                maria.innsync.execute(maria.innsync.task(it, ana.account.employee))
            }
            val shown = CopyOnWriteArrayList<Effect>()
            var interrupted: Effect? = null
            coroutineScope {
                val inTheMiddle = CompletableDeferred<Effect>()
                val screen = launch {
                    ana.present { effect ->
                        if (shown.size == 2) {
                            inTheMiddle.complete(effect)
                            awaitCancellation()
                        }
                        shown += effect
                    }
                }
                interrupted = inTheMiddle.await()
                screen.cancelAndJoin()
            }
            coroutineScope {
                val screen = launch(Dispatchers.Default) { ana.present { shown += it } }
                // Of each of the three tasks there is a toast and a sound.
                assertTrue(becomes { shown.size >= 6 }, "only $shown")
                screen.cancelAndJoin()
            }
            assertEquals(interrupted, shown[2], "the one that was being shown comes again, and first")
            assertEquals(shown.size, shown.distinctBy { it.id }.size, "what was shown does not")
            maria.innsync.close()
            ana.close()
        }
    }

    @Test
    fun `what ana did is done, though its screen was closed at once`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val ana = InnSyncs.signInOnce(settings("ana", server.url, folder.resolve("ana")))
            repeat(60) { round ->
                coroutineScope {
                    val tap = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) {
                        ana.execute(ana.note("Minibar"))
                    }
                    when (round % 3) {
                        0 -> Unit
                        1 -> yield()
                        else -> delay((round / 6).milliseconds)
                    }
                    tap.cancel()
                }
            }
            assertEquals(60, ana.query(Query(EntityKind.Note)).size)
            assertEquals(60, ana.outbox().size)
            ana.close()
        }
    }

    @Test
    fun `the core gives a batch again until the next call acknowledges it`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val settings = settings("ana", server.url, folder.resolve("ana"))
            InnSyncs.signInOnce(settings).close()
            openAccount(settings, null).use { handle ->
                val stream = handle.live(Query(EntityKind.Note))
                val first = assertNotNull(stream.batch(0UL))
                assertIs<Update.Reset>(first.items.single())
                assertEquals(first, stream.batch(0UL))
                coroutineScope {
                    val waits = launch(start = CoroutineStart.UNDISPATCHED) { stream.batch(first.number) }
                    waits.cancelAndJoin()
                }
                handle.execute(note(handle.newId()), emptyList())
                val second = assertNotNull(stream.batch(first.number))
                assertIs<Update.Diff>(second.items.single())
                assertEquals(second, stream.batch(first.number))
                stream.stop()
                assertEquals(null, stream.batch(second.number))
                stream.close()
                handle.shutDown()
            }
        }
    }

    @Test
    fun `collectors come and go`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val ana = Phone.signIn("ana", server.url, folder.resolve("ana"))
            ana.goOnline()
            repeat(200) {
                coroutineScope {
                    val screen = launch(Dispatchers.Default) { ana.innsync.suiteBoard.collect { } }
                    if (it % 2 == 0) yield()
                    screen.cancel()
                }
            }
            assertEquals(20, ana.innsync.suiteBoard.first().floors.sumOf { it.suites.size })
            ana.innsync.close()
        }
    }
}

private fun note(id: UUID) = Command.CreateNote(id, "Minibar", "", null, null, Audience.AllStaff)
