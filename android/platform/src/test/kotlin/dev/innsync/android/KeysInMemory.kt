package dev.innsync.android

import android.security.keystore.KeyGenParameterSpec
import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.SecureRandom
import java.security.Security
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import java.util.concurrent.ConcurrentHashMap
import javax.crypto.KeyGenerator
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey

/** Stands in for Android's key store, which Robolectric has not. */
internal object KeysInMemory {
    val keys: ConcurrentHashMap<String, Key> = ConcurrentHashMap()

    fun install() {
        keys.clear()
        if (Security.getProvider("AndroidKeyStore") == null) Security.addProvider(KeysProvider())
    }
}

internal class KeysProvider : Provider("AndroidKeyStore", "1.0", "") {
    init {
        put("KeyStore.AndroidKeyStore", Keys::class.java.name)
        put("KeyGenerator.AES", NewKeys::class.java.name)
    }
}

internal class NewKeys : KeyGeneratorSpi() {
    private var alias = ""

    override fun engineInit(random: SecureRandom?): Unit = Unit

    override fun engineInit(keySize: Int, random: SecureRandom?): Unit = Unit

    override fun engineInit(spec: AlgorithmParameterSpec?, random: SecureRandom?) {
        alias = (spec as KeyGenParameterSpec).keystoreAlias
    }

    override fun engineGenerateKey(): SecretKey {
        val key = KeyGenerator.getInstance("AES", "SunJCE").apply { init(256) }.generateKey()
        KeysInMemory.keys[alias] = key
        return key
    }
}

internal class Keys : KeyStoreSpi() {
    private val keys get() = KeysInMemory.keys

    override fun engineGetKey(alias: String, password: CharArray?): Key? = keys[alias]

    override fun engineContainsAlias(alias: String): Boolean = keys.containsKey(alias)

    override fun engineIsKeyEntry(alias: String): Boolean = keys.containsKey(alias)

    override fun engineDeleteEntry(alias: String) {
        keys.remove(alias)
    }

    override fun engineAliases(): Enumeration<String> = Collections.enumeration(keys.keys)

    override fun engineSize(): Int = keys.size

    override fun engineLoad(stream: InputStream?, password: CharArray?): Unit = Unit

    override fun engineStore(stream: OutputStream?, password: CharArray?): Unit = Unit

    override fun engineGetCertificateChain(alias: String): Array<Certificate>? = null

    override fun engineGetCertificate(alias: String): Certificate? = null

    override fun engineGetCertificateAlias(certificate: Certificate): String? = null

    override fun engineIsCertificateEntry(alias: String): Boolean = false

    override fun engineGetCreationDate(alias: String): Date = Date()

    override fun engineSetKeyEntry(alias: String, key: Key, password: CharArray?, chain: Array<Certificate>?): Unit =
        throw UnsupportedOperationException()

    override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?): Unit =
        throw UnsupportedOperationException()

    override fun engineSetCertificateEntry(alias: String, certificate: Certificate): Unit =
        throw UnsupportedOperationException()
}
