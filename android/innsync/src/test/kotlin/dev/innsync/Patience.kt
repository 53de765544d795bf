package dev.innsync

import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** How long a test waits for what must become so. Nothing that works takes as long, also on a slow and busy machine. */
internal val PATIENCE = 30.seconds

/** A test as a story, that ends: it is given up after two minutes. */
internal fun story(tell: suspend () -> Unit): Unit = runBlocking { withTimeout(120.seconds) { tell() } }

/** Waits until [holds], asking again every few milliseconds; false when patience ends. */
internal suspend fun becomes(holds: suspend () -> Boolean): Boolean =
    withTimeoutOrNull(PATIENCE) {
        while (!holds()) delay(20.milliseconds)
        true
    } ?: false
