package dev.innsync.android

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import dev.innsync.core.TokenStore
import dev.innsync.core.TokenStoreException
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.MessageDigest
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * Keeps tokens in files that only the app may read and that no backup takes, encrypted by a key that does not leave
 * Android's key store.
 */
public class KeystoreTokenStore(
    context: Context,
) : TokenStore {
    private val folder = File(context.applicationContext.noBackupFilesDir, "innsync-tokens")

    override fun load(account: String): String? =
        failing {
            val sealed =
                try {
                    file(account).readFully()
                } catch (_: FileNotFoundException) {
                    return@failing null
                }
            try {
                open(account, sealed)
            } catch (_: GeneralSecurityException) {
                // The key is gone, as after a restore: as good as none, the person signs in again.
                null
            }
        }

    override fun save(account: String, tokens: String): Unit =
        failing {
            val sealed = seal(account, tokens)
            folder.mkdirs()
            val file = file(account)
            val stream = file.startWrite()
            try {
                stream.write(sealed)
                file.finishWrite(stream)
            } catch (failure: IOException) {
                file.failWrite(stream)
                throw failure
            }
        }

    override fun clear(account: String): Unit = file(account).delete()

    private fun file(account: String): AtomicFile {
        val name = MessageDigest.getInstance("SHA-256").digest(account.toByteArray())
        return AtomicFile(File(folder, name.joinToString("") { "%02x".format(it) }))
    }

    private fun seal(account: String, tokens: String): ByteArray {
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, key())
        cipher.updateAAD(account.toByteArray())
        return byteArrayOf(cipher.iv.size.toByte()) + cipher.iv + cipher.doFinal(tokens.toByteArray())
    }

    private fun open(account: String, sealed: ByteArray): String {
        val ivSize = sealed.firstOrNull()?.toInt() ?: 0
        if (ivSize <= 0 || sealed.size <= 1 + ivSize) throw GeneralSecurityException("not a sealed text")
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.DECRYPT_MODE, key(), GCMParameterSpec(TAG_BITS, sealed, 1, ivSize))
        cipher.updateAAD(account.toByteArray())
        return String(cipher.doFinal(sealed, 1 + ivSize, sealed.size - 1 - ivSize))
    }

    private fun key(): SecretKey =
        synchronized(KeystoreTokenStore) {
            val store = KeyStore.getInstance(PROVIDER).apply { load(null) }
            store.getKey(ALIAS, null) as? SecretKey ?: newKey()
        }

    private fun newKey(): SecretKey {
        val spec =
            KeyGenParameterSpec
                .Builder(ALIAS, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .build()
        return KeyGenerator
            .getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
            .apply { init(spec) }
            .generateKey()
    }

    /** Says what failed, without what it failed on. */
    private inline fun <T> failing(work: () -> T): T =
        try {
            work()
        } catch (failure: IOException) {
            throw TokenStoreException.Failed("the file with the tokens: ${failure.javaClass.simpleName}")
        } catch (failure: GeneralSecurityException) {
            throw TokenStoreException.Failed("the key store: ${failure.javaClass.simpleName}")
        }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val ALIAS = "innsync"
        const val CIPHER = "AES/GCM/NoPadding"
        const val TAG_BITS = 128
    }
}
