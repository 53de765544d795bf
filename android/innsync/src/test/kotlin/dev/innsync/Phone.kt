package dev.innsync

import dev.innsync.core.ConnectionState
import dev.innsync.core.Effect
import dev.innsync.core.EffectBody
import dev.innsync.core.Entity
import dev.innsync.core.EntityKind
import dev.innsync.core.Note
import dev.innsync.core.Query
import dev.innsync.core.Settings
import dev.innsync.core.Suite
import dev.innsync.core.Task
import dev.innsync.core.TokenStore
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import java.nio.file.Path
import java.util.UUID
import java.util.concurrent.CopyOnWriteArrayList

internal const val PASSWORD = "demo"

internal fun settings(person: String, server: String, directory: Path): Settings =
    Settings(server, "seaside", person, "$directory", "$person-phone")

/** Somebody's phone, and a record of what it told since it was opened. */
internal class Phone private constructor(
    val person: String,
    private val directory: Path,
    val innsync: InnSync,
) {
    private val effects = CopyOnWriteArrayList<Effect>()
    private val events = CopyOnWriteArrayList<String>()

    val employee: UUID get() = innsync.account.employee

    init {
        // Ends when the phone is closed, since the flows do.
        val scope = CoroutineScope(Dispatchers.Default)
        scope.launch { innsync.present { effects += it } }
        scope.launch { innsync.events.collect { events += it.name } }
    }

    suspend fun goOnline() {
        innsync.connect()
        innsync.upToDate(PATIENCE)
    }

    suspend fun openAgain(server: String): Phone = Phone(
        person,
        directory,
        InnSyncs.open(settings(person, server, directory)),
    )

    fun heard(event: String): Boolean = event in events

    fun wasTold(what: (EffectBody) -> Boolean): Boolean = effects.any { what(it.body) }

    suspend fun task(title: String): Task? = tasks().filter { it.title == title }.maxByOrNull { it.createdAt }

    suspend fun tasks(): List<Task> =
        innsync.query(Query(EntityKind.Task)).filterIsInstance<Entity.OfTask>().map { it.value }

    suspend fun suite(number: String): Suite? = innsync
        .query(Query(EntityKind.Suite))
        .filterIsInstance<Entity.OfSuite>()
        .map { it.value }
        .find { it.suiteNumber == number }

    suspend fun notes(title: String): List<Note> = innsync
        .query(Query(EntityKind.Note))
        .filterIsInstance<Entity.OfNote>()
        .map { it.value }
        .filter { it.title == title }

    companion object {
        suspend fun signIn(person: String, server: String, directory: Path): Phone =
            Phone(person, directory, InnSyncs.signIn(settings(person, server, directory), PASSWORD))
    }
}

/** Signs in and fetches what there is, once; not connected then. */
internal suspend fun InnSyncs.signInOnce(settings: Settings, tokens: TokenStore? = null): InnSync =
    signIn(settings, PASSWORD, tokens).also {
        it.connect()
        it.upToDate(PATIENCE)
        it.disconnect()
        it.connection.first { now -> now == ConnectionState.DISCONNECTED }
        it.status.first { now -> !now.isOnline }
    }

/** The name that the wire has for a value of a closed set: `VACANT_CLEAN`. */
internal fun wire(value: Any): String = when (value) {
    is Enum<*> -> value.name
    else -> value.javaClass.simpleName.replace(Regex("(?<=[a-z])(?=[A-Z])"), "_").uppercase()
}
