package dev.innsync

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.lang.management.ManagementFactory
import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertTrue

internal class ThreadsTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a hundred thousand answers of the core leave no threads behind`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val ana = Phone.signIn("ana", server.url, folder.resolve("ana"))
            answers(ana.innsync, 1_000)
            val threads = ManagementFactory.getThreadMXBean()
            val (alive, started) = threads.threadCount to threads.totalStartedThreadCount
            answers(ana.innsync, 100_000)
            assertTrue(becomes { threads.threadCount <= alive + 8 }, "$alive threads became ${threads.threadCount}")
            val more = threads.totalStartedThreadCount - started
            assertTrue(more < 100, "$more threads were started on the way")
            val ofCore = Thread.getAllStackTraces().keys.filter { it.name.startsWith("innsync") }
            assertTrue(ofCore.isNotEmpty() && ofCore.all { it.isDaemon }, "they would hold up the end of the process")
            ana.innsync.close()
        }
    }

    private suspend fun answers(innsync: InnSync, count: Int) {
        val nobody = innsync.newId()
        coroutineScope {
            repeat(8) {
                launch(Dispatchers.Default) {
                    repeat(count / 8) { assertEquals(null, innsync.whyWaiting(nobody)) }
                }
            }
        }
    }
}
