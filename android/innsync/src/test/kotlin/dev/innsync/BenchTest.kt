package dev.innsync

import dev.innsync.core.EntityKind
import dev.innsync.core.Query
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.count
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.TimeSource
import kotlin.time.measureTime

/** Not a test: prints a table. `mvn test -Dgroups=bench -DexcludedGroups=` */
@Tag("bench")
internal class BenchTest {
    @TempDir
    lateinit var folder: Path

    private val table = ArrayList<String>()

    @Test
    fun measure() {
        kotlinx.coroutines.runBlocking(Dispatchers.Default) {
            Server(folder.resolve("ledger.sqlite")).use { server ->
                val maria = InnSyncs.signInOnce(settings("maria", server.url, folder.resolve("maria")))
                commandToObserver(maria)
                list(maria)
                answers(maria)
                events(maria)
                maria.close()
            }
        }
        println("\n| through Kotlin | best | median | worst |\n| --- | --- | --- | --- |")
        table.forEach(::println)
        println()
    }

    private suspend fun commandToObserver(maria: InnSync) =
        coroutineScope {
            val seen = Channel<Int>(Channel.UNLIMITED)
            val screen = launch { maria.live(Query(EntityKind.Note)).collect { seen.send(it.size) } }
            seen.receive()
            val times = (1..200).map { count ->
                measureTime {
                    maria.execute(maria.note("Note $count"))
                    seen.reaches(count)
                }
            }
            row("a command, saved on disk, until the observer has the list", times.drop(20))
            screen.cancel()
        }

    private suspend fun list(maria: InnSync) =
        coroutineScope {
            repeat(1_000) { maria.execute(maria.task("Task $it", null)) }
            val tasks = maria.query(Query(EntityKind.Task)).size
            val loads = (1..30).map { measureTime { maria.live(Query(EntityKind.Task)).first() } }
            row("a live list of $tasks tasks, first load", loads.drop(5))
            row("the same by query", (1..30).map { measureTime { maria.query(Query(EntityKind.Task)) } }.drop(5))

            val changes = Channel<Int>(Channel.UNLIMITED)
            val screen = launch { maria.live(Query(EntityKind.Task)).collect { changes.send(it.size) } }
            changes.receive()
            val times = (1..50).map {
                measureTime {
                    maria.execute(maria.task("One more $it", null))
                    changes.reaches(tasks + it)
                }
            }
            row("one task more in that list, from the command on", times.drop(10))
            screen.cancel()
        }

    private suspend fun answers(maria: InnSync) {
        val nobody = maria.newId()
        val times = (1..20).map { measureTime { repeat(1_000) { maria.whyWaiting(nobody) } } / 1_000 }
        row("a call that asks the core and is answered", times.drop(5))
    }

    private suspend fun events(maria: InnSync) =
        coroutineScope {
            maria.connect()
            maria.upToDate(5.minutes)
            val wanted = 1_000
            val start = TimeSource.Monotonic.markNow()
            val heard = async(start = CoroutineStart.UNDISPATCHED) {
                maria.events.take(wanted).count()
            }
            launch { repeat(wanted) { maria.execute(maria.note("Event $it")) } }
            val count = heard.await()
            val each = start.elapsedNow() / count
            table +=
                "| events per second, of one's own commands by way of the server | | ${(1 / each.inWholeNanoseconds.toDouble() * 1e9).toInt()} | |"
        }

    private suspend fun Channel<Int>.reaches(count: Int) {
        do {
            val now = receive()
        } while (now < count)
    }

    private fun row(what: String, times: List<Duration>) {
        val sorted = times.sorted()
        table += "| $what | ${sorted.first()} | ${sorted[sorted.size / 2]} | ${sorted.last()} |"
    }
}
