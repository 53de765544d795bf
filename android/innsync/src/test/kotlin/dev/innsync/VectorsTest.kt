package dev.innsync

import dev.innsync.core.InnSyncException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Test
import kotlin.io.path.Path
import kotlin.io.path.readText
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** `tests/vectors`: whatever crosses the border comes back the same, as in Rust and Swift. */
internal class VectorsTest {
    @Test
    fun `every command is the same on both sides`() {
        val file = Path(System.getProperty("innsync.scenarios")).resolveSibling("vectors").resolve("commands.json")
        val vectors = Json.parseToJsonElement(file.readText()).jsonArray
        val names = vectors.map { vector ->
            val command = InnSyncs.command("$vector")
            assertEquals(vector, Json.parseToJsonElement(InnSyncs.json(command)))
            val name = vector.jsonObject.getValue("type").jsonPrimitive.content
            assertEquals(name, FakeDefaults.name(command), "as the fake names it")
            name
        }
        assertEquals(32, names.toSet().size, "each command has a vector")
    }

    @Test
    fun `what is no command says where`() {
        val wrong = assertFailsWith<InnSyncException.InvalidInput> { InnSyncs.command("""{"type":"TAKE_TASK"}""") }
        assertContains(wrong.detail, "taskId")
    }
}
