package dev.innsync

import dev.innsync.core.Command
import dev.innsync.core.Effect
import dev.innsync.core.EffectBody
import dev.innsync.core.EntityKind
import dev.innsync.core.Query
import dev.innsync.core.Settlement
import dev.innsync.core.TaskPatch
import dev.innsync.core.TaskStatus
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.io.path.Path
import kotlin.io.path.readText
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

internal class ReadmeTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `the README shows what is compiled here`() {
        val readme = Path(System.getProperty("innsync.readme")).readText()
        val source = Path("src/test/kotlin/dev/innsync/ReadmeSnippets.kt").readText()
        val regions = Regex("(?s)// README: \\w+\n(.*?)// README: end").findAll(source).map {
            it.groupValues[1]
        }.toList()
        assertEquals(4, regions.size)
        regions.forEach { assertContains(readme, "```kotlin\n$it```") }
    }

    @Test
    fun `and it works, also in the basement`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val settings = settings("ana", server.url, folder.resolve("ana"))
            openOrSignIn(settings, tokens = null) { PASSWORD }.close()
            val innsync = openOrSignIn(settings, tokens = null) { error("she is signed in") }
            val shown = CopyOnWriteArrayList<Effect>()
            val scope = CoroutineScope(Dispatchers.Default)
            val model = MyTasksModel(innsync, scope) { shown += it }
            model.begin()
            innsync.upToDate(PATIENCE)
            val maria = Phone.signIn("maria", server.url, folder.resolve("maria"))
            maria.goOnline()
            maria.innsync.execute(maria.innsync.task("Towels for 101", innsync.account.employee))
            val card = model.tasks.first { it.isNotEmpty() }.single()
            assertTrue(becomes { shown.any { (it.body as? EffectBody.Toast)?.key == "task.assigned" } })
            server.kill()
            model.complete(card)
            model.tasks.first { it.isEmpty() }
            server.restart()
            assertTrue(becomes { maria.task("Towels for 101")?.status == TaskStatus.Completed })
            maria.innsync.close()
            innsync.close()
            scope.cancel()
        }
    }

    @Test // G8
    fun `sam settles a conflict by the sheet that he saw last, and maria restores hers`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val sam = Phone.signIn("sam", server.url, folder.resolve("sam"))
            val maria = Phone.signIn("maria", server.url, folder.resolve("maria"))
            listOf(maria, sam).forEach { it.goOnline() }
            maria.innsync.execute(maria.innsync.task("Two towels", assignee = null))
            assertTrue(becomes { sam.task("Two towels") != null })
            sam.innsync.disconnect()
            sam.renames("Two towels", "Ten towels")
            maria.renames("Two towels", "Four towels")
            maria.innsync.upToDate(PATIENCE)
            sam.goOnline()
            val model = ConflictsModel(sam.innsync)
            val stale = model.sheets.first { it.isNotEmpty() }.single()
            maria.renames("Four towels", "Five towels")
            val sheet = model.sheets.first { it.single().version != stale.version }.single()
            assertFalse(model.choose(stale, Settlement.Mine))
            assertTrue(model.choose(sheet, Settlement.Mine))
            assertTrue(becomes { maria.task("Ten towels") != null })
            val hers = ConflictsModel(maria.innsync)
            val lost = hers.lost.first { it.isNotEmpty() }.first()
            assertEquals("\"Five towels\"" to "Sam", lost.conflict.lost to lost.keptByName)
            hers.restore(lost)
            assertTrue(becomes { sam.task("Five towels") != null })
            listOf(maria, sam).forEach { it.innsync.close() }
        }
    }

    @Test
    fun `sam takes back what he did by mistake, but not over what maria did since`() = story {
        Server(folder.resolve("ledger.sqlite")).use { server ->
            val sam = Phone.signIn("sam", server.url, folder.resolve("sam"))
            val maria = Phone.signIn("maria", server.url, folder.resolve("maria"))
            listOf(maria, sam).forEach { it.goOnline() }
            maria.innsync.execute(maria.innsync.task("Two towels", assignee = null))
            assertTrue(becomes { sam.task("Two towels") != null })
            sam.renames("Two towels", "Ten towels")
            assertTrue(becomes { maria.task("Ten towels") != null })
            assertEquals(null, offerUndo(sam.innsync) { false })
            assertEquals("Ten towels", sam.tasks().single { "towels" in it.title }.title)
            assertEquals(null, offerUndo(sam.innsync) { it == "EDIT_TASK" })
            assertTrue(becomes { maria.task("Two towels") != null })
            sam.renames("Two towels", "Six towels")
            assertTrue(becomes { maria.task("Six towels") != null })
            maria.renames("Six towels", "Five towels")
            assertTrue(becomes { sam.task("Five towels") != null })
            assertContains(assertNotNull(offerUndo(sam.innsync) { true }), "changed")
            sam.innsync.upToDate(PATIENCE)
            assertTrue(sam.task("Five towels") != null)
            listOf(maria, sam).forEach { it.innsync.close() }
        }
    }

    private suspend fun Phone.renames(title: String, other: String) {
        innsync.execute(Command.EditTask(checkNotNull(task(title)).id, TaskPatch(title = other)))
    }

    @Test
    fun `its screen is tried without a server, and without the core`() = story {
        val fake = FakeInnSync()
        fake.show(Samples.myTasks)
        val model = MyTasksModel(fake, CoroutineScope(Dispatchers.Default)) { }
        model.complete(model.tasks.first().single())
        assertEquals(listOf("START_TASK", "COMPLETE_TASK"), fake.outbox().map { it.command })
        assertEquals(null, offerUndo(fake) { it == "COMPLETE_TASK" })
        assertEquals(listOf("START_TASK"), fake.outbox().map { it.command })
        val other = fake.task("Towels for 101", assignee = null)
        assertEquals(null, offerUndo(fake) { fake.execute(other).command == "CREATE_TASK" })
        assertEquals(listOf("START_TASK", "CREATE_TASK"), fake.outbox().map { it.command }, "it was meant for another")
        assertEquals(emptyList(), fake.query(Query(EntityKind.Task)))
    }
}
