package dev.innsync

import kotlinx.coroutines.runBlocking

/** The least that an app does with the core. */
internal fun main(): Unit = runBlocking { println("accounts: ${InnSyncs.accounts("/nowhere")}") }
