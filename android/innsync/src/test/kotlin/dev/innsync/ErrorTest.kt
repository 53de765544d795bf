package dev.innsync

import dev.innsync.core.Audience
import dev.innsync.core.Command
import dev.innsync.core.InnSyncException
import dev.innsync.core.LogLevel
import dev.innsync.core.LogLine
import dev.innsync.core.PendingWork
import dev.innsync.core.TokenStore
import dev.innsync.core.TokenStoreException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds

/** Tokens in memory; fails when told to. */
private class Tokens : TokenStore {
    val kept = ConcurrentHashMap<String, String>()

    @Volatile
    var failure: (() -> Nothing)? = null

    override fun load(account: String): String? {
        failure?.invoke()
        return kept[account]
    }

    override fun save(account: String, tokens: String) {
        failure?.invoke()
        kept[account] = tokens
    }

    override fun clear(account: String) {
        failure?.invoke()
        kept.remove(account)
    }
}

internal class ErrorTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a bug in the core has an id, and the next call works`() = story {
        val bug = assertFailsWith<InnSyncException.Bug> { InnSyncs.raiseTestBug() }
        assertTrue(Regex("[0-9a-f]{8}").matches(bug.id), bug.id)
        assertEquals("a bug in InnSync, told to the log as ${bug.id}", bug.message)
        assertEquals(emptyList(), InnSyncs.accounts("$folder"))
    }

    @Test
    fun `support finds the bug in the log by its id`() = story {
        coroutineScope {
            val log = async(Dispatchers.Default) {
                InnSyncs.logLines(LogLevel.ERROR).first { "a call panicked bug=" in it.message }
            }
            // The log is read from some moment on: each bug has an id of its own.
            val ids = HashSet<String>()
            while (log.isActive) {
                ids += assertFailsWith<InnSyncException.Bug> { InnSyncs.raiseTestBug() }.id
                delay(20.milliseconds)
            }
            val line = log.await()
            assertEquals(LogLevel.ERROR, line.level)
            assertContains(line.message, "detail=raised on purpose, to try the reporting of bugs")
            assertContains(ids, line.message.substringAfter("bug=").substringBefore(" "))
        }
    }

    @Test
    fun `ana's log tells how she signed in, and not with what`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val tokens = Tokens()
            val ana = InnSyncs.signIn(settings("ana", server.url, folder.resolve("ana")), PASSWORD, tokens)
            val log = CopyOnWriteArrayList<LogLine>()
            coroutineScope {
                val reader = launch(Dispatchers.Default) { ana.logLines(LogLevel.DEBUG).collect { log += it } }
                // Until the log is read.
                while (log.isEmpty()) {
                    runCatching { InnSyncs.raiseTestBug() }
                    delay(20.milliseconds)
                }
                ana.connect()
                ana.upToDate(PATIENCE)
                ana.execute(ana.note("Minibar-canary"))
                ana.upToDate(PATIENCE)
                ana.close()
                reader.join()
            }
            assertContains(log.map { it.message }, "connection state=CONNECTED")
            assertContains(log.map { it.message }, "HTTP method=POST path=/v1/ops status=200")
            val secrets = Regex("[\\w.-]{20,}").findAll(tokens.kept.values.single()).map { it.value }.toList()
            assertEquals(2, secrets.size, "access and refresh token")
            (secrets + PASSWORD + "canary").forEach { secret ->
                assertTrue(log.none { secret in "$it" }, "$secret is in the log")
            }
        }
    }

    @Test
    fun `nobody is there`() = story {
        val nowhere = settings("ana", "http://127.0.0.1:9", folder)
        assertFailsWith<InnSyncException.Offline> { InnSyncs.signIn(nowhere, PASSWORD) }
        assertFailsWith<InnSyncException.SignInRequired> { InnSyncs.open(nowhere) }
        assertFailsWith<InnSyncException.InvalidInput> { InnSyncs.open(nowhere.copy(server = "not a URL")) }
    }

    @Test
    fun `a wrong password, and a message for people`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val settings = settings("ana", server.url, folder.resolve("ana"))
            val wrong = assertFailsWith<InnSyncException.SignInRequired> { InnSyncs.signIn(settings, "pelican") }
            assertEquals("a person must sign in", wrong.message)
            val ana = InnSyncs.signIn(settings, PASSWORD)
            val refused = assertFailsWith<InnSyncException.Rejected> { ana.execute(ana.task("", null)) }
            assertEquals(refused.rejection.message, refused.message)
            assertFalse(refused.message.isBlank())
            ana.close()
        }
    }

    @Test
    fun `ana cannot sign in while her phone cannot keep the tokens, and is told what to do`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val settings = settings("ana", server.url, folder.resolve("ana"))
            val tokens = Tokens()
            tokens.failure = { throw TokenStoreException.Failed("the key store is locked") }
            val locked = assertFailsWith<InnSyncException.TokenStoreFailed> {
                InnSyncs.signIn(settings, PASSWORD, tokens)
            }
            assertEquals("the key store is locked", locked.detail)
            assertContains(locked.message, "unlock the phone and try again")
            // Also one that throws what it was not meant to.
            tokens.failure = { error("a mistake in the app") }
            val mistaken = assertFailsWith<InnSyncException.TokenStoreFailed> {
                InnSyncs.signIn(settings, PASSWORD, tokens)
            }
            assertContains(mistaken.detail, "a mistake in the app")
            assertEquals(emptyList(), InnSyncs.accounts(settings.directory))
            tokens.failure = null
            InnSyncs.signIn(settings, PASSWORD, tokens).close()
            assertEquals(1, tokens.kept.size)
        }
    }

    @Test
    fun `tokens that cannot be read do not keep ana from her tasks`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val settings = settings("ana", server.url, folder.resolve("ana"))
            val tokens = Tokens()
            InnSyncs.signIn(settings, PASSWORD, tokens).close()
            tokens.failure = { throw TokenStoreException.Failed("the key store is locked") }
            InnSyncs.open(settings, tokens).let { ana ->
                assertTrue(ana.status.value.needsSignIn)
                assertEquals(emptyList(), ana.myTasks.first().tasks)
                ana.close()
            }
            tokens.failure = null
            InnSyncs.open(settings, tokens).let { ana ->
                assertFalse(ana.status.value.needsSignIn)
                ana.close()
            }
        }
    }

    @Test
    fun `ana stays signed in when her phone cannot forget or replace the tokens`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val settings = settings("ana", server.url, folder.resolve("ana"))
            val tokens = Tokens()
            val ana = InnSyncs.signInOnce(settings, tokens)
            val kept = tokens.kept.toMap()
            ana.execute(ana.note("Minibar"))
            tokens.failure = { throw TokenStoreException.Failed("the key store is locked") }
            assertFailsWith<InnSyncException.TokenStoreFailed> { ana.signInAgain(PASSWORD) }
            assertFailsWith<InnSyncException.TokenStoreFailed> { ana.signOut(PendingWork.Discard) }
            assertEquals(kept, tokens.kept.toMap())
            tokens.failure = null
            // The handle is open, and she is signed in on the server too.
            ana.execute(ana.note("Towels"))
            ana.connect()
            ana.upToDate(PATIENCE)
            assertFalse(ana.status.value.needsSignIn)
            ana.signOut()
            assertEquals(emptyMap(), tokens.kept.toMap())
        }
    }

    @Test
    fun `an audience that is no JSON is said to be none`() = story {
        val id = UUID(1, 1)

        fun note(audience: String) =
            Command.CreateNote(id, "Minibar", "", null, null, Audience.Unknown(audience))
        listOf("", "guests", "[]", "{").forEach { wrong ->
            assertFailsWith<InnSyncException.InvalidInput>(wrong) { InnSyncs.json(note(wrong)) }
        }
        val newer = """{"floor":2,"kind":"GUESTS"}"""
        assertContains(InnSyncs.json(note(newer)), newer)
        assertEquals(note(newer), InnSyncs.command(InnSyncs.json(note(newer))))
    }
}
