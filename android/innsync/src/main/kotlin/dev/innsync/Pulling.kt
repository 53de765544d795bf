package dev.innsync

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.transform
import kotlinx.coroutines.withContext

/** How one of the core's streams is used. Generics do not cross the border, so each has types of its own. */
internal class Pulling<S : AutoCloseable, B : Any, T>(
    private val open: () -> S,
    private val stop: (S) -> Unit,
    private val next: suspend (S, ULong) -> B?,
    private val number: (B) -> ULong,
    private val items: (B) -> List<T>,
) {
    /**
     * A stream of its own for each collector. A batch is acknowledged when the collector took all of it, and the core's
     * stream ends with the collector.
     */
    val batches: Flow<List<T>> =
        flow {
            val stream = open()
            try {
                var acknowledged = 0UL
                while (true) {
                    // Elsewhere, so that turning bytes into lists does not hold up the main thread.
                    val batch = withContext(Dispatchers.Default) { next(stream, acknowledged) } ?: break
                    emit(items(batch))
                    acknowledged = number(batch)
                }
            } finally {
                stop(stream)
                stream.close()
            }
        }

    /** Every item. */
    val each: Flow<T> = batches.transform { items -> items.forEach { emit(it) } }

    /** The newest item alone, of a stream whose items are states. */
    val newest: Flow<T> = batches.map { it.last() }
}
