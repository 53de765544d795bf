package dev.innsync.core

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native

/**
 * How threads of the core come to Kotlin.
 *
 * By itself JNA makes a new Java thread for each call from the core, and not a daemon: it costs three times as much, and
 * may hold up the end of the process.
 */
public object NativeThreads {
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
    public fun keepAttached() {
        kept
    }
}
