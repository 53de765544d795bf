package dev.innsync

import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.Path
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertTrue

internal class LoadingTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `the library of this build is taken`() {
        val program = program(Path(System.getProperty("jna.library.path")))
        assertEquals("accounts: []" to 0, program)
    }

    @Test
    fun `the library of another build is refused, with what to do about it`() {
        val name = System.mapLibraryName("innsync_ffi")
        val library = Path(System.getProperty("jna.library.path")).resolve(name).readBytes()
        // Another face: its records have other fields.
        val mark = "innsync-facade-digest:".toByteArray()
        val at = (0..library.size - mark.size).filter { at -> mark.indices.all { library[at + it] == mark[it] } }
        assertEquals(1, at.size)
        library.fill('0'.code.toByte(), at.single() + mark.size, at.single() + mark.size + 16)
        folder.resolve(name).writeBytes(library)

        val (output, code) = program(folder)
        assertTrue(code != 0)
        assertContains(output, "of different builds: run `cargo xtask bindings`")
    }

    /** What a program prints that uses the library of that folder, and how it ends. */
    private fun program(library: Path): Pair<String, Int> {
        val java = Path(System.getProperty("java.home"), "bin", "java")
        val classes = listOf(System.getProperty("surefire.test.class.path"), System.getProperty("java.class.path"))
            .filterNotNull()
            .joinToString(File.pathSeparator)
        val program =
            ProcessBuilder("$java", "-cp", classes, "-Djna.library.path=$library", "dev.innsync.LoadingProgramKt")
                .redirectErrorStream(true)
                .start()
        val output = program.inputStream.bufferedReader().readText().trim()
        assertTrue(program.waitFor(60, TimeUnit.SECONDS))
        return output to program.exitValue()
    }
}
