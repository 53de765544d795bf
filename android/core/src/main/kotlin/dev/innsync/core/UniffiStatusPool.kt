package dev.innsync.core

/**
 * Call statuses to be used again, one for each call under way on this thread.
 *
 * Making one (a JNA structure) is most of what a small call costs. `cargo xtask bindings` makes the generated code use
 * this.
 */
internal class UniffiStatusPool {
    private val made = ArrayList<UniffiRustCallStatus>(4)
    private var depth = 0

    fun acquire(): UniffiRustCallStatus {
        if (depth == made.size) {
            made += UniffiRustCallStatus().apply {
                setAutoSynch(false)
                write()
            }
        }
        return made[depth++].apply { pointer.setByte(0, UNIFFI_CALL_SUCCESS) }
    }

    fun release() {
        depth--
    }
}

internal val uniffiStatusPool: ThreadLocal<UniffiStatusPool> = ThreadLocal.withInitial { UniffiStatusPool() }
