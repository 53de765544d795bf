package dev.innsync.core

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native

/** The library with the core. */
public object NativeLibrary {
    private val loaded: Unit by lazy {
        NativeThreads.keepAttached()
        try {
            uniffiEnsureInitialized()
        } catch (failed: ExceptionInInitializerError) {
            throw failed.cause ?: failed
        }
    }

    /**
     * Loads it, once.
     *
     * @throws IllegalStateException when it is of another build than the Kotlin that was generated for it.
     */
    public fun load() {
        loaded
    }
}

/**
 * How threads of the core come to Kotlin.
 *
 * By itself JNA makes a new Java thread for each call from the core, and not a daemon: it costs three times as much, and
 * may hold up the end of the process.
 */
internal object NativeThreads {
    private val kept: Unit by lazy {
        val keep = CallbackThreadInitializer(true, false, "innsync")
        listOf(
            uniffiRustFutureContinuationCallbackImpl,
            uniffiCallbackInterfaceTokenStore.load,
            uniffiCallbackInterfaceTokenStore.save,
            uniffiCallbackInterfaceTokenStore.clear,
            uniffiCallbackInterfaceTokenStore.uniffiFree,
            uniffiCallbackInterfaceTokenStore.uniffiClone,
        ).forEach { Native.setCallbackThreadInitializer(it, keep) }
    }

    /** Keeps a thread of the core the same thread in Kotlin, a daemon. Of use before the first call of the core alone. */
    fun keepAttached() {
        kept
    }
}
