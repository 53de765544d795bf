package dev.innsync

import dev.innsync.core.Command
import dev.innsync.core.Entity
import dev.innsync.core.EntityKind
import dev.innsync.core.NotePatch
import dev.innsync.core.Query
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.io.path.Path
import kotlin.io.path.readLines
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.DurationUnit
import kotlin.time.TimeSource
import kotlin.time.measureTime

/**
 * Not a test: `mvn test -Dgroups=bench -DexcludedGroups=` measures what InnSync costs through Kotlin. The benchmarks of
 * Rust and Swift do the same in the same order and print the same lines, of which `cargo xtask bench` makes a table.
 */
@Tag("bench")
internal class BenchTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun measure() {
        runBlocking(Dispatchers.Default) {
            Server(folder.resolve("ledger.sqlite")).use { server ->
                val ofSam = settings("sam", server.url, folder.resolve("sam"))
                val sam = InnSyncs.signInOnce(ofSam)
                val ana = InnSyncs.signInOnce(settings("ana", server.url, folder.resolve("ana")))
                commandToObserver(sam)
                list(sam)
                calls(sam)
                events(sam, ana)
                sam.close()
                ana.close()
                openings { InnSyncs.open(ofSam) }
            }
        }
    }

    private suspend fun commandToObserver(sam: InnSync) =
        watching(sam) { lists ->
            val times = (1..COMMANDS).map { number ->
                measureTime {
                    sam.execute(sam.note("Note $number"))
                    lists.until { it.size >= number }
                }
            }.drop(COMMANDS / 10)
            measured("command to observer, p50", "ms", times.quantile(0.5))
            measured("command to observer, p95", "ms", times.quantile(0.95))
        }

    private suspend fun list(sam: InnSync) {
        repeat(ROWS - COMMANDS) { sam.execute(sam.note("More $it")) }
        val loads = (1..LOADS).map {
            measureTime { check(sam.live(NOTES).first().size == ROWS) }
        }
        measured("list of 1,000 rows, first load", "ms", loads.drop(LOADS / 10).quantile(0.5))
        watching(sam) { lists ->
            val notes = sam.query(NOTES).take(CHANGES).map { (it as Entity.OfNote).value.id }
            val times = notes.mapIndexed { round, note ->
                val title = "Changed $round"
                measureTime {
                    sam.execute(Command.EditNote(note, NotePatch(title, null, null, null, null)))
                    lists.until { rows -> rows.any { (it as Entity.OfNote).value.title == title } }
                }
            }.drop(CHANGES / 10)
            measured("the same, one row changed", "ms", times.quantile(0.5))
        }
    }

    private suspend fun calls(sam: InnSync) {
        val nobody = sam.newId()
        repeat(CALLS / 10) { sam.whyWaiting(nobody) }
        val time = measureTime { repeat(CALLS) { sam.whyWaiting(nobody) } }
        measured("a call and its answer", "µs", time.toDouble(DurationUnit.MICROSECONDS) / CALLS)
    }

    /** What waits is taken as fast as it goes: the first comes when all are there. */
    private suspend fun events(sam: InnSync, ana: InnSync) =
        coroutineScope {
            val mayTake = Channel<Unit>()
            val seconds = async(start = CoroutineStart.UNDISPATCHED) {
                var begun = TimeSource.Monotonic.markNow()
                var isFirst = true
                ana.events.filter {
                    if (isFirst) {
                        isFirst = false
                        mayTake.receive()
                        begun = TimeSource.Monotonic.markNow()
                    }
                    it.name == "ENTITY_CREATED"
                }.take(TAKEN).toList()
                begun.elapsedNow().toDouble(DurationUnit.SECONDS)
            }
            for (phone in listOf(sam, ana)) {
                phone.connect()
                phone.upToDate(5.minutes)
            }
            mayTake.send(Unit)
            measured("events taken", "1/s", TAKEN / seconds.await())
        }

    private suspend fun openings(open: suspend () -> InnSync) {
        // Until the allocators have grown: what each further one leaves is asked for.
        repeat(OPENINGS / 4) { open().close() }
        val before = memory()
        val time = measureTime { repeat(OPENINGS) { open().close() } }
        measured("opened and closed", "ms", time.toDouble(DurationUnit.MILLISECONDS) / OPENINGS)
        measured("memory that 10,000 openings leave", "MB", memory() - before)
    }

    /** What the process holds, in MB; what Java holds and does not need, and threads that have no work, go first. */
    private fun memory(): Double {
        Thread.sleep(IDLE_THREADS_MS)
        repeat(3) { System.gc() }
        val line = Path("/proc/self/status").readLines().first { it.startsWith("VmRSS:") }
        return line.filter(Char::isDigit).toDouble() / 1024
    }

    private suspend fun watching(sam: InnSync, what: suspend (Channel<List<Entity>>) -> Unit) =
        coroutineScope {
            val lists = Channel<List<Entity>>(Channel.UNLIMITED)
            val screen = launch { sam.live(NOTES).collect { lists.send(it) } }
            lists.receive()
            what(lists)
            screen.cancel()
        }

    private suspend fun Channel<List<Entity>>.until(holds: (List<Entity>) -> Boolean) {
        do {
            val now = receive()
        } while (!holds(now))
    }

    private fun List<Duration>.quantile(share: Double): Double =
        sorted()[(share * size).toInt().coerceAtMost(size - 1)].toDouble(DurationUnit.MILLISECONDS)

    private fun measured(what: String, unit: String, figure: Double) = println("measured|$what|$unit|$figure")

    private companion object {
        val NOTES = Query(EntityKind.Note)
        const val COMMANDS = 200
        const val ROWS = 1_000
        const val TAKEN = 900
        const val LOADS = 30
        const val CHANGES = 50
        const val CALLS = 20_000
        const val OPENINGS = 10_000
        const val IDLE_THREADS_MS = 5_000L
    }
}
