package dev.innsync.android

import dev.innsync.core.TokenStoreException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import java.io.File

@RunWith(RobolectricTestRunner::class)
internal class KeystoreTokenStoreTest {
    private val folder get() = File(RuntimeEnvironment.getApplication().noBackupFilesDir, "innsync-tokens")
    private val files get() = folder.listFiles().orEmpty()

    @Before
    fun keys(): Unit = KeysInMemory.install()

    private fun store() = KeystoreTokenStore(RuntimeEnvironment.getApplication())

    @Test
    fun `tokens are there after a restart, and nobody can read them`() {
        assertEquals(null, store().load("seaside/ana"))
        store().save("seaside/ana", "first")
        store().save("seaside/ana", "second secret")
        store().save("seaside/ben", "of ben")
        assertEquals("second secret", store().load("seaside/ana"))
        assertEquals("of ben", store().load("seaside/ben"))
        assertEquals(2, files.size)
        assertFalse(files.any { "secret" in it.readText(Charsets.ISO_8859_1) || "ana" in it.name })
    }

    @Test
    fun `ana signs out, ben does not`() {
        store().save("seaside/ana", "of ana")
        store().save("seaside/ben", "of ben")
        store().clear("seaside/ana")
        store().clear("seaside/ana")
        assertEquals(null, store().load("seaside/ana"))
        assertEquals("of ben", store().load("seaside/ben"))
    }

    @Test
    fun `what cannot be opened is as good as none`() {
        store().save("seaside/ana", "of ana")
        KeysInMemory.keys.clear()
        assertEquals("the key is gone", null, store().load("seaside/ana"))
        store().save("seaside/ana", "of ana")
        assertEquals("of ana", store().load("seaside/ana"))
        val file = files.single()
        for (damaged in listOf(
            byteArrayOf(),
            byteArrayOf(12),
            byteArrayOf(-1, 2, 3),
            file.readBytes().dropLast(1).toByteArray(),
        )) {
            file.writeBytes(damaged)
            assertEquals(null, store().load("seaside/ana"))
        }
        store().save("seaside/ana", "of ana")
        val ofAna = files.single().readBytes()
        store().save("seaside/ben", "of ben")
        files.forEach { it.writeBytes(ofAna) }
        assertEquals("another's tokens", null, store().load("seaside/ben"))
    }

    @Test
    fun `a disk that cannot be written to is an error with a name`() {
        folder.parentFile?.mkdirs()
        folder.writeText("in the way")
        val error = assertThrows(TokenStoreException.Failed::class.java) { store().save("seaside/ana", "secret") }
        assertFalse("secret" in error.detail)
    }
}
